"""What a rule set would have said some days ago, held against what came of people since: counts, and the figures made of them (R60, R61).

What belongs here: the Selects of the counts, and discrimination, lift and calibration as functions of the counts. What does not: computing the
scores of that day (`tasks/trial.py`), words (`tasks/backtest.py`).

The figures are made of whole numbers of people by score, so they are exact and do not depend on an order among equals.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.tables.contact import CONTACT

TOP = (0.1, 0.2, 0.3)


@dataclass(frozen=True)
class ScoreCount:
    """People with one score, and how many of them converted later."""

    score: int
    people: int
    converted: int


def judged(scored_on: dt.date, gone: sa.Table) -> sa.Select[Any]:
    """contact_id of those who are judged: known on that day, and not won before. `gone` is a table of contact_id to leave out."""
    known = CONTACT.c.first_seen_on <= on(scored_on)
    return sa.select(CONTACT.c.contact_id).where(known, CONTACT.c.contact_id.not_in(sa.select(gone.c.contact_id)))


def by_score(scored_on: dt.date, came: sa.Table, gone: sa.Table) -> sa.Select[Any]:
    """score, is_mql, people, converted. `came` is a table of the contact_id of those who converted later."""
    row = SCORE.c
    won = sa.func.count().filter(row.contact_id.in_(sa.select(came.c.contact_id)))
    return (
        sa.select(row.score, row.is_mql, sa.func.count().label("people"), won.label("converted"))
        .where(row.contact_id.in_(judged(scored_on, gone)))
        .group_by(row.score, row.is_mql)
        .order_by(row.score, row.is_mql)
    )


def by_rule(scored_on: dt.date, came: sa.Table, gone: sa.Table) -> sa.Select[Any]:
    """rule_id, points, people, converted: whom each rule gave points to, and how many of them converted. Base and clamp are no rules."""
    row = SCORE_REASON.c
    won = sa.func.count().filter(row.contact_id.in_(sa.select(came.c.contact_id)))
    return (
        sa.select(row.rule_id, row.points, sa.func.count().label("people"), won.label("converted"))
        .where(row.contact_id.in_(judged(scored_on, gone)), row.kind.in_(("fit", "engagement")))
        .group_by(row.rule_id, row.points)
        .order_by(row.rule_id, row.points)
    )


def conversion(counts: Sequence[ScoreCount]) -> float | None:
    """Share of the people who converted; None of nobody."""
    people = sum(count.people for count in counts)
    return sum(count.converted for count in counts) / people if people else None


def auc(counts: Sequence[ScoreCount]) -> float | None:
    """The chance that somebody who converted had a higher score than somebody who did not; equal scores count half. None while one of the two is missing.

    The area under the ROC curve (Hanley and McNeil 1982).
    """
    won = sum(count.converted for count in counts)
    lost = sum(count.people - count.converted for count in counts)
    if not won or not lost:
        return None
    below = twice = 0
    for count in sorted(counts, key=lambda count: count.score):
        others = count.people - count.converted
        twice += count.converted * (2 * below + others)
        below += others
    return twice / (2 * won * lost)


def lift(counts: Sequence[ScoreCount], top: float) -> float | None:
    """Conversion among the highest-scored share of people over conversion of all; a score that the line cuts through counts in proportion."""
    people = sum(count.people for count in counts)
    everyone = conversion(counts)
    if not people or not everyone:
        return None
    wanted = left = people * top
    found = 0.0
    for count in sorted(counts, key=lambda count: -count.score):
        taken = min(left, count.people)
        found += count.converted * taken / count.people
        left -= taken
    return found / wanted / everyone


def bands(counts: Sequence[ScoreCount], width: int) -> list[ScoreCount]:
    """The counts by band of scores, each under its lowest score."""
    found: dict[int, list[ScoreCount]] = {}
    for count in counts:
        found.setdefault(count.score // width * width, []).append(count)
    return [
        ScoreCount(low, sum(c.people for c in inside), sum(c.converted for c in inside))
        for low, inside in sorted(found.items())
    ]


def is_rising(counts: Sequence[ScoreCount]) -> bool:
    """Whether no band converts worse than the one below it: what a score promises (R60)."""
    shares = [count.converted / count.people for count in counts if count.people]
    return all(low <= high for low, high in pairwise(shares))
