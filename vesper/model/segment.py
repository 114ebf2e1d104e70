"""Groups of contacts that a night finds by a condition: a segment, and what tags and personas share with it.

What belongs here: the shape. What does not: finding the members (`vesper/group.py`) and what a tag or a persona adds (their own files).
"""

from collections.abc import Iterator

from vesper.conditions import Condition
from vesper.model.condition import Path
from vesper.model.definition import Definition
from vesper.model.example import MemberExample


class Group(Definition):
    """A group whose members are found anew each night."""

    examples: tuple[MemberExample, ...] = ()
    """Contacts that belong or do not."""

    @property
    def condition(self) -> Condition:
        """Who belongs to it: the one condition that the night, the checks and the explanations read."""
        raise NotImplementedError(f"{type(self).__name__} says nowhere who belongs to it; give it a condition")

    def written(self) -> Iterator[tuple[Path, Condition]]:
        """The parts of the condition, each with its place in the text."""
        raise NotImplementedError(f"{type(self).__name__} says nowhere who belongs to it; give it a condition")


class MemberGroup(Group):
    """A group that says in one condition who belongs to it."""

    members: Condition
    """Who belongs to it."""

    @property
    def condition(self) -> Condition:
        """What stands under `members`."""
        return self.members

    def written(self) -> Iterator[tuple[Path, Condition]]:
        """What stands under `members`."""
        yield ("members",), self.members


class Segment(MemberGroup):
    """One segment: a group to send to."""
