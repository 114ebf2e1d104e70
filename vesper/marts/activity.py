"""How active each contact is: orders, amount, first and last day, and the three RFM fifths (R36).

What belongs here: figures of a contact's order history, computed once a night for every rule that needs them. What does not: windows of a
rule's own (the conditions read `core__order_day` for those) and what a fifth means to the company (segments).
"""

from typing import Any

import sqlalchemy as sa

from vesper.analysis import rfm_settings
from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, INTEGER, MONEY, TEXT, column, table, the_night
from vesper.tables.order import ORDER_DAY

RANKS = 5
RANK = (1, RANKS)
HIGH, MEDIUM = 8, 5

ACTIVITY = table(
    "mart__activity",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("contact_id", TEXT, "Golden contact with at least one order", required=True),
    column("order_count", INTEGER, "Orders so far", required=True, between=(1, 100_000)),
    column("order_days", INTEGER, "Company days with an order", required=True, between=(1, 100_000)),
    column("amount", MONEY, "Paid so far, in the company's currency", required=True),
    column("first_order_on", DATE, "Company day of the first order", required=True),
    column(
        "second_order_on",
        DATE,
        "Company day of the second order: the first day again when it held two, empty after one order",
    ),
    column("last_order_on", DATE, "Company day of the latest order", required=True),
    column("first_at", INSTANT, "First order (UTC)", required=True),
    column("last_at", INSTANT, "Latest order (UTC; of its day's orders the last)", required=True),
    column(
        "recency_rank",
        INTEGER,
        "Fifth by latest order day, 5 the most recent; empty without an order in the window",
        between=RANK,
    ),
    column("frequency_rank", INTEGER, "Fifth by orders in the window, 5 the most", between=RANK),
    column("money_rank", INTEGER, "Fifth by amount in the window, 5 the most", between=RANK),
    column(
        "activity_level",
        TEXT,
        f"recency_rank + frequency_rank: high from {HIGH}, medium from {MEDIUM}, else low (R36)",
        required=True,
        among=("high", "medium", "low"),
    ),
    column("definition_hash", TEXT, "Hash of policy/analysis, which sets the window", required=True),
    grain=("contact_id",),
    patched=True,
    derived={"business_on": the_night},
    owner="marketing",
    says="Order history of each contact who ever ordered. Fifths are cut among those who ordered in the window of policy/analysis; "
    "equal figures are ordered by contact_id, so that a fifth is the same in every run.",
    minimum_rows=0,  # a company that sells by contract has no orders; a table that empties overnight fails by its drop
)


@mart(ACTIVITY, stage="measure")
def activity(night: Night) -> sa.Select[Any]:
    """One row per contact with an order on or before the business date."""
    total = _totals(night).cte("totals")
    ranked = (
        sa.select(
            total.c.contact_id,
            _fifth(total.c.last_order_on, total).label("recency_rank"),
            _fifth(total.c.window_count, total).label("frequency_rank"),
            _fifth(total.c.window_amount, total).label("money_rank"),
        )
        .where(total.c.window_count.is_not(None))
        .cte("ranked")
    )
    both = ranked.c.recency_rank + ranked.c.frequency_rank
    return sa.select(
        on(night.business_on).label("business_on"),
        *[total.c[declared.name] for declared in ACTIVITY.c if declared.name in total.c],
        *[ranked.c[name] for name in ("recency_rank", "frequency_rank", "money_rank")],
        sa.case((both >= HIGH, "high"), (both >= MEDIUM, "medium"), else_="low").label("activity_level"),
        sa.literal(hash_of(night, "policy/analysis")).label("definition_hash"),
    ).join_from(total, ranked, ranked.c.contact_id == total.c.contact_id, isouter=True)


def _totals(night: Night) -> sa.Select[Any]:
    """Whole history by contact; `window_*` is empty for who did not order in the window."""
    day = ORDER_DAY.c
    so_far = sa.func.sum(day.order_count).over(partition_by=day.contact_id, order_by=day.ordered_on)
    until_now = sa.select(ORDER_DAY, so_far.label("orders_so_far")).where(day.ordered_on <= on(night.business_on))
    days = until_now.subquery("days").c
    lately = days.ordered_on > on(night.days_ago(rfm_settings(night).within.days))
    return sa.select(
        days.contact_id,
        sa.func.sum(days.order_count).label("order_count"),
        sa.func.count().label("order_days"),
        sa.func.sum(days.amount).label("amount"),
        sa.func.min(days.ordered_on).label("first_order_on"),
        sa.func.min(days.ordered_on).filter(days.orders_so_far >= 2).label("second_order_on"),
        sa.func.max(days.ordered_on).label("last_order_on"),
        sa.func.min(days.first_at).label("first_at"),
        sa.func.max(days.last_at).label("last_at"),
        sa.func.sum(days.order_count).filter(lately).label("window_count"),
        sa.func.sum(days.amount).filter(lately).label("window_amount"),
    ).group_by(days.contact_id)


def _fifth(figure: sa.ColumnElement[Any], total: sa.CTE) -> sa.ColumnElement[int]:
    return sa.func.ntile(RANKS).over(order_by=[figure, total.c.contact_id])
