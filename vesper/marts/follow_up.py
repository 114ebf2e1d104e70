"""How soon sales answer: hand-overs that fell due, and how many were answered in time, by the business calendar (R68)."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.marts.handover import HANDOVER
from vesper.model.sales import EVERYBODY, UNASSIGNED, SalesPolicy
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, empty, table

FOLLOW_UP = table(
    "mart__follow_up",
    column("business_on", DATE, "Night", required=True),
    column("owner", TEXT, "Representative; unassigned for those of nobody, all for the whole team", required=True),
    column(
        "due_count", INTEGER, "Hand-overs whose answer fell due in the window", required=True, between=(0, 10_000_000)
    ),
    column("timely_count", INTEGER, "Of them answered in time", required=True, between=(0, 10_000_000)),
    column("late_count", INTEGER, "Of them answered too late, or not yet", required=True, between=(0, 10_000_000)),
    column(
        "open_count",
        INTEGER,
        "Hand-overs without an answer tonight, due or not",
        required=True,
        between=(0, 10_000_000),
    ),
    column("timely_ratio", RATIO, "Timely over due; empty where nothing fell due", between=(0, 1)),
    column("target_ratio", RATIO, "What it should be", required=True, between=(0, 1)),
    column("definition_hash", TEXT, "Hash of policy/sales", required=True),
    grain=("business_on", "owner"),
    owner="sales",
    says="Timely follow-up of hand-overs in the window of policy/sales; withdrawn ones do not count (R68).",
    cut="business_on",
)


@mart(FOLLOW_UP, stage="handover")
def follow_up(night: Night) -> sa.Select[Any]:
    """One row for each representative with hand-overs, one for the team."""
    policy = night.definitions.of(SalesPolicy).get("sales")
    if policy is None:
        return empty(FOLLOW_UP)
    owner = sa.func.coalesce(HANDOVER.c.owner, UNASSIGNED)
    each = _counted(owner, night, policy).group_by(owner)
    return sa.select(sa.union_all(each, _counted(sa.literal(EVERYBODY), night, policy)).subquery("both"))


def _counted(owner: sa.ColumnElement[str], night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    since = night.cutoff_at - dt.timedelta(days=policy.follow_up.window.days)
    fell_due = HANDOVER.c.due_at.between(at(since), at(night.cutoff_at))
    timely = sa.func.count().filter(fell_due, HANDOVER.c.is_timely)
    due = sa.func.count().filter(fell_due)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "business_on": on(night.business_on),
        "owner": owner,
        "due_count": due,
        "timely_count": timely,
        "late_count": sa.func.count().filter(fell_due, sa.not_(sa.func.coalesce(HANDOVER.c.is_timely, sa.false()))),
        "open_count": sa.func.count().filter(HANDOVER.c.state == "open"),
        "timely_ratio": sa.cast(timely, sa.Double) / sa.func.nullif(due, 0),
        "target_ratio": sa.cast(sa.literal(policy.follow_up.target_ratio), sa.Double),
        "definition_hash": sa.literal(hash_of(night, "policy/sales")),
    }
    mine = HANDOVER.c.state != "withdrawn"
    return sa.select(*[value.label(name) for name, value in columns.items()]).select_from(HANDOVER).where(mine)
