"""The lifecycle stage of each contact (R40)."""

from typing import Any

import sqlalchemy as sa

from vesper.lifecycle import stage_of_everyone
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, TEXT, column, previous, table, the_night

LIFECYCLE = table(
    "mart__lifecycle",
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("stage", TEXT, "Stage of the company's lifecycle; exactly one per contact", required=True),
    column(
        "entered_at",
        INSTANT,
        "When this stage began (UTC): kept while it lasts; on the first night as the facts tell it",
        required=True,
    ),
    column("rule_id", TEXT, "What put the contact there: lifecycle/stage", required=True),
    column(
        "refused_stage",
        TEXT,
        "Stage whose condition holds before this one's, but which may not be entered from where the contact stood (R41)",
    ),
    column("definition_hash", TEXT, "Hash of the lifecycle", required=True),
    grain=("contact_id",),
    patched=True,
    derived={"business_on": the_night},
    owner="marketing",
    says="The one stage each golden contact stands in. While a source it reads has a hole, everyone keeps yesterday's stage (R106).",
    minimum_rows=1,
)
PREVIOUS_LIFECYCLE = previous(LIFECYCLE)


@mart(LIFECYCLE, stage="score", is_by_contact=True)
def lifecycle(night: Night) -> sa.Select[Any]:
    """One row per golden contact."""
    return stage_of_everyone(night, PREVIOUS_LIFECYCLE)
