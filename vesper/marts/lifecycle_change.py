"""Who changed stage tonight: the difference between two nights of mart__lifecycle."""

from typing import Any

import sqlalchemy as sa

from vesper.lifecycle import changes
from vesper.marts import mart
from vesper.marts.lifecycle import LIFECYCLE, PREVIOUS_LIFECYCLE
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, TEXT, column, table

LIFECYCLE_CHANGE = table(
    "mart__lifecycle_change",
    column("business_on", DATE, "Night of the change", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("from_stage", TEXT, "Stage of the night before; empty for a contact that was not there"),
    column("to_stage", TEXT, "Stage of this night; empty for a contact that is gone, e.g. merged into another"),
    column("rule_id", TEXT, "What put the contact there: lifecycle/stage"),
    column("at", INSTANT, "When the new stage began (UTC)", required=True),
    column("definition_hash", TEXT, "Hash of the lifecycle", required=True),
    grain=("business_on", "contact_id"),
    cut="business_on",
    owner="marketing",
    says="Changes of stage of one night: stages of today = stages of yesterday with these changes.",
)


@mart(LIFECYCLE_CHANGE, stage="score", is_by_contact=True)
def lifecycle_change(night: Night) -> sa.Select[Any]:
    """One row per contact whose stage changed."""
    return changes(night, LIFECYCLE, PREVIOUS_LIFECYCLE)
