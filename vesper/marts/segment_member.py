"""Who belongs to which segment tonight, and since when."""

from typing import Any

import sqlalchemy as sa

from vesper.marts import mart
from vesper.night import Night
from vesper.segment import members
from vesper.tables.declare import DATE, TEXT, column, previous, table, the_night

SEGMENT_MEMBER = table(
    "mart__segment_member",
    column("business_on", DATE, "Night", required=True),
    column("segment_id", TEXT, "Segment", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("entered_on", DATE, "Night on which this unbroken membership began", required=True),
    column("definition_hash", TEXT, "Hash of the segment's definition", required=True),
    grain=("segment_id", "contact_id"),
    patched=True,
    derived={"business_on": the_night},
    owner="marketing",
    says="Members of every segment. While a source that a segment reads has a hole, its members stay yesterday's (R106).",
)
PREVIOUS_MEMBER = previous(SEGMENT_MEMBER)


@mart(SEGMENT_MEMBER, stage="segment", is_by_contact=True)
def segment_member(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per segment and member."""
    return members(night, PREVIOUS_MEMBER)
