"""A segment: a group of contacts that is found anew each night. Tags and personas will be the same kind (architecture, section 4)."""

from vesper.conditions import Condition
from vesper.model.definition import Definition
from vesper.model.example import MemberExample


class Segment(Definition):
    """One segment."""

    members: Condition
    """Who belongs to it."""
    examples: tuple[MemberExample, ...] = ()
    """Contacts that belong or do not."""
