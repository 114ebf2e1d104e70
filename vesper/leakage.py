"""What becomes of leads nobody looks after: the shares of the leakage report, and the buried leads worth digging out (R46, R47).

What belongs here: those Selects. What does not: what a lead or a touch is (`lead.py`) and the days that count (policy/lead.yml).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day, on
from vesper.conditions.people import people
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.lead import INVALID, OPEN, RECYCLED, WON, policy_of, touches
from vesper.marts.activity import ACTIVITY
from vesper.marts.lead import LEAD
from vesper.model.timing import Days
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import RATIO
from vesper.tables.sales import LEAD_OUTCOME

KINDS = UNTOUCHED, DISCARDED, IGNORED, NOT_REENGAGED = ("untouched", "discarded", "ignored", "not_reengaged")
POOL = (OPEN, RECYCLED)


def leaks(night: Night) -> sa.Select[Any]:
    """One row for each kind: to how many it could have happened, to how many it did."""
    policy, lead = policy_of(night), LEAD.c
    untouched = sa.func.coalesce(lead.last_touch_at < lead.opened_at, True)
    ignored = _is_old(sa.func.coalesce(lead.last_touch_at, lead.opened_at), policy.ignored_after, night)
    ended = lead.status != OPEN
    sale = _sales(night).subquery("sale")
    neglected = sa.func.coalesce(sale.c.last_touch_at <= sale.c.sold_at, True)
    rows = [
        _leak(UNTOUCHED, policy.untouched_after, _is_old(lead.opened_at, policy.untouched_after, night), untouched),
        _leak(DISCARDED, None, ended, lead.status == INVALID),
        _leak(
            IGNORED,
            policy.ignored_after,
            sa.and_(lead.status.in_(POOL), _is_old(lead.opened_at, policy.ignored_after, night)),
            ignored,
        ),
        _leak(
            NOT_REENGAGED, policy.reengage_after, _is_old(sale.c.sold_at, policy.reengage_after, night), neglected
        ).select_from(sale),
    ]
    every = sa.union_all(*rows).subquery("leaks")
    share = sa.cast(every.c.leaked_count, RATIO) / sa.func.nullif(sa.cast(every.c.base_count, RATIO), 0.0)
    return sa.select(
        on(night.business_on).label("business_on"),
        every,
        share.label("leak_ratio"),
        sa.literal(hash_of(night, "policy/lead")).label("definition_hash"),
    )


def buried_leads(night: Night, previous_buried: sa.Table) -> sa.Select[Any]:
    """Leads that nobody has spoken to for long and that fit the ideal customer profile; yesterday's while the profile cannot be judged (R106)."""
    policy, lead = policy_of(night), LEAD.c
    columns = [c for c in previous_buried.c if c.name != "business_on"]
    if is_held(policy.icp, night):
        golden = sa.select(CONTACT.c.contact_id)
        old = sa.select(on(night.business_on).label("business_on"), *columns)
        return old.where(previous_buried.c.contact_id.in_(golden))
    idle_since = sa.func.coalesce(lead.last_touch_at, lead.opened_at)
    fits = people(policy.icp, night).subquery("fits")
    sold = _sales(night).subquery("sold")
    return sa.select(
        on(night.business_on).label("business_on"),
        lead.contact_id,
        lead.status,
        lead.opened_at,
        lead.last_touch_at,
        sa.func.date_diff("day", local_day(idle_since, night.zone), on(night.business_on), type_=sa.Integer).label(
            "idle_days"
        ),
        sa.literal(hash_of(night, "policy/lead")).label("definition_hash"),
    ).where(
        lead.status != INVALID,
        lead.contact_id.not_in(sa.select(sold.c.contact_id)),
        lead.contact_id.in_(sa.select(fits.c.contact_id)),
        _is_old(idle_since, policy.buried_after, night),
    )


def _leak(
    kind: str, after: Days | None, base: sa.ColumnElement[bool], leaked: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    return sa.select(
        sa.literal(kind).label("kind"),
        sa.literal(after.days if after else 0).label("after_days"),
        sa.func.count().filter(base).label("base_count"),
        sa.func.count().filter(sa.and_(base, leaked)).label("leaked_count"),
    )


def _is_old(moment: sa.ColumnElement[Any], after: Days, night: Night) -> sa.ColumnElement[bool]:
    """Whether an instant's company day is so many days back."""
    return local_day(moment, night.zone) <= on(night.days_ago(after.days))


def _sales(night: Night) -> sa.Select[Any]:
    """contact_id, sold_at, last_touch_at: the last order or won deal of every buyer."""
    won, bought = LEAD_OUTCOME.c, ACTIVITY.c
    deals = sa.union_all(
        sa.select(won.contact_id, won.at.label("at")).where(
            won.outcome == WON, won.contact_id.is_not(None), won.on <= on(night.business_on)
        ),
        sa.select(bought.contact_id, bought.last_at),
    ).subquery("deals")
    sold = (
        sa.select(deals.c.contact_id, sa.func.max(deals.c.at).label("sold_at")).group_by(deals.c.contact_id)
    ).subquery("sold")
    touched = touches(night).subquery("touched")
    return sa.select(sold.c.contact_id, sold.c.sold_at, touched.c.last_at.label("last_touch_at")).join_from(
        sold, touched, touched.c.contact_id == sold.c.contact_id, isouter=True
    )
