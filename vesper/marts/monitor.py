"""The monitoring table: what should be, what is, and what is done about the difference (R94).

What belongs here: one row per target of `policy/monitor.yml`. What does not: how a figure is measured (`vesper/watch.py`), telling anybody
(notices).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.model.policy import MonitorPolicy, MonitorTarget
from vesper.night import Night
from vesper.tables.declare import DATE, RATIO, TEXT, column, empty, table
from vesper.watch import PERIOD_DAYS, figure, since

FLOWS = ("consolidate", "measure", "score", "handover", "segment", "send", "watch")

MONITOR = table(
    "mart__monitor",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("flow", TEXT, "Stage that the figure belongs to", required=True, among=FLOWS),
    column("metric", TEXT, "Figure, e.g. visibility_ratio", required=True),
    column(
        "period",
        TEXT,
        "Stretch of time that the figure covers, ending on the night",
        required=True,
        among=tuple(PERIOD_DAYS),
    ),
    column("target", RATIO, "What it should be", required=True),
    column("actual", RATIO, "What it is; empty while nobody measures it"),
    column("gap", RATIO, "actual - target (R94); empty while nobody measures it"),
    column(
        "is_met",
        sa.Boolean(),
        "Whether the figure is at its target or on its good side; empty while nobody measures it",
    ),
    column("analysis", TEXT, "What a gap usually comes from, in the company's language; empty while the target is met"),
    column("action", TEXT, "What is done about it; empty while the target is met"),
    column("owner", TEXT, "Who answers for it", required=True),
    column("definition_hash", TEXT, "Hash of the policy", required=True),
    grain=("business_on", "flow", "metric", "period"),
    cut="business_on",
    owner="marketing",
    says="Targets, actual figures, gaps, and what is done about them, by night.",
)


@mart(MONITOR, stage="watch")
def monitor(night: Night) -> sa.Select[Any]:
    """Tonight's row of each monitored target."""
    policies = night.definitions.of(MonitorPolicy)
    rows = [
        _row(target, hash_of(night, f"policy/{id}"), night)
        for id, policy in policies.items()
        for target in policy.targets
    ]
    return sa.select(sa.union_all(*rows).subquery("targets")) if rows else empty(MONITOR)


def _row(target: MonitorTarget, digest: str, night: Night) -> sa.Select[Any]:
    measured = figure(target.metric)(night, since(target.period, night)).subquery("measured")
    actual = sa.cast(measured.c.part, RATIO) / sa.func.nullif(sa.cast(measured.c.whole, RATIO), 0.0)
    goal = sa.cast(target.target, RATIO)
    met = actual >= goal if target.better == "higher" else actual <= goal
    language = night.workspace.company.language
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(target.flow).label("flow"),
        sa.literal(target.metric).label("metric"),
        sa.literal(target.period).label("period"),
        goal.label("target"),
        actual.label("actual"),
        (actual - goal).label("gap"),
        met.label("is_met"),
        sa.case((sa.not_(met), target.analysis.of(language))).label("analysis"),
        sa.case((sa.not_(met), target.action.of(language))).label("action"),
        sa.literal(target.owner).label("owner"),
        sa.literal(digest).label("definition_hash"),
    ).select_from(measured)
