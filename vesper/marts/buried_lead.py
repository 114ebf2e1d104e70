"""Buried leads: nobody has spoken to them for long, and they fit the ideal customer profile (R47)."""

from typing import Any

import sqlalchemy as sa

from vesper.lead import STATUSES
from vesper.leakage import buried_leads
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, previous, table

BURIED_LEAD = table(
    "mart__buried_lead",
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("status", TEXT, "Where the lead stands", required=True, among=STATUSES),
    column("opened_at", INSTANT, "When it began (UTC)", required=True),
    column("last_touch_at", INSTANT, "When the company last spoke to the contact (UTC); empty when it never did"),
    column("idle_days", INTEGER, "Company days since then, or since it began", required=True, between=(0, 100_000)),
    column("definition_hash", TEXT, "Hash of policy/lead", required=True),
    grain=("contact_id",),
    owner="marketing",
    says="Leads without a touch for the days of policy/lead that fit its icp, without those that were invalid or have bought.",
)
PREVIOUS_BURIED = previous(BURIED_LEAD)


@mart(BURIED_LEAD, stage="watch")
def buried_lead(night: Night) -> sa.Select[Any]:
    """One row per buried lead."""
    return buried_leads(night, PREVIOUS_BURIED)
