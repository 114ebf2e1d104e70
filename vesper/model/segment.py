"""Groups of contacts that a night finds by a condition: a segment, and what tags and personas share with it.

What belongs here: the shape. What does not: finding the members (`vesper/group.py`) and what a tag or a persona adds (their own files).
"""

from vesper.conditions import Condition
from vesper.model.definition import Definition
from vesper.model.example import MemberExample


class Group(Definition):
    """A group whose members are found anew each night."""

    members: Condition
    """Who belongs to it."""
    examples: tuple[MemberExample, ...] = ()
    """Contacts that belong or do not."""


class Segment(Group):
    """One segment: a group to send to."""
