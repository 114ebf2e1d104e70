"""`segment: {id: dormant_90d}`: membership in another segment of this night."""

from typing import ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.groups import InGroup
from vesper.model.definition import Name, Strict


class InSegment(InGroup, Strict):
    """The contact is in another segment."""

    word: ClassVar[str] = "segment"
    folder: ClassVar[str] = "segments"

    group_id: Name = Field(alias="id")
    """The other segment."""

    def table(self) -> tuple[sa.Table, str, str]:
        """Members of segments."""
        from vesper.marts.segment_member import SEGMENT_MEMBER  # the mart is made of conditions

        return SEGMENT_MEMBER, "segment_id", "entered_on"
