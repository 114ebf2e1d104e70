"""Scores out of reasons: the base, one row per rule that holds, and rows where a sum leaves its limits (R50..R54).

What belongs here: the Selects of reasons and score. What does not: what one rule is worth (`points.py`), the tables (marts/score_reason.py,
marts/score.py), and any one rule (definitions/scoring/).

A score is a function of facts as of the cut-off, never `score + points`: a rerun gives the same rows (R62).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.people import NO_INSTANT
from vesper.definition_hash import SCORING, hash_of
from vesper.held import is_held
from vesper.membership import ContactRow
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import BASE, CLAMP, RULE_KINDS, ScoringRule, cap_id
from vesper.mql import is_mql, strict_condition
from vesper.night import Night
from vesper.points import labels, rule_rows
from vesper.shared import by_stretches, of_golden
from vesper.tables.contact import CONTACT

KINDS = (BASE, *RULE_KINDS, CLAMP)


def scale_of(night: Night) -> ScoringPolicy:
    """policy/scoring: base, bounds, and the MQL line."""
    return night.definitions.one(ScoringPolicy, "scoring")


def scoring_hash(night: Night) -> str:
    """Hash of the rules and the scale that made tonight's scores."""
    return hash_of(night, *SCORING)


def reasons(night: Night, previous_reason: sa.Table) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Every reason of every contact; the points of a contact's rows sum to the score exactly."""
    given = sa.union_all(_base(night), *_signals(night, previous_reason))
    summed = _summed(night)
    if summed is not None:
        every: sa.CompoundSelect[Any] = sa.union_all(*given.selects, _clamp(night, summed))
    else:
        every = _corrected(night, given.cte("given"))
    rows = sa.select(
        on(night.business_on).label("business_on"),
        every.subquery("reasons"),
        sa.literal(scoring_hash(night)).label("definition_hash"),
    )
    return by_stretches(night, rows)


def _corrected(night: Night, given: sa.CTE) -> sa.CompoundSelect[Any]:
    """The reasons, and what brings their sums within limits."""
    if not scale_of(night).most_points:
        return sa.union_all(sa.select(given), _clamp(night, given))
    capped = sa.union_all(sa.select(given), *_caps(night, given)).cte("capped")
    return sa.union_all(sa.select(capped), _clamp(night, capped))


def _summed(night: Night) -> sa.FromClause | None:
    """(contact_id, points): the sum of the reasons in one look at each contact; None where a rule's points take more than a look."""
    rules = night.definitions.of(ScoringRule).values()
    is_plain = not any(rule.each or rule.decay or is_held(rule.when, night) for rule in rules)
    if night.shared is None or not is_plain or scale_of(night).most_points:
        return None
    row = ContactRow(night)
    worth = [sa.case((row.holds(condition), points), else_=0) for rule in rules for condition, points in rule.cases]
    points: sa.ColumnElement[Any] = sum(worth, start=sa.literal(scale_of(night).base))
    return sa.select(CONTACT.c.contact_id, points.label("points")).select_from(row.source()).subquery("summed")


def scores(night: Night, reason: sa.Table, previous_score: sa.Table) -> sa.Select[Any]:
    """One row per contact: the sum of its reasons, and yesterday's score beside it."""
    points = reason.c.points
    total = (
        sa.select(
            reason.c.contact_id,
            sa.func.sum(points).label("score"),
            sa.func.coalesce(sa.func.sum(points).filter(reason.c.kind == "fit"), 0).label("fit_score"),
            sa.func.coalesce(sa.func.sum(points).filter(reason.c.kind == "engagement"), 0).label("engagement_score"),
        )
        .group_by(reason.c.contact_id)
        .subquery("total")
    )
    scale, before = scale_of(night), previous_score.c
    is_same = sa.func.coalesce(before.score == total.c.score, sa.false())
    return sa.select(
        total,
        is_mql(scale, night, total, previous_score, is_held=is_held(strict_condition(scale), night)).label("is_mql"),
        sa.literal(scale.mql_preset).label("mql_preset"),
        sa.case((is_same, before.score_changed_on), else_=on(night.business_on)).label("score_changed_on"),
        sa.case((is_same, before.earlier_score), else_=before.score).label("earlier_score"),
        sa.literal(scoring_hash(night)).label("definition_hash"),
    ).join_from(total, previous_score, previous_score.c.contact_id == total.c.contact_id, isouter=True)


def _base(night: Night) -> sa.Select[Any]:
    return sa.select(
        CONTACT.c.contact_id,
        *labels(BASE, BASE, sa.literal(scale_of(night).base), sa.literal(0)),
        NO_INSTANT.label("first_at"),
        NO_INSTANT.label("last_at"),
    )


def _signals(night: Night, previous_reason: sa.Table) -> list[sa.Select[Any]]:
    """The rows of all rules; a held rule's rows are yesterday's, and only of contacts that still exist."""
    rows: list[sa.Select[Any]] = []
    for rule in night.definitions.of(ScoringRule).values():
        rows += [_yesterday(rule, previous_reason)] if is_held(rule.when, night) else rule_rows(rule, night)
    return [of_golden(row, night) for row in rows]


def _yesterday(rule: ScoringRule, previous_reason: sa.Table) -> sa.Select[Any]:
    before = previous_reason.c
    return sa.select(
        before.contact_id,
        before.rule_id,
        before.kind,
        before.points,
        before.evidence_count,
        before.first_at,
        before.last_at,
    ).where(before.rule_id == rule.id)


def _caps(night: Night, given: sa.CTE) -> list[sa.Select[Any]]:
    """What brings the sum of a kind's rules down to its limit."""
    return [
        _correction(
            given, cap_id(kind), kind, lambda points, most=most: sa.func.least(points, most), given.c.kind == kind
        )
        for kind, most in sorted(scale_of(night).most_points.items())
    ]


def _clamp(night: Night, given: sa.FromClause) -> sa.Select[Any]:
    """What brings a sum back onto the scale."""
    scale = scale_of(night)
    return _correction(
        given, CLAMP, CLAMP, lambda points: sa.func.least(sa.func.greatest(points, scale.floor), scale.ceiling)
    )


def _correction(
    given: sa.FromClause, reason_id: str, kind: str, within: Any, *of: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """The rows that bring a contact's sum of some reasons `within` limits; none for a sum that lies there."""
    total = (
        sa.select(given.c.contact_id, sa.func.sum(given.c.points).label("points"))
        .where(*of)
        .group_by(given.c.contact_id)
        .subquery(f"sums_{reason_id}")
    )
    difference = within(total.c.points) - total.c.points
    return sa.select(
        total.c.contact_id,
        *labels(reason_id, kind, difference, sa.literal(0)),
        NO_INSTANT.label("first_at"),
        NO_INSTANT.label("last_at"),
    ).where(difference != 0)
