"""The few figures that each stage's page opens with, as Selects over its own tables. What they mean stands in the marts."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT
from vesper.marts.goal import GOAL
from vesper.marts.lead import LEAD
from vesper.marts.leakage import LEAKAGE
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.persona import PERSONA
from vesper.marts.score import PREVIOUS_SCORE, SCORE
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.tag import TAG
from vesper.marts.tier import TIER
from vesper.marts.visibility import VISIBILITY
from vesper.model.definition import Definition
from vesper.model.goal import Goal
from vesper.model.market import Market
from vesper.model.persona import Persona
from vesper.model.segment import Segment
from vesper.model.tag import Tag
from vesper.model.tier import Tiering
from vesper.night import Night

BAND_WIDTH = 10


def titled(id: sa.ColumnElement[Any], kind: type[Definition], night: Night) -> sa.ColumnElement[Any]:
    """SQL: what people call a definition, in the company's language; its id where it is defined no more."""
    language = night.workspace.company.language
    titles = {each: definition.title(language) for each, definition in night.definitions.of(kind).items()}
    return sa.case(titles, value=id, else_=id) if titles else id


def visibility(night: Night) -> sa.Select[Any]:
    """Visibility per market tonight, with how large the market may be and how far the target is (R18, R19, R22)."""
    row = VISIBILITY.c
    unit = sa.case({"companies": "by_company"}, value=row.counts, else_="by_contact")
    names = ("complete_count", "known_count", "market_size", "size_low", "size_high", "visibility_ratio")
    target = ("band", "target_ratio", "target_due_on", "to_target_count", "progress_ratio", "is_overdue")
    columns = [
        row.market_id,
        titled(row.market_id, Market, night).label("market"),
        unit.label("counted"),
        *[row[n] for n in names + target],
    ]
    return sa.select(*columns).where(row.business_on == on(night.business_on)).order_by(row.market_id)


def goals(night: Night) -> sa.Select[Any]:
    """Tonight's goals, each business goal before the marketing goals that serve it (R24, R25)."""
    row = GOAL.c
    counts = [goal.id for goal in night.definitions.of(Goal).values() if goal.counts]
    unit = sa.case((row.goal_id.in_(counts), "number"), else_="share").label("unit")
    names = ("baseline", "current", "target", "progress_ratio", "is_met", "due_on", "is_overdue", "owner")
    family = sa.func.coalesce(row.serves, row.goal_id)
    return (
        sa.select(
            row.goal_id, titled(row.goal_id, Goal, night).label("goal"), row.level, unit, *[row[name] for name in names]
        )
        .where(row.business_on == on(night.business_on))
        .order_by(family, row.level, row.goal_id)
    )


def score_bands() -> sa.Select[Any]:
    """People by score band of ten points."""
    low = sa.cast(sa.func.floor(SCORE.c.score / BAND_WIDTH) * BAND_WIDTH, sa.Integer)
    return sa.select(low.label("score_from"), sa.func.count().label("people")).group_by(low).order_by(low.desc())


def is_new_mql() -> sa.ColumnElement[bool]:
    """SQL: whether a row of mart__score is an MQL that was none the night before, whichever line and preset held then (R53)."""
    before = sa.select(PREVIOUS_SCORE.c.contact_id).where(PREVIOUS_SCORE.c.is_mql)
    return sa.and_(SCORE.c.is_mql, SCORE.c.contact_id.not_in(before))


def scored(night: Night) -> sa.Select[Any]:
    """Scores, MQLs, and MQLs that were none the night before (R53)."""
    return sa.select(
        sa.func.count().label("scores"),
        sa.func.count().filter(SCORE.c.is_mql).label("mqls"),
        sa.func.count().filter(is_new_mql()).label("new_mqls"),
    )


def stages() -> sa.Select[Any]:
    """People by lifecycle stage."""
    people = sa.func.count().label("people")
    return sa.select(LIFECYCLE.c.stage, people).group_by(LIFECYCLE.c.stage).order_by(people.desc(), LIFECYCLE.c.stage)


def refused_transitions() -> sa.Select[Any]:
    """People for whom a stage holds that may not be entered from where they stand (R41), by the stage they keep and the one refused."""
    steps = [LIFECYCLE.c.stage, LIFECYCLE.c.refused_stage]
    people = sa.func.count().label("people")
    refused = LIFECYCLE.c.refused_stage.is_not(None)
    return sa.select(*steps, people).where(refused).group_by(*steps).order_by(people.desc(), *steps)


def leads() -> sa.Select[Any]:
    """Leads by where they stand, and how many of them came back once at least (R43, R44)."""
    came_back = sa.func.count().filter(LEAD.c.recycle_count > 0).label("came_back")
    number = sa.func.count().label("leads")
    return sa.select(LEAD.c.status, number, came_back).group_by(LEAD.c.status).order_by(LEAD.c.status)


def leakage(night: Night) -> sa.Select[Any]:
    """The leakage report of tonight (R46)."""
    columns = [LEAKAGE.c[name] for name in ("kind", "after_days", "base_count", "leaked_count", "leak_ratio")]
    return sa.select(*columns).where(LEAKAGE.c.business_on == on(night.business_on)).order_by(LEAKAGE.c.kind)


def tags(night: Night) -> sa.Select[Any]:
    """People by tag (R26)."""
    id, people = TAG.c.tag_id, sa.func.count().label("people")
    return sa.select(id, titled(id, Tag, night).label("tag"), people).group_by(id).order_by(id)


def personas(night: Night) -> sa.Select[Any]:
    """People by persona (R30)."""
    id, people = PERSONA.c.persona_id, sa.func.count().label("people")
    return sa.select(id, titled(id, Persona, night).label("persona"), people).group_by(id).order_by(id)


def tiers(night: Night) -> sa.Select[Any]:
    """People by tiering and tier; those of one tiering add up to everybody (R28); the highest tier first."""
    id, tier = TIER.c.tiering_id, TIER.c.tier
    language = night.workspace.company.language
    known = [(each.id, tier) for each in night.definitions.of(Tiering).values() for tier in each.tiers]
    whens = [(sa.and_(id == tiering_id, tier == one.id), one.title(language)) for tiering_id, one in known]
    places = [(when, place) for place, (when, _) in enumerate(whens)]
    title = sa.case(*whens, else_=tier) if whens else tier
    order = [sa.case(*places, else_=len(places))] if places else []
    columns = [id, titled(id, Tiering, night).label("tiering"), tier.label("tier_id"), title.label("tier")]
    return sa.select(*columns, sa.func.count().label("people")).group_by(id, tier).order_by(id, *order, tier)


def segments(night: Night, sizes: sa.FromClause | None = None) -> sa.Select[Any]:
    """Members, entered and left of every segment that has members or movement tonight (R35); `sizes` where its rows were counted before."""
    members = segment_sizes(SEGMENT_MEMBER).cte("members") if sizes is None else sizes
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
            titled(segment_id, Segment, night).label("segment"),
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
