"""The lead that a contact is or was: open, with sales, invalid, or back in the pool (R43, R44)."""

from typing import Any

import sqlalchemy as sa

from vesper.lead import STATUSES, leads
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, previous, table

LEAD = table(
    "mart__lead",
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column(
        "status",
        TEXT,
        "open; or how it ended: to_sales, invalid, recycled, exactly one of them (R43)",
        required=True,
        among=STATUSES,
    ),
    column(
        "opened_at",
        INSTANT,
        "First sign of this lead (UTC): a lead event, an outcome, or the night of an MQL",
        required=True,
    ),
    column("closed_at", INSTANT, "Last outcome (UTC); empty while it is open"),
    column(
        "recycle_count",
        INTEGER,
        "Times it came back to the pool, over all its history (R44)",
        required=True,
        between=(0, 10_000),
    ),
    column("reason_code", TEXT, "Coded reason of the last outcome"),
    column(
        "last_touch_at", INSTANT, "When the company last spoke to the contact (UTC); messages up to the night before"
    ),
    column("definition_hash", TEXT, "Hash of policy/lead", required=True),
    grain=("contact_id",),
    owner="sales",
    says="Each contact's lead. A recycled lead opens again with its next lead event or MQL and keeps its history.",
)
PREVIOUS_LEAD = previous(LEAD)


@mart(LEAD, stage="score")
def lead(night: Night) -> sa.Select[Any]:
    """One row per golden contact that is or was a lead."""
    return leads(night, PREVIOUS_LEAD)
