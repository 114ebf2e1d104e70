"""Scores out of reasons: the base, one row per rule that holds, and a row where the sum leaves the scale (R50..R53).

What belongs here: the Selects of reasons and score. What does not: the tables (marts/score_reason.py, marts/score.py) and any one rule
(definitions/scoring/).

A score is a function of facts as of the cut-off, never `score + points`: a rerun gives the same rows (R62).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.people import NO_INSTANT, people
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.night import Night
from vesper.tables.contact import CONTACT

BASE, CLAMP = "base", "clamp"
KINDS = (BASE, "fit", "engagement", CLAMP)


def scale_of(night: Night) -> ScoringPolicy:
    """policy/scoring: base, bounds, and the MQL line."""
    return night.definitions.one(ScoringPolicy, "scoring")


def scoring_hash(night: Night) -> str:
    """Hash of the rules and the scale that made tonight's scores."""
    return hash_of(night, "scoring", "policy/scoring")


def reasons(night: Night, previous_reason: sa.Table) -> sa.Select[Any]:
    """Every reason of every contact; the points of a contact's rows sum to the score exactly."""
    given = sa.union_all(_base(night), *_signals(night, previous_reason)).cte("given")
    every = sa.union_all(sa.select(given), _clamp(night, given)).subquery("reasons")
    return sa.select(
        on(night.business_on).label("business_on"), every, sa.literal(scoring_hash(night)).label("definition_hash")
    )


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
    return sa.select(
        on(night.business_on).label("business_on"),
        total,
        (total.c.score >= scale_of(night).mql_at).label("is_mql"),
        previous_score.c.score.label("previous_score"),
        sa.literal(scoring_hash(night)).label("definition_hash"),
    ).join_from(total, previous_score, previous_score.c.contact_id == total.c.contact_id, isouter=True)


def _base(night: Night) -> sa.Select[Any]:
    return sa.select(
        CONTACT.c.contact_id,
        *_labels(BASE, BASE, sa.literal(scale_of(night).base), sa.literal(0)),
        NO_INSTANT.label("first_at"),
        NO_INSTANT.label("last_at"),
    )


def _signals(night: Night, previous_reason: sa.Table) -> list[sa.Select[Any]]:
    """The rows of all rules; a held rule's rows are yesterday's, and only of contacts that still exist."""
    rows: list[sa.Select[Any]] = []
    for rule in night.definitions.of(ScoringRule).values():
        rows += [_yesterday(rule, previous_reason)] if is_held(rule.when, night) else _rule(rule, night)
    golden = sa.select(CONTACT.c.contact_id)
    return [row.where(row.selected_columns.contact_id.in_(golden)) for row in rows]


def _rule(rule: ScoringRule, night: Night) -> list[sa.Select[Any]]:
    """The contacts of each case of a rule; cases exclude each other, so a contact has one row."""
    found = [(people(condition, night).subquery(), points) for condition, points in rule.cases]
    return [
        sa.select(
            who.c.contact_id,
            *_labels(rule.id, rule.kind, sa.literal(points), who.c.evidence_count),
            who.c.first_at,
            who.c.last_at,
        )
        for who, points in found
    ]


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


def _clamp(night: Night, given: sa.CTE) -> sa.Select[Any]:
    """What brings a sum back onto the scale."""
    scale = scale_of(night)
    total = (
        sa.select(given.c.contact_id, sa.func.sum(given.c.points).label("points"))
        .group_by(given.c.contact_id)
        .subquery("sums")
    )
    onto = sa.func.least(sa.func.greatest(total.c.points, scale.floor), scale.ceiling) - total.c.points
    return sa.select(
        total.c.contact_id,
        *_labels(CLAMP, CLAMP, onto, sa.literal(0)),
        NO_INSTANT.label("first_at"),
        NO_INSTANT.label("last_at"),
    ).where(~total.c.points.between(scale.floor, scale.ceiling))


def _labels(
    rule_id: str, kind: str, points: sa.ColumnElement[Any], count: sa.ColumnElement[Any]
) -> list[sa.Label[Any]]:
    return [
        sa.literal(rule_id).label("rule_id"),
        sa.literal(kind).label("kind"),
        points.label("points"),
        count.label("evidence_count"),
    ]
