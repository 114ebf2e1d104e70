"""Scoring rules whose points are not tonight's, because a source they read has a hole: since when, and whether that is too long (R59).

What belongs here: one row per held rule. What does not: finding holes (coverage, in consolidate), telling anybody (`tasks/stale_score.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import SCORING, hash_of
from vesper.held import held_sources
from vesper.marts import mart
from vesper.marts.score import PREVIOUS_SCORE
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import DATE, FLAG, INTEGER, TEXT, column, empty, previous, table

SCORE_HOLD = table(
    "mart__score_hold",
    column("business_on", DATE, "Night of the score", required=True),
    column("rule_id", TEXT, "Scoring rule that stands on facts of an earlier night", required=True),
    column("sources", TEXT, "Sources with a hole that it reads, in the order of their ids", required=True),
    column("fresh_on", DATE, "Last night on which the rule was judged; empty where no night before was scored"),
    column("held_since_on", DATE, "First night of the hole", required=True),
    column(
        "age_days", INTEGER, "Days since fresh_on, or else since held_since_on", required=True, between=(0, 100_000)
    ),
    column("contact_count", INTEGER, "Contacts due for scoring tonight", required=True, between=(0, 1_000_000_000)),
    column("is_stale", FLAG, "age_days is above stale_after of policy/scoring", required=True),
    column("definition_hash", TEXT, "Hash of the scoring rules and policy/scoring", required=True),
    grain=("business_on", "rule_id"),
    owner="marketing",
    says="Scoring rules that keep yesterday's points, with the age of the facts they stand on. No row while every source is whole (R59, R106).",
)
PREVIOUS_HOLD = previous(SCORE_HOLD)


@mart(SCORE_HOLD, stage="score")
def score_hold(night: Night) -> sa.Select[Any]:
    """One row per held rule."""
    rules = night.definitions.of(ScoringRule).values()
    held = {rule.id: sources for rule in rules if (sources := held_sources(rule.when, night))}
    if not held:
        return empty(SCORE_HOLD)
    return sa.select(sa.union_all(*[_row(night, id, sources) for id, sources in held.items()]).subquery("held"))


def _row(night: Night, rule_id: str, sources: list[str]) -> sa.Select[Any]:
    before = PREVIOUS_HOLD.c
    tonight = on(night.business_on)
    last = sa.select(sa.func.max(PREVIOUS_SCORE.c.business_on).label("scored_on")).subquery("last")
    hold = (
        sa.select(
            sa.func.max(before.fresh_on).label("fresh_on"),
            sa.func.max(before.held_since_on).label("held_since_on"),
            sa.func.count().label("rows"),
        )
        .where(before.rule_id == rule_id)
        .subquery("hold")
    )
    fresh_on = sa.case((hold.c.rows > 0, hold.c.fresh_on), else_=last.c.scored_on)
    since_on = sa.func.coalesce(hold.c.held_since_on, tonight)
    age = sa.func.date_diff("day", sa.func.coalesce(fresh_on, since_on), tonight, type_=sa.Integer)
    limit = night.definitions.one(ScoringPolicy, "scoring").stale_after.days
    return sa.select(
        tonight.label("business_on"),
        sa.literal(rule_id).label("rule_id"),
        sa.literal(", ".join(sources)).label("sources"),
        fresh_on.label("fresh_on"),
        since_on.label("held_since_on"),
        age.label("age_days"),
        sa.select(sa.func.count()).select_from(CONTACT).scalar_subquery().label("contact_count"),
        (age > limit).label("is_stale"),
        sa.literal(hash_of(night, *SCORING)).label("definition_hash"),
    ).select_from(last.join(hold, sa.true()))
