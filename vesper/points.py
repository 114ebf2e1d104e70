"""What one scoring rule is worth to whom: points once, by count, for each thing counted, fading with time.

What belongs here: the Selects of one rule's rows, and whom time alone may move. What does not: the sum of all rules (`score.py`).
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day, on
from vesper.conditions import Condition
from vesper.conditions.people import Asked, people
from vesper.model.condition import CountedInWindow
from vesper.model.scoring import Decay, ScoringRule
from vesper.night import Night

Column = sa.ColumnElement[Any]
A_MONDAY = dt.date(1970, 1, 5)
"""Where stretches of days begin, so that a fact is in the same stretch on every night, and 7d are calendar weeks."""


def rule_rows(rule: ScoringRule, night: Night) -> list[sa.Select[Any]]:
    """The contacts of each case of a rule; cases exclude each other, so a contact has one row, and none where the points came to 0."""
    if rule.bands and isinstance(rule.when.body, CountedInWindow):
        return _banded(rule, night)
    found = [(_counted(rule, condition, night), points) for condition, points in rule.cases]
    return [_row(rule, night, who, _worth(rule, who, points)) for who, points in found]


def labels(rule_id: str, kind: str, points: Column, count: Column) -> list[sa.Label[Any]]:
    """The columns of a reason, by their names."""
    return [
        sa.literal(rule_id).label("rule_id"),
        sa.literal(kind).label("kind"),
        points.label("points"),
        count.label("evidence_count"),
    ]


def moved(rule: ScoringRule, night: Night, since: dt.date) -> Iterator[sa.Select[Any]]:
    """Selects of the contacts (contact_id) whose points of the rule may differ from those of the night `since` though none of their facts changed."""
    asked = Asked(night)
    for condition, _points in rule.cases:
        for _path, body in condition.walk():
            yield from body.moved(asked, since)
        if rule.decay:
            who = people(condition, night).subquery()
            before = _steps(rule.decay, who.c.last_at, since, night)
            yield sa.select(who.c.contact_id).where(
                _steps(rule.decay, who.c.last_at, night.business_on, night) != before
            )


def _counted(rule: ScoringRule, condition: Condition, night: Night) -> sa.Subquery:
    """The people of a case; what `each` counts stands as their evidence."""
    who = people(condition, night).subquery()
    if rule.each is None or rule.each.days is None:
        return who
    day = condition.body.days(Asked(night)).subquery("days")
    stretch = sa.func.floor(sa.func.date_diff("day", on(A_MONDAY), day.c.on, type_=sa.Integer) / rule.each.days)
    number = sa.cast(sa.func.count(stretch.distinct()), sa.Integer).label("evidence_count")
    instants = sa.func.min(day.c.first_at).label("first_at"), sa.func.max(day.c.last_at).label("last_at")
    counted = sa.select(day.c.contact_id, number, *instants).group_by(day.c.contact_id)
    return counted.where(day.c.contact_id.in_(sa.select(who.c.contact_id))).subquery()


def _banded(rule: ScoringRule, night: Night) -> list[sa.Select[Any]]:
    """All bands out of one count, where the evidence is the count."""
    worth = [band for band in rule.bands if band.points]
    if not worth:
        return []
    who = people(rule.counting(worth[0].at_least, worth[-1].at_most), night).subquery()
    count = who.c.evidence_count
    within = [
        (
            count.between(band.at_least, band.at_most) if band.at_most is not None else count >= band.at_least,
            band.points,
        )
        for band in worth
    ]
    return [_row(rule, night, who, sa.case(*within, else_=0), may_be_nothing=True)]


def _worth(rule: ScoringRule, who: sa.Subquery, points: int) -> Column:
    """The points of a case before they fade."""
    if rule.each is None:
        return sa.literal(points)
    return (1 if points > 0 else -1) * sa.func.least(who.c.evidence_count * abs(points), rule.at_most_points)


def _row(
    rule: ScoringRule, night: Night, who: sa.Subquery, worth: Column, *, may_be_nothing: bool = False
) -> sa.Select[Any]:
    if rule.decay:
        lost = rule.decay.lose * _steps(rule.decay, who.c.last_at, night.business_on, night)
        left = sa.func.greatest(sa.func.abs(worth) - lost, 0)
        worth = sa.case((worth > 0, left), else_=-left)
    row = sa.select(
        who.c.contact_id, *labels(rule.id, rule.kind, worth, who.c.evidence_count), who.c.first_at, who.c.last_at
    )
    return row.where(worth != 0) if may_be_nothing or rule.decay or rule.each else row


def _steps(decay: Decay, last_at: Column, until: dt.date, night: Night) -> Column:
    """Whole steps from the company day of the last fact to a date; none without a fact, or before it."""
    age = sa.func.date_diff("day", local_day(last_at, night.zone), on(until), type_=sa.Integer)
    steps = sa.cast(sa.func.floor(sa.func.greatest(age, 0) / decay.every.days), sa.Integer)
    return sa.func.coalesce(steps, 0)
