"""Membership in a group that the night finds by conditions: another segment, a tag, a persona.

What belongs here: what the three conditions share. What does not: finding the members (`vesper/group.py`).
"""

from typing import Any, ClassVar

import sqlalchemy as sa

from vesper.conditions.people import Asked, People, day_starts_at, evidence
from vesper.model.condition import ConditionBody

COLUMNS = ("contact_id", "evidence_count", "first_at", "last_at", "since_at")


class InGroup(ConditionBody):
    """The contact is in a group of one kind."""

    folder: ClassVar[str]
    """Folder of the kind, e.g. `segments`."""
    group_id: str
    """The group."""

    def table(self) -> tuple[sa.Table, str, str]:
        """The mart of members, its column with the group's id, and its column with the first day."""
        raise NotImplementedError(f"the condition {self.word} has no table of members; name it in its file")

    def people(self, asked: Asked) -> People:
        """The group's people: out of the same Select while groups of its kind are made, else out of the table of members."""
        together = asked.together.get(f"{self.folder}/{self.group_id}")
        if together is not None:
            return sa.select(*[together.c[name] for name in COLUMNS])
        table, id, since = self.table()
        began: sa.ColumnElement[Any] = day_starts_at(table.c[since], asked.night)
        return sa.select(*evidence(table.c.contact_id, 1, since_at=began)).where(table.c[id] == self.group_id)
