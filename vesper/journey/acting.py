"""What people are to get at the steps they have come to: a message, a coupon, a task for a colleague.

What belongs here: the people of an action, and what a coupon or a task comes to, as Selects. What does not: deciding about a message
(`vesper.send.plan`), keeping any of it (`warehouse/ledger/journey.py`).
"""

import hashlib
from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at, on
from vesper.journey.reached import reference
from vesper.journey.turn import (
    ACT,
    ACTIVE,
    ALREADY_GIVEN,
    GIVEN,
    MOVE,
    OPENED,
    OUT_OF_STOCK,
    STANDING,
    STOCK,
    Turn,
    Version,
)
from vesper.model.coupon import Coupons
from vesper.model.journey import JourneyStep
from vesper.send import ID_LENGTH, Sending
from vesper.tables.journey import RAW_COUPON

ENDED = ("goal", "exited", "expired")


def sending(version: Version, step: JourneyStep) -> Sending:
    """What a step sends."""
    send = step.send
    if send is None:
        raise ValueError(f"{version.journey.id}/{step.id} sends nothing")
    purpose = send.purpose or version.journey.purpose
    return Sending(
        version.journey, step.id, send.own_channel, send.content, purpose, version.hash, is_paused=version.is_paused
    )


def at_step(version: Version, step: JourneyStep) -> sa.Select[Any]:
    """People whose action at a step is to be done: contact_id, occurrence, inbox_id."""
    s, move = STANDING.c, MOVE.c
    same = sa.and_(s.contact_id == move.contact_id, s.occurrence == move.occurrence)
    rows = sa.select(s.contact_id, s.occurrence, s.inbox_id).join_from(STANDING, MOVE, same)
    return rows.where(move.verb == ACT, s.step_id == step.id, s.definition_hash == version.hash, s.state == ACTIVE)


def gifts(version: Version, step: JourneyStep, pool: Coupons, turn: Turn) -> sa.Select[Any]:
    """One row for each person: the code that they get, or why none. Codes go in the order in which people came, and each to one of them.

    Columns of RAW_COUPON, occurrence, step_id, and `outcome`: given, already_given (they have one of the pool and keep it) or out_of_stock.
    """
    s = STANDING.c
    asked = at_step(version, step).with_only_columns(s.contact_id, s.occurrence, s.step_since_at).cte("asked")
    has_one = asked.c.contact_id.in_(sa.select(RAW_COUPON.c.contact_id).where(RAW_COUPON.c.pool_id == pool.id))
    order = (asked.c.step_since_at, asked.c.contact_id, asked.c.occurrence)
    place = sa.func.row_number().over(partition_by=has_one, order_by=order)
    people = sa.select(asked, has_one.label("has_one"), place.label("place")).cte("people")
    number = sa.func.row_number().over(order_by=STOCK.c.code)
    taken = sa.select(RAW_COUPON.c.code).where(RAW_COUPON.c.pool_id == pool.id)
    free = sa.select(STOCK.c.code, number.label("place")).where(STOCK.c.pool_id == pool.id, STOCK.c.code.not_in(taken))
    stock = free.cte("stock")
    theirs = sa.and_(~people.c.has_one, stock.c.place == people.c.place)
    expires = after(at(turn.planned_at), pool.expires_after.timedelta) if pool.expires_after else sa.null()
    outcome = sa.case((people.c.has_one, ALREADY_GIVEN), (stock.c.code.is_(None), OUT_OF_STOCK), else_=GIVEN)
    return sa.select(
        sa.literal(pool.id).label("pool_id"),
        stock.c.code,
        people.c.contact_id,
        people.c.occurrence,
        sa.literal(step.id).label("step_id"),
        reference(version.journey.id, step.id, people.c.occurrence).label("reference"),
        at(turn.planned_at).label("given_at"),
        sa.cast(expires, sa.DateTime).label("expires_at"),
        sa.cast(sa.null(), sa.DateTime).label("redeemed_at"),
        outcome.label("outcome"),
    ).select_from(people.outerjoin(stock, theirs))


def tasks(version: Version, step: JourneyStep, turn: Turn) -> sa.Select[Any]:
    """The tasks that a step opens: columns of RAW_NURTURE_TASK."""
    asked = step.task
    if asked is None:
        raise ValueError(f"{version.journey.id}/{step.id} opens no task")
    s = STANDING.c
    people = at_step(version, step).with_only_columns(s.contact_id, s.occurrence, s.step_since_at).subquery("people")
    text = sa.literal(f"task|{version.journey.id}|") + people.c.contact_id + sa.literal(f"|{step.id}|")
    digest = sa.func.sha256(text + sa.cast(people.c.occurrence, sa.String))
    return sa.select(
        sa.func.substr(digest, 1, ID_LENGTH, type_=sa.String).label("task_id"),
        sa.literal(version.journey.id).label("journey_id"),
        people.c.contact_id,
        people.c.occurrence,
        sa.literal(step.id).label("step_id"),
        sa.literal(asked.kind).label("kind"),
        sa.literal(asked.to or step.owner).label("owner"),
        on(turn.night.business_on).label("business_on"),
        at(turn.planned_at).label("opened_at"),
        after(people.c.step_since_at, asked.due.timedelta).label("due_at"),
        sa.true().label("is_open"),
        sa.cast(sa.null(), sa.DateTime).label("closed_at"),
        sa.literal(OPENED).label("outcome"),
    )


def task_id(journey_id: str, contact_id: str, step_id: str, occurrence: int) -> str:
    """The id of a task; the same in SQL above."""
    text = f"task|{journey_id}|{contact_id}|{step_id}|{occurrence}"
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def ended() -> sa.Select[Any]:
    """Entries of the turn that are over before their last step, as the turn knows by now: what is not sent yet is not sent any more."""
    return sa.select(STANDING.c.contact_id, STANDING.c.occurrence).where(STANDING.c.state.in_(ENDED))
