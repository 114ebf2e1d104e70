"""What each experiment says: effect with interval, p, whether the split is the declared one, and its state with the reason in words (R92).

What belongs here: the declaration, and the Select of an experiment's figures. What does not: the verdict (`vesper/experiment/verdict.py`); the stage
fills this table from it, since a handful of counts is no work for SQL (`tasks/experiment.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.experiment.verdict import STATES
from vesper.marts.experiment_arm import EXPERIMENT_ARM
from vesper.night import Night
from vesper.send_person import planned_at
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.experiment import RAW_DECISION

COUNT = (0, 1_000_000_000)
DIFFERENCE = (-1.0, 1.0)
SHARE = (0.0, 1.0)
METHODS = ("always_valid", "fixed")

EXPERIMENT = table(
    "mart__experiment",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("experiment_id", TEXT, "Experiment", required=True),
    column("state", TEXT, "Whether anything may be said", required=True, among=STATES),
    column("method", TEXT, "Whether it may be read every night or once", required=True, among=METHODS),
    column("assigned_count", INTEGER, "People in its arms", required=True, between=COUNT),
    column("closed_count", INTEGER, "Of them: the outcome is settled", required=True, between=COUNT),
    column("needed_count", INTEGER, "People that the test needs for the smallest effect", required=True, between=COUNT),
    column("split_p", RATIO, "Chance of such a split if it is as declared; below 0.001 nothing counts", between=SHARE),
    column("arm_id", TEXT, "Arm of the effect: the best of those held against the first", required=True),
    column("effect", RATIO, "Its rate minus the first arm's, as a share", between=DIFFERENCE),
    column("effect_low", RATIO, "Lower end of the effect's interval, always valid or fixed by method"),
    column("effect_high", RATIO, "Upper end of the effect's interval"),
    column("p", RATIO, "Chance of such an effect, or a larger one, if there is none", between=SHARE),
    column("winner_id", TEXT, "Arm that was declared the winner, by the rule or by a person"),
    column("decided_by", TEXT, "Who declared it"),
    column("why", TEXT, "The state in words", required=True),
    column("definition_hash", TEXT, "Hash of the experiment in force", required=True),
    grain=("business_on", "experiment_id"),
    cut="business_on",
    owner="marketing",
    says="What each experiment says, by night.",
)


def figures(night: Night) -> sa.Select[Any]:
    """Tonight's arms in the order of their definitions: experiment_id, arm_id, assigned, closed, converted."""
    arm = EXPERIMENT_ARM.c
    rows = sa.select(
        arm.experiment_id,
        arm.arm_id,
        arm.assigned_count.label("assigned"),
        arm.closed_count.label("closed"),
        arm.converted_count.label("converted"),
    )
    return rows.where(arm.business_on == on(night.business_on)).order_by(arm.experiment_id, arm.place)


def decided(night: Night) -> sa.Select[Any]:
    """The decision in force tonight of each experiment that has one: experiment_id, arm_id, by, reason, business_on.

    What a person decides after the night's plan is of the next night, so that a replay of this one finds what it found.
    """
    raw = RAW_DECISION.c
    known = raw.at <= at(planned_at(night))
    newest = sa.select(sa.func.max(raw.decision_id)).where(known).group_by(raw.experiment_id)
    rows = sa.select(raw.experiment_id, raw.arm_id, raw.by, raw.reason, raw.business_on)
    return rows.where(raw.decision_id.in_(newest), raw.arm_id.is_not(None)).order_by(raw.experiment_id)
