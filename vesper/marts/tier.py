"""The tier that each contact stands in tonight, in each tiering (R28)."""

from typing import Any

import sqlalchemy as sa

from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, TEXT, column, previous, table
from vesper.tier import tiers_of_everyone

TIER = table(
    "mart__tier",
    column("business_on", DATE, "Night", required=True),
    column("tiering_id", TEXT, "Tiering", required=True),
    column("contact_id", TEXT, "Golden contact; exactly one row in each tiering", required=True),
    column("tier", TEXT, "Tier: the first one that holds", required=True),
    column("since_on", DATE, "Night since which the contact has stood in this tier without a break", required=True),
    column("definition_hash", TEXT, "Hash of the tiering's definition", required=True),
    grain=("tiering_id", "contact_id"),
    owner="marketing",
    says="The one tier of each tiering that a golden contact stands in. While a source that a tiering reads has a hole, tiers stay yesterday's (R106).",
)
PREVIOUS_TIER = previous(TIER)


@mart(TIER, stage="measure")
def tier(night: Night) -> sa.Select[Any]:
    """One row per tiering and golden contact."""
    return tiers_of_everyone(night, TIER, PREVIOUS_TIER)
