"""Which leads began, ended or came back tonight: the difference between two nights of mart__lead."""

from typing import Any

import sqlalchemy as sa

from vesper.lead import STATUSES, changes
from vesper.marts import mart
from vesper.marts.lead import LEAD, PREVIOUS_LEAD
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, TEXT, column, table

LEAD_CHANGE = table(
    "mart__lead_change",
    column("business_on", DATE, "Night of the change", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("from_status", TEXT, "Status of the night before; empty for a new lead", among=STATUSES),
    column("to_status", TEXT, "Status of this night", required=True, among=STATUSES),
    column("reason_code", TEXT, "Coded reason of the last outcome"),
    column("at", INSTANT, "When it ended, or began (UTC)", required=True),
    column("definition_hash", TEXT, "Hash of policy/lead", required=True),
    grain=("business_on", "contact_id"),
    cut="business_on",
    owner="sales",
    says="Every change of a lead's status, by night: the history that a recycled lead keeps (R44).",
)


@mart(LEAD_CHANGE, stage="score")
def lead_change(night: Night) -> sa.Select[Any]:
    """One row per lead whose status changed."""
    return changes(night, LEAD, PREVIOUS_LEAD)
