"""The way of each month's new contacts: registered -> first purchase -> repurchase -> loyal.

What belongs here: cohorts by the month of entry (decision 14), so that a step is only ever compared with the people who could take it. What does
not: today's stage of a contact (`lifecycle.py`), which a person may lose again; a step of the funnel, once taken, stays taken.
"""

import datetime as dt
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.orders import Orders
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.marts.activity import ACTIVITY
from vesper.model.lifecycle import Lifecycle
from vesper.model.timing import Days
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.order import ORDER_DAY

LOYAL = Orders(at_least=10, within=Days("90d"))
EPOCH = dt.date(1970, 1, 1)
STEPS = ("registered", "first_purchase", "repurchase", "loyal")
COUNT = (0, 1_000_000_000)

FUNNEL = table(
    "mart__funnel",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("cohort_on", DATE, "First day of the month in which the contacts entered", required=True),
    column("from_stage", TEXT, "Step that the contacts had taken", required=True, among=STEPS[:-1]),
    column(
        "to_stage",
        TEXT,
        "Step after it; `loyal` is taken on the first day on which the lifecycle's loyal condition on orders held",
        required=True,
        among=STEPS[1:],
    ),
    column(
        "entered_count",
        INTEGER,
        "Contacts of the cohort who took the first step by the business date",
        required=True,
        between=COUNT,
    ),
    column(
        "passed_count",
        INTEGER,
        "Of them: who also took the second; never more than entered (R95)",
        required=True,
        between=COUNT,
    ),
    column("pass_ratio", RATIO, "passed_count / entered_count; empty when nobody entered", between=(0.0, 1.0)),
    column(
        "median_days",
        RATIO,
        "Median of the days between the two steps, of those who passed; empty when nobody did",
        between=(0.0, 100_000.0),
    ),
    column("definition_hash", TEXT, "Hash of the lifecycle, which says who is loyal", required=True),
    grain=("business_on", "cohort_on", "from_stage"),
    cut="business_on",
    owner="marketing",
    says="Funnel by entry month, from registration to loyalty, by night.",
)


@mart(FUNNEL, stage="watch")
def funnel(night: Night) -> sa.Select[Any]:
    """Tonight's three steps of each cohort."""
    taken = steps_taken(night).cte("taken")
    steps = [_step(taken, left, right, night) for left, right in pairwise(STEPS)]
    return sa.select(sa.union_all(*steps).subquery("steps"))


def steps_taken(night: Night) -> sa.Select[Any]:
    """One row per contact: the company day of each step, empty while it is not taken. A later step implies the earlier ones."""
    order = ACTIVITY.c
    loyal = _loyal_on(night).subquery("loyal")
    # A contact first heard of by an order entered with that order, whatever a source says of its registration afterwards.
    entered_on = sa.func.least(CONTACT.c.first_seen_on, sa.func.coalesce(order.first_order_on, CONTACT.c.first_seen_on))
    return (
        sa.select(
            sa.cast(sa.func.date_trunc("month", entered_on), sa.Date).label("cohort_on"),
            entered_on.label("registered"),
            order.first_order_on.label("first_purchase"),
            order.second_order_on.label("repurchase"),
            sa.case((order.second_order_on.is_not(None), loyal.c.loyal_on)).label("loyal"),
        )
        .select_from(
            CONTACT.outerjoin(ACTIVITY, order.contact_id == CONTACT.c.contact_id).outerjoin(
                loyal, loyal.c.contact_id == CONTACT.c.contact_id
            )
        )
        .where(entered_on <= on(night.business_on))
    )


def loyal_when(night: Night) -> Orders:
    """What makes a contact loyal: the `loyal` stage of the lifecycle in force where it counts orders, otherwise ten orders in 90 days."""
    stages = [stage for lifecycle in night.definitions.of(Lifecycle).values() for stage in lifecycle.stages or ()]
    bodies = [stage.when.body for stage in stages if stage.id == STEPS[-1]]
    return next((body for body in bodies if isinstance(body, Orders)), LOYAL)


def _loyal_on(night: Night) -> sa.Select[Any]:
    """The first day on which a contact had enough orders in the window that ends on it; a step taken stays taken."""
    day, loyal = ORDER_DAY.c, loyal_when(night)
    number = sa.func.date_diff("day", on(EPOCH), day.ordered_on, type_=sa.Integer)
    reach = (1 - loyal.within.days, 0) if loyal.within else (None, 0)
    orders = sa.func.sum(day.order_count).over(partition_by=day.contact_id, order_by=number, range_=reach)
    so_far = sa.select(day.contact_id, day.ordered_on, orders.label("orders")).where(
        day.ordered_on <= on(night.business_on)
    )
    counted = so_far.subquery("counted")
    return (
        sa.select(counted.c.contact_id, sa.func.min(counted.c.ordered_on).label("loyal_on"))
        .where(counted.c.orders >= loyal.minimum)
        .group_by(counted.c.contact_id)
    )


def _step(taken: sa.CTE, left: str, right: str, night: Night) -> sa.Select[Any]:
    entered, passed = sa.func.count(taken.c[left]), sa.func.count(taken.c[right])
    days = sa.func.date_diff("day", taken.c[left], taken.c[right], type_=sa.Integer)
    return sa.select(
        on(night.business_on).label("business_on"),
        taken.c.cohort_on,
        sa.literal(left).label("from_stage"),
        sa.literal(right).label("to_stage"),
        entered.label("entered_count"),
        passed.label("passed_count"),
        (sa.cast(passed, RATIO) / sa.func.nullif(sa.cast(entered, RATIO), 0.0)).label("pass_ratio"),
        sa.cast(sa.func.median(days), RATIO).label("median_days"),
        sa.literal(hash_of(night, "lifecycle")).label("definition_hash"),
    ).group_by(taken.c.cohort_on)
