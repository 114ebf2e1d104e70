"""What the figures of an experiment come to: running, too early, a wrong split, a winner, or no difference.

What belongs here: the verdict over counts by arm, and why, in words. What does not: the counts (`vesper/marts/experiment_arm.py`), the formulas
(`statistics.py`), what follows from a winner (`tasks/experiment.py`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from vesper.experiment.statistics import SPLIT_ALARM, Count, Difference, always_valid, fixed, split_p
from vesper.language import Translate
from vesper.model.experiment import Experiment

STATES = ("running", "srm", "winner", "no_difference", "too_early")
LEAST_PEOPLE = 100
LEAST_CONVERSIONS = 20
"""With fewer closed people in an arm, or fewer of them in all who did what is counted, no normal distribution describes the difference."""


@dataclass(frozen=True)
class ArmFigures:
    """One arm tonight."""

    arm_id: str
    assigned: int
    closed: int
    converted: int

    @property
    def count(self) -> Count:
        """The closed people and what they did."""
        return Count(self.closed, self.converted)


@dataclass(frozen=True)
class Verdict:
    """What may be said tonight. `arm_id` is the arm of the difference, held against the first; `winner_id` the arm that won, in state winner."""

    state: str
    split_p: float
    arm_id: str
    difference: Difference
    winner_id: str | None = None


def judge(experiment: Experiment, figures: Sequence[ArmFigures], is_over: bool) -> Verdict:
    """The verdict on the arms in the order of the definition.

    Args:
        is_over: the horizon of a fixed test is reached; of an always-valid one, the last person is closed.
    """
    split = split_p([arm.assigned for arm in figures], [arm.share for arm in experiment.arms])
    by_arm = [(arm.arm_id, _difference(experiment, figures[0], arm)) for arm in figures[1:]]
    arm_id, shown = max(by_arm, key=lambda one: (one[1].effect, one[0]))
    if split < SPLIT_ALARM:
        return Verdict("srm", split, arm_id, shown)
    if _is_early(experiment, figures, is_over):
        return Verdict("too_early", split, arm_id, shown)
    if shown.p <= experiment.alpha and shown.effect > 0:
        return Verdict("winner", split, arm_id, shown, arm_id)
    if all(one.p <= experiment.alpha and one.effect < 0 for _, one in by_arm):
        return Verdict("winner", split, arm_id, shown, figures[0].arm_id)
    worth = experiment.smallest_effect
    is_none = all(-worth < one.low and one.high < worth for _, one in by_arm)
    return Verdict("no_difference" if is_over or is_none else "running", split, arm_id, shown)


def _difference(experiment: Experiment, first: ArmFigures, arm: ArmFigures) -> Difference:
    """One arm against the first; p is that of the whole family of comparisons (Bonferroni)."""
    alpha, comparisons = experiment.alpha_of_each, len(experiment.arms) - 1
    if experiment.method == "fixed":
        found = fixed(first.count, arm.count, alpha)
    else:
        found = always_valid(first.count, arm.count, experiment.smallest_effect, alpha)
    return Difference(found.effect, found.low, found.high, min(1.0, found.p * comparisons))


def _is_early(experiment: Experiment, figures: Sequence[ArmFigures], is_over: bool) -> bool:
    if experiment.method == "fixed" and not is_over:
        return True
    too_few = any(arm.closed < LEAST_PEOPLE for arm in figures)
    return too_few or sum(arm.converted for arm in figures) < LEAST_CONVERSIONS


def why(experiment: Experiment, verdict: Verdict, figures: Sequence[ArmFigures], read_on: dt.date, _: Translate) -> str:
    """The verdict in a sentence or two, in the language of the translator. `read_on` is the night that reads a fixed test."""
    assigned, closed = sum(arm.assigned for arm in figures), sum(arm.closed for arm in figures)
    first = experiment.arms[0].id
    difference = verdict.difference
    facts = {
        "arm": verdict.arm_id,
        "first": first,
        "effect": points(difference.effect),
        "low": points(difference.low),
        "high": points(difference.high),
        "p": f"{difference.p:.3g}",
        "alpha": f"{experiment.alpha:g}",
        "split": f"{verdict.split_p:.2g}",
        "assigned": assigned,
        "closed": closed,
        "needed": experiment.needed_people,
        "worth": points(experiment.smallest_effect),
        "read_on": read_on.isoformat(),
        "winner": verdict.winner_id,
        "least": LEAST_PEOPLE,
        "conversions": LEAST_CONVERSIONS,
    }
    return _sentence(experiment, verdict, _).format(**facts)


def _sentence(experiment: Experiment, verdict: Verdict, _: Translate) -> str:
    if verdict.state == "srm":
        return _(
            "The {assigned} people are not split as declared (p = {split}): no figure counts until somebody has found out why, and there is no winner."
        )
    if verdict.state == "too_early" and experiment.method == "fixed":
        return _("The test is read once, on {read_on}; {closed} of {needed} people are settled.")
    if verdict.state == "too_early":
        return _("Too early: each arm needs {least} settled people, and {conversions} of all must have done it.")
    measured = _("{arm} against {first}: {effect} percentage points ({low} to {high}), p = {p}.")
    told = {
        "winner": _("{winner} wins at alpha {alpha}."),
        "no_difference": _("No difference was found; {worth} points would have been worth finding."),
        "running": _("Nothing is decided yet; {closed} of {needed} people are settled."),
    }
    return f"{measured} {told[verdict.state]}"


def points(share: float) -> str:
    """A difference of two rates in percentage points, with its sign."""
    return f"{share * 100:+.2f}"
