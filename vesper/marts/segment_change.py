"""Who entered and who left a segment tonight: the set difference of two nights (R35)."""

from typing import Any

import sqlalchemy as sa

from vesper.marts import mart
from vesper.marts.segment_member import PREVIOUS_MEMBER, SEGMENT_MEMBER
from vesper.night import Night
from vesper.segment import changes
from vesper.tables.declare import DATE, TEXT, column, table

SEGMENT_CHANGE = table(
    "mart__segment_change",
    column("business_on", DATE, "Night of the change", required=True),
    column("segment_id", TEXT, "Segment", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("change", TEXT, "entered or left", required=True, among=("entered", "left")),
    column("definition_hash", TEXT, "Hash of the segment's definition", required=True),
    grain=("business_on", "segment_id", "contact_id"),
    cut="business_on",
    owner="marketing",
    says="Members of today = members of yesterday + entered - left, for each segment.",
)


@mart(SEGMENT_CHANGE, stage="segment", is_by_contact=True)
def segment_change(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per contact that entered or left."""
    return changes(night, SEGMENT_MEMBER, PREVIOUS_MEMBER)
