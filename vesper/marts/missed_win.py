"""Deals that were won with contacts whom no rule had handed over by then: what scoring did not see (R115)."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.marts.handover import RAW_HANDOVER
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.declare import DATE, TEXT, column, empty, table
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.sales import LEAD_OUTCOME

MISSED_WIN = table(
    "mart__missed_win",
    column("business_on", DATE, "Night", required=True),
    column("contact_id", TEXT, "Golden contact that bought", required=True),
    column("won_on", DATE, "Company day of the first won deal of the window", required=True),
    column("definition_hash", TEXT, "Hash of policy/sales", required=True),
    grain=("business_on", "contact_id"),
    owner="sales",
    says="Won deals of the window of policy/sales whose contact was never handed over before (R115).",
    cut="business_on",
)


@mart(MISSED_WIN, stage="handover")
def missed_win(night: Night) -> sa.Select[Any]:
    """One row for each such contact."""
    policy = night.definitions.of(SalesPolicy).get("sales")
    if policy is None:
        return empty(MISSED_WIN)
    merged, said = CONTACT_ALIAS.alias("won_alias"), LEAD_OUTCOME.c
    handed = RAW_HANDOVER.outerjoin(merged, merged.c.old_id == RAW_HANDOVER.c.contact_id)
    was_handed = (
        sa.exists()
        .select_from(handed)
        .where(
            sa.func.coalesce(merged.c.contact_id, RAW_HANDOVER.c.contact_id) == said.contact_id,
            RAW_HANDOVER.c.created_at <= said.at,
        )
    )
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            said.contact_id,
            sa.func.min(said.on).label("won_on"),
            sa.literal(hash_of(night, "policy/sales")).label("definition_hash"),
        )
        .where(said.outcome == "won", said.handover_id.is_(None), said.contact_id.is_not(None))
        .where(said.on > on(night.days_ago(policy.review.days)), said.at <= at(night.cutoff_at))
        .where(~was_handed)
        .group_by(said.contact_id)
    )
