"""The step over the wire, in two transactions: `begin` commits the intent before the call, `settle` its outcome after.

```
planned --begin--> sending --settle--> accepted | rejected | unknown        (final)
   |                  |-- not accepted for now --> planned, later            (the touch is given back)
   |-- cap, window --> planned, later      |-- no consent, suppressed, capped, expired --> refused   (final)
sending found by a later run --recover--> unknown: the server may have it, so it is listed and never sent again
```
What belongs here: these transitions and nothing else; each is one transaction. What does not: SMTP, rendering, the loop (`tasks/delivery.py`).
One process sends at a time, under the run lock; leases for several come later.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from vesper.clock import now
from vesper.send_limits import Limits, Touch
from warehouse.ledger.consent import is_granted, is_suppressed
from warehouse.ledger.handover_acts import is_taken_over
from warehouse.ledger.outbox import PLANNED, Due
from warehouse.ledger.schema import ATTEMPT, MESSAGE, TOUCH
from warehouse.ledger.send_stop import stopped_in

SENDING, ACCEPTED, REJECTED, UNKNOWN, REFUSED = "sending", "accepted", "rejected", "unknown", "refused"
MARKETING, OPERATIONAL = "marketing", "operational"
BACKOFF = (dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2), dt.timedelta(hours=8))

OutcomeKind = Literal["accepted", "rejected", "deferred", "unknown"]


@dataclass(frozen=True)
class Begun:
    """The intent is committed: exactly one wire call may follow. `number` counts the message's attempts from 1."""

    at: dt.datetime
    number: int


@dataclass(frozen=True)
class Later:
    """Not now: the message waits until an instant."""

    until: dt.datetime
    reason: str


@dataclass(frozen=True)
class Refused:
    """The message will never be sent."""

    reason: str


@dataclass(frozen=True)
class Stopped:
    """Sending is stopped; the message was not touched."""


@dataclass(frozen=True)
class Gone:
    """The message is no longer planned; nothing was done."""


Begin = Begun | Later | Refused | Stopped | Gone


def begin(engine: sa.Engine, message: Due, at: dt.datetime, limits: Limits) -> Begin:
    """Claim a message for one wire call at an instant: stop, expiry, consent, suppression, takeover, window and caps are checked again and the touch
    is reserved, all in the transaction that moves it to `sending` (R86, R87, R88, R90, R108)."""
    with engine.begin() as connection:
        if stopped_in(connection):
            return Stopped()
        if not _is_planned(connection, message):
            return Gone()
        decided = _decide(connection, message, at, limits)
        if isinstance(decided, Begun):
            _start(connection, message, decided)
        elif isinstance(decided, Later):
            _move(connection, message, PLANNED, state=PLANNED, not_before=decided.until, reason=decided.reason)
        elif isinstance(decided, Refused):
            _move(connection, message, PLANNED, state=REFUSED, reason=decided.reason, final_at=at)
        return decided


def refuse(engine: sa.Engine, message: Due, at: dt.datetime, reason: str) -> Refused:
    """Refuse a planned message for a reason found outside the ledger, such as an address that is gone."""
    with engine.begin() as connection:
        _move(connection, message, PLANNED, state=REFUSED, reason=reason, final_at=at)
    return Refused(reason)


def settle(
    engine: sa.Engine, message: Due, begun: Begun, kind: OutcomeKind, code: str | None = None, detail: str | None = None
) -> Later | None:
    """Commit what the server said. Only proven non-acceptance gives the touch back; a deferred message waits and is tried again, at most
    five times and not beyond its end. Returns when, if it waits."""
    with engine.begin() as connection:
        _close_attempt(connection, message.message_id, begun.number, kind, code, detail)
        if kind in ("accepted", "unknown"):
            reason = None if kind == "accepted" else code or "no_answer"
            _move(connection, message, SENDING, state=kind, reason=reason, final_at=begun.at)
            return None
        connection.execute(sa.delete(TOUCH).where(TOUCH.c.message_id == message.message_id))
        later = _retry(message, begun) if kind == "deferred" else None
        if later is None:
            reason = code or kind if kind == "rejected" else "exhausted"
            _move(connection, message, SENDING, state=REJECTED, reason=reason, final_at=begun.at, sending_at=None)
        else:
            _move(
                connection,
                message,
                SENDING,
                state=PLANNED,
                reason=later.reason,
                not_before=later.until,
                sending_at=None,
            )
        return later


def recover(engine: sa.Engine) -> int:
    """Messages that a crashed run left between intent and outcome become `unknown`, reason `crash`, and keep their touch. Returns how many."""
    with engine.begin() as connection:
        left = connection.scalars(sa.select(MESSAGE.c.message_id).where(MESSAGE.c.state == SENDING)).all()
        for message_id in left:
            open_attempt = sa.select(sa.func.max(ATTEMPT.c.number)).where(ATTEMPT.c.message_id == message_id)
            number = connection.scalar(open_attempt) or 0
            _close_attempt(
                connection, message_id, number, "unknown", "crash", "the run ended before the server's answer was kept"
            )
        stuck = sa.update(MESSAGE).where(MESSAGE.c.state == SENDING)
        connection.execute(stuck.values(state=UNKNOWN, reason="crash", final_at=MESSAGE.c.sending_at))
        return len(left)


def _is_planned(connection: sa.Connection, message: Due) -> bool:
    """Whether the message still waits, its row held against others until the transaction ends."""
    state = sa.select(MESSAGE.c.state).where(MESSAGE.c.message_id == message.message_id).with_for_update()
    return bool(connection.scalar(state) == PLANNED)


def _decide(connection: sa.Connection, message: Due, at: dt.datetime, limits: Limits) -> Begun | Later | Refused:
    refusal = _refusal(connection, message, at)
    if refusal:
        return Refused(refusal)
    touches = _touches(connection, message.contact_id, at, limits)
    earliest = limits.earliest(at, touches)
    if earliest == at:
        return Begun(at, _attempts(connection, message) + 1)
    cap = limits.binding(limits.in_window(at) or at, touches)
    if earliest is None or earliest > message.expires_at:
        return Refused(f"capped:{cap}" if cap else "expired")
    return Later(earliest, f"waiting:{cap or 'window'}")


def _refusal(connection: sa.Connection, message: Due, at: dt.datetime) -> str | None:
    if at > message.expires_at:
        return "expired"
    key = (message.channel, message.purpose, message.address_hash)
    if message.purpose == MARKETING and not is_granted(connection, *key):
        return "no_consent"
    if message.purpose != OPERATIONAL and is_suppressed(connection, message.channel, message.address_hash):
        return "suppressed"
    if message.purpose == MARKETING and is_taken_over(connection, message.contact_id):
        return "human_takeover"
    return None


def _touches(connection: sa.Connection, contact_id: str, at: dt.datetime, limits: Limits) -> Sequence[Touch]:
    if not limits.caps:
        return ()
    near = sa.select(TOUCH.c.at, TOUCH.c.channel).where(
        TOUCH.c.contact_id == contact_id, TOUCH.c.purpose == MARKETING, TOUCH.c.at >= at - limits.lookback
    )
    return [Touch(row.at, row.channel) for row in connection.execute(near)]


def _attempts(connection: sa.Connection, message: Due) -> int:
    counted = sa.select(sa.func.count()).select_from(ATTEMPT).where(ATTEMPT.c.message_id == message.message_id)
    return connection.scalar(counted) or 0


def _start(connection: sa.Connection, message: Due, begun: Begun) -> None:
    """The attempt is written as `unknown`, because that is what it is until the server has answered."""
    _move(connection, message, PLANNED, state=SENDING, sending_at=begun.at, reason=None)
    attempt = {"message_id": message.message_id, "number": begun.number, "started_at": now(), "outcome": UNKNOWN}
    connection.execute(sa.insert(ATTEMPT), attempt)
    if message.purpose == MARKETING:
        touch = {name: getattr(message, name) for name in ("message_id", "contact_id", "channel", "purpose")}
        connection.execute(sa.insert(TOUCH), touch | {"at": begun.at})


def _close_attempt(
    connection: sa.Connection, message_id: str, number: int, kind: OutcomeKind, code: str | None, detail: str | None
) -> None:
    """Fill in the outcome of an open attempt, once; a closed one never changes."""
    attempt = sa.update(ATTEMPT).where(
        ATTEMPT.c.message_id == message_id, ATTEMPT.c.number == number, ATTEMPT.c.ended_at.is_(None)
    )
    connection.execute(attempt.values(outcome=kind, ended_at=now(), code=code, detail=detail))


def _retry(message: Due, begun: Begun) -> Later | None:
    if begun.number > len(BACKOFF):
        return None
    until = begun.at + BACKOFF[begun.number - 1]
    return Later(until, "waiting:retry") if until <= message.expires_at else None


def _move(connection: sa.Connection, message: Due, expected: str, **values: Any) -> None:
    """Change a message that is in the expected state; another state means that somebody else sends, which must stop the run."""
    move = sa.update(MESSAGE).where(MESSAGE.c.message_id == message.message_id, MESSAGE.c.state == expected)
    if connection.execute(move.values(**values)).rowcount != 1:
        raise RuntimeError(
            f"message {message.message_id} is no longer {expected}: another process sends from this ledger; stop it and run again"
        )
