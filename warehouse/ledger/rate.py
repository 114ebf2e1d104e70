"""How fast a server may be written to: a bucket of tokens per provider in the ledger, shared by all workers and kept over restarts.

What belongs here: taking a token, in the transaction that begins a message, and the pause that a server asked for. What does not: the numbers
(`[mail]` of vesper.toml), waiting (`tasks/send_worker.py`).

Instants are of the live clock. A clock that was set back earns nothing and loses nothing; one that was set forward earns a full bucket at most.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from warehouse.ledger.consent import insert_new
from warehouse.ledger.send_schema import RATE
from warehouse.ledger.session import Session


@dataclass(frozen=True)
class Allowance:
    """What a provider takes: so many messages a second on average, at most `burst` of them at once."""

    provider: str
    per_second: float
    burst: float


_HERE = RATE.c.provider == sa.bindparam("provider_id")
_LEVEL = sa.select(RATE.c.tokens, RATE.c.refilled_at).where(_HERE).with_for_update()
_SPENT = (
    sa.update(RATE).where(_HERE).values(tokens=sa.bindparam("new_tokens"), refilled_at=sa.bindparam("new_refilled_at"))
)


def know(session: Session, provider: str, burst: float, now: dt.datetime) -> None:
    """Make sure that a provider has its bucket; a new one is full."""
    with session.writing() as connection:
        insert_new(connection, RATE, [{"provider": provider, "tokens": burst, "refilled_at": now}])


def take(session: Session, cursor: Any, allowance: Allowance, now: dt.datetime) -> dt.datetime | None:
    """Take one token in the caller's transaction; None when there was one, otherwise the instant of the next. The bucket must be known."""
    row = session.prepared(_LEVEL).row(cursor, provider_id=allowance.provider)
    if row is None:
        raise LookupError(f"no bucket of {allowance.provider}")
    tokens = refilled(row[0], row[1], allowance, now)
    if tokens < 1:
        return now + dt.timedelta(seconds=(1 - tokens) / allowance.per_second)
    session.prepared(_SPENT).run(cursor, provider_id=allowance.provider, new_tokens=tokens - 1, new_refilled_at=now)
    return None


def refilled(tokens: float, since: dt.datetime, allowance: Allowance, now: dt.datetime) -> float:
    """How many tokens there are by now."""
    seconds = max(0.0, (now - since).total_seconds())
    return min(allowance.burst, tokens + seconds * allowance.per_second)


def held_until(session: Session, provider: str) -> dt.datetime | None:
    """Until when a provider asked to be left alone, the last time it did."""
    asked = sa.select(RATE.c.held_until).where(RATE.c.provider == provider)
    with session.writing() as connection:
        return connection.execute(asked).scalar()


def hold(session: Session, provider: str, until: dt.datetime) -> None:
    """Let no worker write to a provider before an instant; an earlier one than is known changes nothing. What it saved up is gone."""
    longer = sa.or_(RATE.c.held_until.is_(None), RATE.c.held_until < until)
    with session.writing() as connection:
        held = sa.update(RATE).where(RATE.c.provider == provider, longer)
        connection.execute(held.values(held_until=until, tokens=0.0, refilled_at=until))
