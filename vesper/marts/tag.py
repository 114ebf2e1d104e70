"""Who bears which tag tonight, and since when."""

from typing import Any

import sqlalchemy as sa

from vesper.group import TAGS, members
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, TEXT, column, previous, table

TAG = table(
    "mart__tag",
    column("business_on", DATE, "Night", required=True),
    column("tag_id", TEXT, "Tag", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("since_on", DATE, "Night since which it has held without a break", required=True),
    column("definition_hash", TEXT, "Hash of the tag's definition", required=True),
    grain=("tag_id", "contact_id"),
    owner="marketing",
    says="Contacts of every tag. While a source that a tag reads has a hole, its contacts stay yesterday's (R106).",
)
PREVIOUS_TAG = previous(TAG)


@mart(TAG, stage="measure")
def tag(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """One row per tag and contact."""
    return members(night, TAGS, PREVIOUS_TAG)
