"""People of an audience who were not written to, and why: the other half of `out__message`, so that nobody of an audience is lost."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, TEXT, column, table

_COLUMNS = (
    ("campaign_id", TEXT, "Campaign", True),
    ("contact_id", TEXT, "Golden contact", True),
    ("step_id", TEXT, "Step of the campaign", True),
    ("occurrence", INTEGER, "Which time the contact entered the campaign, from 1", True),
    ("business_on", DATE, "Night that refused", True),
    ("reason", TEXT, "Why: no_address, no_consent, suppressed, stage, held, ...", True),
    ("detail", TEXT, "What exactly blocked it", False),
)
GRAIN = ("campaign_id", "contact_id", "step_id", "occurrence", "business_on")

RAW_REFUSAL = table(
    "raw_vesper__refusal",
    *[column(name, kind, says, required=required) for name, kind, says, required in _COLUMNS],
    grain=GRAIN,
    owner="marketing",
    says="The ledger's refusals, as they stood when this copy was taken.",
)

REFUSAL = table(
    "out__refusal",
    *[column(name, kind, says, required=required) for name, kind, says, required in _COLUMNS],
    grain=GRAIN,
    owner="marketing",
    says="One row for each person of an audience who got no message that night, with the reason.",
)


@mart(REFUSAL, stage="send")
def refusal(night: Night) -> sa.Select[Any]:
    """The ledger's refusals up to this night."""
    return sa.select(RAW_REFUSAL).where(RAW_REFUSAL.c.business_on <= on(night.business_on))
