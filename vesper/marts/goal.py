"""Goals of the business and of marketing: where each stood, stands and should stand (R24, R25).

What belongs here: one row per goal of `definitions/goals` and night. What does not: how a figure is measured (`vesper/goal.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.goal import measured
from vesper.marts import mart
from vesper.model.goal import Goal
from vesper.night import Night
from vesper.tables.declare import DATE, FLAG, RATIO, TEXT, column, empty, table

GOAL = table(
    "mart__goal",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("goal_id", TEXT, "Goal", required=True),
    column("level", TEXT, "Whose goal it is", required=True, among=("business", "marketing")),
    column("serves", TEXT, "The business goal that a marketing goal is a part of (R25)"),
    column("baseline", RATIO, "Where the figure stood", required=True),
    column("baseline_on", DATE, "Last day of the baseline's period", required=True),
    column("target", RATIO, "Where it should stand", required=True),
    column("current", RATIO, "Where it stands tonight; empty while nobody measures it"),
    column(
        "progress_ratio", RATIO, "Way gone from baseline to target: 0 at the start, 1 at the goal, below 0 backwards"
    ),
    column("is_met", FLAG, "Whether the target is reached; empty while nobody measures it"),
    column("due_on", DATE, "Day it must be reached", required=True),
    column("is_overdue", FLAG, "The day has passed and the target is not known to be reached", required=True),
    column("owner", TEXT, "Who answers for it", required=True),
    column("definition_hash", TEXT, "Hash of the goal's definition", required=True),
    grain=("business_on", "goal_id"),
    cut="business_on",
    owner="marketing",
    says="Goals with baseline, target and current value, by night.",
)


@mart(GOAL, stage="watch")
def goals(night: Night) -> sa.Select[Any]:
    """Tonight's row of each goal."""
    rows = [_row(goal, night) for goal in night.definitions.of(Goal).values()]
    return sa.select(sa.union_all(*rows).subquery("goals")) if rows else empty(GOAL)


def _row(goal: Goal, night: Night) -> sa.Select[Any]:
    found = measured(goal, night).subquery("measured")
    current = sa.cast(found.c.part, RATIO) / sa.func.nullif(sa.cast(found.c.whole, RATIO), 0.0)
    start, end = goal.baseline.value, goal.reached_at
    met = current >= sa.cast(end, RATIO) if end > start else current <= sa.cast(end, RATIO)
    late = night.business_on > goal.due_on
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(goal.id).label("goal_id"),
        sa.literal(goal.level).label("level"),
        sa.cast(sa.literal(goal.serves), sa.String).label("serves"),
        sa.cast(start, RATIO).label("baseline"),
        on(goal.baseline.on).label("baseline_on"),
        sa.cast(end, RATIO).label("target"),
        current.label("current"),
        ((current - sa.cast(start, RATIO)) / sa.cast(end - start, RATIO)).label("progress_ratio"),
        met.label("is_met"),
        on(goal.due_on).label("due_on"),
        sa.and_(~sa.func.coalesce(met, sa.false()), sa.literal(late)).label("is_overdue"),
        sa.literal(goal.owner).label("owner"),
        sa.literal(hash_of(night, f"goals/{goal.id}")).label("definition_hash"),
    ).select_from(found)
