"""A round applied: where everybody stands afterwards, and the way they have come.

What belongs here: the next rows of STANDING and WAY, made of the present ones and of MOVE and ACTED. What does not: which moves there are.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at, on
from vesper.journey.turn import ACT, ACTED, ACTIVE, DONE, MOVE, STANDING, STEP, WAY, Turn
from vesper.model.journey_when import END
from vesper.tables.journey import RAW_JOURNEY_ENTRY, RAW_JOURNEY_VISIT


def standing_at_start(journey_id: str, people: sa.Select[Any] | None = None) -> sa.Select[Any]:
    """The active entries of a journey, as the ledger has them; of some contacts only, if they are named."""
    raw = RAW_JOURNEY_ENTRY.c
    made = {"number_before": raw.number, "due_before": raw.due_at, "acted": sa.cast(sa.null(), sa.String)}
    columns = [(made[c.name] if c.name in made else raw[c.name]).label(c.name) for c in STANDING.c]
    rows = sa.select(*columns).where(raw.journey_id == journey_id, raw.state == ACTIVE)
    return rows if people is None else rows.where(raw.contact_id.in_(people))


def way_at_start(journey_id: str) -> sa.Select[Any]:
    """The steps that those of STANDING came to before the turn."""
    raw = RAW_JOURNEY_VISIT.c
    same = sa.and_(raw.contact_id == STANDING.c.contact_id, raw.occurrence == STANDING.c.occurrence)
    rows = sa.select(*[raw[c.name] for c in WAY.c]).join_from(STANDING, RAW_JOURNEY_VISIT, same)
    return rows.where(raw.journey_id == journey_id)


def standing_next() -> sa.Select[Any]:
    """STANDING after the moves."""
    s, move = STANDING.c, MOVE.c
    goes_on = sa.and_(move.verb == STEP, move.to_step != END)
    is_done = sa.and_(move.verb == STEP, move.to_step == END)
    ends = sa.and_(move.verb.is_not(None), sa.not_(goes_on))
    made: dict[str, Any] = {
        "step_id": sa.case((goes_on, move.to_step), else_=s.step_id),
        "step_since_at": sa.case((goes_on, move.at), else_=s.step_since_at),
        "number": s.number + sa.case((goes_on, 1), else_=0),
        "acted": sa.case((goes_on, sa.null()), else_=s.acted),
        "state": sa.case((is_done, DONE), (ends, move.verb), else_=s.state),
        "reason": sa.case((ends, move.reason), else_=s.reason),
        "ended_at": sa.case((ends, move.at), else_=s.ended_at),
    }
    columns = [sa.cast(made.get(c.name, c), c.type).label(c.name) for c in STANDING.c]
    joined = sa.and_(s.contact_id == move.contact_id, s.occurrence == move.occurrence, move.verb != ACT)
    return sa.select(*columns).select_from(STANDING.outerjoin(MOVE, joined))


def way_next(turn: Turn) -> sa.CompoundSelect[Any]:
    """WAY after the moves: steps that were left, and steps come to. Made before STANDING moves."""
    w, move = WAY.c, MOVE.c
    left = move.verb.is_not(None)
    made: dict[str, Any] = {
        "outcome": sa.case((left, sa.func.coalesce(move.outcome, move.reason, move.verb)), else_=w.outcome),
        "left_at": sa.case((left, move.at), else_=w.left_at),
        "handled_at": sa.case((left, at(turn.planned_at)), else_=w.handled_at),
    }
    here = sa.and_(
        w.contact_id == move.contact_id, w.occurrence == move.occurrence, w.number == move.number, move.verb != ACT
    )
    known = sa.select(*[sa.cast(made.get(c.name, c), c.type).label(c.name) for c in WAY.c])
    known = known.select_from(WAY.outerjoin(MOVE, here))
    return sa.union_all(known, came_to(turn))


def came_to(turn: Turn) -> sa.Select[Any]:
    """The steps that MOVE leads to, as rows of WAY."""
    move = MOVE.c
    made: Mapping[str, Any] = {
        "contact_id": move.contact_id,
        "occurrence": move.occurrence,
        "number": move.number + 1,
        "step_id": move.to_step,
        "at": move.at,
        "business_on": on(turn.night.business_on),
        "due_at": move.due_at,
    }
    columns = [sa.cast(made.get(c.name, sa.null()), c.type).label(c.name) for c in WAY.c]
    return sa.select(*columns).where(move.verb == STEP, move.to_step != END)


def standing_acted() -> sa.Select[Any]:
    """STANDING once the actions of a round are done."""
    joined = sa.and_(
        STANDING.c.contact_id == ACTED.c.contact_id,
        STANDING.c.occurrence == ACTED.c.occurrence,
        STANDING.c.state == ACTIVE,
    )
    done = sa.func.coalesce(ACTED.c.outcome, STANDING.c.acted)
    columns = [(done if c.name == "acted" else c).label(c.name) for c in STANDING.c]
    return sa.select(*columns).select_from(STANDING.outerjoin(ACTED, joined))


def standing_with(entered: sa.Table, version_hash: str, first_step: str, turn: Turn) -> sa.CompoundSelect[Any]:
    """STANDING with those who entered, at the first step."""
    new = entered.c
    made: Mapping[str, Any] = {
        "contact_id": new.contact_id,
        "occurrence": new.occurrence,
        "definition_hash": sa.literal(version_hash),
        "business_on": on(turn.night.business_on),
        "entered_at": new.entered_at,
        "step_id": sa.literal(first_step),
        "step_since_at": new.entered_at,
        "state": sa.literal(ACTIVE),
        "inbox_id": new.inbox_id,
        "number": sa.literal(1),
    }
    columns = [sa.cast(made.get(c.name, sa.null()), c.type).label(c.name) for c in STANDING.c]
    return sa.union_all(sa.select(STANDING), sa.select(*columns))


def way_with(entered: sa.Table, first_step: str, within: dt.timedelta, turn: Turn) -> sa.CompoundSelect[Any]:
    """WAY with the first step of those who entered."""
    new = entered.c
    made: Mapping[str, Any] = {
        "contact_id": new.contact_id,
        "occurrence": new.occurrence,
        "number": sa.literal(1),
        "step_id": sa.literal(first_step),
        "at": new.entered_at,
        "business_on": on(turn.night.business_on),
        "due_at": after(new.entered_at, within),
    }
    columns = [sa.cast(made.get(c.name, sa.null()), c.type).label(c.name) for c in WAY.c]
    return sa.union_all(sa.select(WAY), sa.select(*columns))
