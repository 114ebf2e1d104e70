"""Claims: planned -> claimed and back. A claimed message is held by one worker under a fence and a lease; nothing of it is on the wire yet.

What belongs here: taking a batch in the order of sending, giving it back, what lapses, what expired. What does not: the step over the wire
(`dispatch.py`), who died (`worker.py`).

Every claim makes the fence grow. Whoever holds an older fence changes nothing any more, so a claim may be taken from a worker that only
seemed dead: its next step finds its message gone.
"""

import datetime as dt
import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from warehouse.ledger.outbox import CLAIMED, PLANNED, REFUSED, Due
from warehouse.ledger.schema import MESSAGE, STOP
from warehouse.ledger.send_stop import scope_of
from warehouse.ledger.session import Session

LEASE = dt.timedelta(minutes=20)
"""Of a claim and of a wire call alike: longer than any call may take (`connectors.channels.LONGEST_CALL`), so that a live one is never given up."""
CAMPAIGN = scope_of("")

_COLUMNS = [MESSAGE.c[name] for name in Due.__dataclass_fields__]


@dataclass(frozen=True)
class Wanted:
    """What a worker asks for: messages of a channel that may go by an instant, so many at most, of no campaign named in `without`.

    The order is priority, then the earliest, then the id, so that a paper that somebody asked for passes a hundred thousand coupons. With
    `by_time`, for a clock that plays time, the earliest goes first and the priority second.
    """

    channel: str
    until: dt.datetime
    limit: int
    without: frozenset[str] = frozenset()
    by_time: bool = False


def claim(session: Session, worker_id: str, wanted: Wanted, lease_until: dt.datetime) -> list[Due]:
    """Take messages in the order of sending; nobody else gets them before `lease_until`, a real instant. Those of paused campaigns stay."""
    with session.writing() as connection:
        excluded = sorted({*wanted.without, *_paused(connection)})
        rows = _heads(connection, wanted, excluded)
        if rows:
            grip = {"owner": worker_id, "new_lease": lease_until}
            connection.execute(_TAKE, [{"one": row.message_id, **grip} for row in rows])
    return [replace(row, fence=row.fence + 1) for row in rows]


_TAKE = (
    sa.update(MESSAGE)
    .where(MESSAGE.c.message_id == sa.bindparam("one"), MESSAGE.c.state == PLANNED)
    .values(
        state=CLAIMED,
        owner=sa.bindparam("owner"),
        lease_until=sa.bindparam("new_lease"),
        fence=MESSAGE.c.fence + 1,
    )
)


def _heads(connection: sa.Connection, wanted: Wanted, excluded: list[str]) -> list[Due]:
    """The first messages in order. Each priority is asked for its own first ones, which the index knows without sorting."""
    found: list[Due] = []
    for priority in _priorities(connection, wanted.channel):
        room = wanted.limit if wanted.by_time else wanted.limit - len(found)
        if room <= 0:
            break
        waiting = _waiting(wanted, excluded).where(MESSAGE.c.priority == priority)
        ordered = waiting.order_by(MESSAGE.c.not_before, MESSAGE.c.message_id).limit(room)
        rows = connection.execute(ordered.with_for_update(skip_locked=True))
        found += [Due(*row) for row in rows]
    return heapq.nsmallest(wanted.limit, found) if wanted.by_time else found


def _waiting(wanted: Wanted, excluded: list[str]) -> sa.Select[Any]:
    due = sa.select(*_COLUMNS).where(
        MESSAGE.c.state == PLANNED, MESSAGE.c.channel == wanted.channel, MESSAGE.c.not_before <= wanted.until
    )
    return due.where(MESSAGE.c.campaign_id.not_in(excluded)) if excluded else due


def _priorities(connection: sa.Connection, channel: str) -> Iterator[int]:
    """The priorities that have planned messages, smallest first; one step in the index each."""
    mine = sa.and_(MESSAGE.c.state == PLANNED, MESSAGE.c.channel == channel)
    following = sa.select(sa.func.min(MESSAGE.c.priority)).where(mine, MESSAGE.c.priority > sa.bindparam("last"))
    found = connection.scalar(sa.select(sa.func.min(MESSAGE.c.priority)).where(mine))
    while found is not None:
        yield found
        found = connection.scalar(following, {"last": found})


def _paused(connection: sa.Connection) -> list[str]:
    """Ids of campaigns and journeys that are paused now."""
    newest = sa.select(sa.func.max(STOP.c.stop_id)).where(STOP.c.scope.startswith(CAMPAIGN)).group_by(STOP.c.scope)
    scopes = connection.scalars(sa.select(STOP.c.scope).where(STOP.c.stop_id.in_(newest), STOP.c.is_stopped))
    return [scope.removeprefix(CAMPAIGN) for scope in scopes]


_BACK = {"state": PLANNED, "owner": None, "lease_until": None}


def release(session: Session, worker_id: str) -> int:
    """Give back what a worker claimed and did not begin; returns how many messages."""
    with session.writing() as connection:
        return released(connection, worker_id)


def released(connection: sa.Connection, worker_id: str) -> int:
    """The same in the caller's transaction, for a worker that died."""
    held = _free(sa.and_(MESSAGE.c.state == CLAIMED, MESSAGE.c.owner == worker_id))
    return int(connection.execute(sa.update(MESSAGE).where(held).values(_BACK)).rowcount)


def lapse(connection: sa.Connection, now: dt.datetime) -> int:
    """Claims whose lease is over, whoever holds them, go back; returns how many. Safe: none of them is on the wire, and the fence is spent."""
    over = sa.or_(MESSAGE.c.lease_until.is_(None), MESSAGE.c.lease_until < now)
    lapsed = _free(sa.and_(MESSAGE.c.state == CLAIMED, over))
    return int(connection.execute(sa.update(MESSAGE).where(lapsed).values(_BACK)).rowcount)


def _free(which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Of some messages those that no other transaction is changing: what touches many rows at once never waits for one that does the same."""
    return MESSAGE.c.message_id.in_(sa.select(MESSAGE.c.message_id).where(which).with_for_update(skip_locked=True))


def expire(session: Session, until: dt.datetime, start: dt.datetime) -> int:
    """Refuse at once what may go by `until` and would go too late: its turn, `start` at the earliest, comes after its end. Returns how many."""
    due = sa.and_(MESSAGE.c.state == PLANNED, MESSAGE.c.not_before <= until)
    late = sa.or_(MESSAGE.c.expires_at < start, MESSAGE.c.expires_at < MESSAGE.c.not_before)
    refused = {"state": REFUSED, "reason": "expired", "final_at": start, "owner": None, "lease_until": None}
    with session.writing() as connection:
        return int(connection.execute(sa.update(MESSAGE).where(_free(sa.and_(due, late))).values(refused)).rowcount)


def hold_back(session: Session, message: Due, reason: str) -> None:
    """Say of a claimed message why it is not begun; it stays claimed until its worker ends, so that nobody tries it in a circle."""
    mine = sa.and_(MESSAGE.c.message_id == message.message_id, MESSAGE.c.fence == message.fence)
    with session.writing() as connection:
        connection.execute(sa.update(MESSAGE).where(mine, MESSAGE.c.state == CLAIMED).values(reason=reason))


def explain_waiting(session: Session, campaigns: Collection[str], until: dt.datetime, reason: str) -> dict[str, int]:
    """Say of all due messages of some campaigns why they wait; returns how many wait by campaign."""
    due = sa.and_(
        MESSAGE.c.state.in_((PLANNED, CLAIMED)),
        MESSAGE.c.not_before <= until,
        MESSAGE.c.campaign_id.in_(sorted(campaigns)),
    )
    with session.writing() as connection:
        told = sa.update(MESSAGE).where(_free(sa.and_(due, MESSAGE.c.reason.is_distinct_from(reason))))
        connection.execute(told.values(reason=reason))
        counted = sa.select(MESSAGE.c.campaign_id, sa.func.count()).where(due).group_by(MESSAGE.c.campaign_id)
        return {row[0]: row[1] for row in connection.execute(counted)}
