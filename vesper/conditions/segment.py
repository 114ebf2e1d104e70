"""`segment: {id: dormant_90d}`: membership in another segment of this night."""

from typing import ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import Asked, People, day_starts_at, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Name, Strict


class InSegment(ConditionBody, Strict):
    """The contact is in another segment."""

    word: ClassVar[str] = "segment"

    segment_id: Name = Field(alias="id")
    """The other segment."""

    def people(self, asked: Asked) -> People:
        """The other segment's people: out of the same Select while segments are made, else out of the table of members."""
        from vesper.marts.segment_member import SEGMENT_MEMBER  # the mart is made of conditions

        together = asked.segments.get(self.segment_id)
        if together is not None:
            return sa.select(
                *[together.c[name] for name in ("contact_id", "evidence_count", "first_at", "last_at", "since_at")]
            )
        member = SEGMENT_MEMBER.c
        since = day_starts_at(member.entered_on, asked.night)
        return sa.select(*evidence(member.contact_id, 1, since_at=since)).where(member.segment_id == self.segment_id)
