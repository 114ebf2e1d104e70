"""Rollout: whom a campaign or journey reaches in each of its states, and which change of state is legal (R99, R101).

What belongs here: the circle of people of a state, in SQL for a plan and in Python for the moment of sending; legal changes. What does not: reasons
of single people (`send_person.py`), recording a change (activation).

Each circle lies inside the next one: named test contacts, or the first of the audience by hash; a share by the same hash; everybody. So a
person who is in once stays in while the state grows. The hash is of campaign and person, so that no two campaigns begin with the same people.
"""

import hashlib
from typing import Any

import sqlalchemy as sa

from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.outreach import RUNNING, Outreach

PLACES = 8
WIDTH = {"draft": 0, "stopped": 0, "pilot": 1, "partial": 2, "full": 3}
"""How wide the circle of a state is. A change may make it one wider, or narrower at will; a wider one leaves out a step and needs a reason."""


def bucket(outreach_id: str, contact_id: str) -> str:
    """Where a person stands in the order of a campaign's rollout: eight hex digits, the same for ever. The same in SQL below."""
    return hashlib.sha256(f"rollout|{outreach_id}|{contact_id}".encode()).hexdigest()[:PLACES]


def bucket_of(outreach_id: str, contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """SQL: `bucket`."""
    hashed = sa.func.sha256(sa.literal(f"rollout|{outreach_id}|") + contact_id, type_=sa.String)
    return sa.func.substr(hashed, 1, PLACES, type_=sa.String)


def end_of(share: float) -> str:
    """The first bucket outside a share."""
    return f"{round(share * 16**PLACES):0{PLACES}x}"


def is_named(outreach: Outreach, contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL: whether a contact is one of the named test contacts."""
    tests: list[sa.ColumnElement[bool]] = [contact_id.in_(outreach.pilot.contacts)] if outreach.pilot.contacts else []
    if outreach.pilot.segment:
        member = sa.select(SEGMENT_MEMBER.c.contact_id).where(SEGMENT_MEMBER.c.segment_id == outreach.pilot.segment)
        tests.append(contact_id.in_(member))
    return sa.or_(sa.false(), *tests)


def is_inside(
    outreach: Outreach,
    contact_id: sa.ColumnElement[str],
    reached_place: sa.ColumnElement[Any],
    new_place: sa.ColumnElement[Any],
    reached_count: sa.ColumnElement[Any],
) -> sa.ColumnElement[bool]:
    """SQL: whether a person is in the circle of the outreach's state.

    Args:
        reached_place: place among the people reached before, NULL for who was not.
        new_place: place by bucket among the new people of this plan who may be in the pilot.
        reached_count: people reached before.
    """
    if outreach.state == "full":
        return sa.true()
    most = outreach.pilot.people
    has_room = sa.func.coalesce(reached_place <= most, reached_count + new_place <= most)
    may_be_pilot = is_named(outreach, contact_id) if outreach.pilot.names_people else sa.true()
    is_pilot = sa.and_(may_be_pilot, has_room)
    if outreach.state == "pilot":
        return is_pilot
    in_share = bucket_of(outreach.id, contact_id) < end_of(outreach.partial)
    was_pilot = may_be_pilot if outreach.pilot.names_people else sa.func.coalesce(reached_place <= most, sa.false())
    return sa.or_(in_share, was_pilot)


def may_leave(now: Outreach | None, planned_by: Outreach | None, contact_id: str) -> bool:
    """Whether a message may go, by the state of its campaign or journey now (R99: nobody else is reachable).

    `planned_by` is the version that planned it: it tells who was in the pilot. None where that is not known.
    """
    if now is None or now.state not in RUNNING:
        return False
    if now.state == "full" or contact_id in now.pilot.contacts:
        return True
    was_pilot = planned_by is not None and planned_by.state == "pilot"
    if now.state == "partial":
        return was_pilot or bucket(now.id, contact_id) < end_of(now.partial)
    return was_pilot and planned_by is not None and planned_by.pilot == now.pilot


def skipped(before: str, after: str) -> tuple[str, ...]:
    """The states that a change leaves out; none of a legal one. A change to a narrower state leaves nothing out."""
    between = sorted(RUNNING, key=lambda state: WIDTH[state])
    return tuple(state for state in between if WIDTH[before] < WIDTH[state] < WIDTH[after])
