"""The few figures that each stage's page opens with, as Selects over its own tables. What they mean stands in the marts."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.score import SCORE
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.visibility import VISIBILITY
from vesper.model.policy import ScoringPolicy
from vesper.night import Night

BAND_WIDTH = 10


def visibility(night: Night) -> sa.Select[Any]:
    """Visibility per market tonight (R18, R19)."""
    columns = ("market_id", "complete_count", "known_count", "market_size", "visibility_ratio", "band")
    mine = VISIBILITY.c.business_on == on(night.business_on)
    return sa.select(*[VISIBILITY.c[name] for name in columns]).where(mine).order_by(VISIBILITY.c.market_id)


def score_bands() -> sa.Select[Any]:
    """People by score band of ten points."""
    low = sa.cast(sa.func.floor(SCORE.c.score / BAND_WIDTH) * BAND_WIDTH, sa.Integer)
    return sa.select(low.label("score_from"), sa.func.count().label("people")).group_by(low).order_by(low.desc())


def scored(night: Night) -> sa.Select[Any]:
    """Scores, MQLs, and MQLs that were none the night before (R53)."""
    mql_at = night.definitions.one(ScoringPolicy, "scoring").mql_at
    is_new = sa.and_(SCORE.c.is_mql, sa.func.coalesce(SCORE.c.previous_score, 0) < mql_at)
    return sa.select(
        sa.func.count().label("scores"),
        sa.func.count().filter(SCORE.c.is_mql).label("mqls"),
        sa.func.count().filter(is_new).label("new_mqls"),
    )


def stages() -> sa.Select[Any]:
    """People by lifecycle stage."""
    people = sa.func.count().label("people")
    return sa.select(LIFECYCLE.c.stage, people).group_by(LIFECYCLE.c.stage).order_by(people.desc(), LIFECYCLE.c.stage)


def segments(night: Night) -> sa.Select[Any]:
    """Members, entered and left of every segment that has members or movement tonight (R35)."""
    members = (
        sa.select(SEGMENT_MEMBER.c.segment_id, sa.func.count().label("members"))
        .group_by(SEGMENT_MEMBER.c.segment_id)
        .cte("members")
    )
    moves = (
        sa.select(
            SEGMENT_CHANGE.c.segment_id,
            sa.func.count().filter(SEGMENT_CHANGE.c.change == "entered").label("entered"),
            sa.func.count().filter(SEGMENT_CHANGE.c.change == "left").label("left"),
        )
        .where(SEGMENT_CHANGE.c.business_on == on(night.business_on))
        .group_by(SEGMENT_CHANGE.c.segment_id)
        .cte("moves")
    )
    segment_id = sa.func.coalesce(members.c.segment_id, moves.c.segment_id)
    return (
        sa.select(
            segment_id.label("segment_id"),
            sa.func.coalesce(members.c.members, 0).label("members"),
            sa.func.coalesce(moves.c.entered, 0).label("entered"),
            sa.func.coalesce(moves.c.left, 0).label("left"),
        )
        .select_from(members.join(moves, moves.c.segment_id == members.c.segment_id, full=True))
        .order_by(segment_id)
    )


def segment_sizes(table: sa.FromClause) -> sa.Select[Any]:
    """Members by segment of tonight's or last night's membership table."""
    return sa.select(table.c.segment_id, sa.func.count().label("members")).group_by(table.c.segment_id)


def campaign_kinds(night: Night) -> sa.Select[Any]:
    """Mailed and responded (campaign, contact) pairs by kind of campaign."""
    effect = CAMPAIGN_EFFECT.c
    return (
        sa.select(
            effect.kind,
            sa.func.sum(effect.mailed_count).label("mailed_count"),
            sa.func.sum(effect.responded_count).label("responded_count"),
        )
        .where(effect.business_on == on(night.business_on))
        .group_by(effect.kind)
        .order_by(effect.kind)
    )
