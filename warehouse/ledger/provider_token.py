"""Access tokens of providers: one row for each app, whoever asks; fetched by one process at a time.

What belongs here: keeping one, and who may fetch the next. What does not: fetching (`connectors/channels/`). A token is worth two hours at most; it
stands in the ledger and nowhere else, and no log or report shows it.
"""

import datetime as dt
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.clock import now
from warehouse.ledger.channel_schema import PROVIDER_TOKEN
from warehouse.ledger.engine import reading

LEASE = dt.timedelta(seconds=30)
EARLY = dt.timedelta(minutes=2)
"""A token that ends sooner is no longer used."""
LOOK_SECONDS = 0.1

Fetch = Callable[[], tuple[str, dt.timedelta]]
"""Asks the provider: a token and how long it is good for."""


class TokenBusy(Exception):
    """Another process has been fetching a token for longer than its lease."""


def token(engine: sa.Engine, provider: str, fetch: Fetch, refused: str = "") -> str:
    """The token of an app. `refused` is one that the provider would not take any more: another one is fetched, once for all who ask.

    Raises whatever `fetch` raises, and TokenBusy.
    """
    ends = now() + 2 * LEASE
    while True:
        known = _known(engine, provider)
        if known and known != refused:
            return known
        if _is_ours(engine, provider, known):
            return _fetched(engine, provider, fetch)
        if now() > ends:
            raise TokenBusy(provider)
        time.sleep(LOOK_SECONDS)


def _known(engine: sa.Engine, provider: str) -> str:
    with reading(engine) as connection:
        mine = sa.select(PROVIDER_TOKEN.c.token).where(
            PROVIDER_TOKEN.c.provider == provider, PROVIDER_TOKEN.c.expires_at > now() + EARLY
        )
        return connection.scalar(mine) or ""


def _is_ours(engine: sa.Engine, provider: str, known: str) -> bool:
    """Whether we took the lease; PostgreSQL tells one of two who ask at once that it came too late."""
    try:
        return _leased(engine, provider, known)
    except sa.exc.OperationalError:
        return False


def _leased(engine: sa.Engine, provider: str, known: str) -> bool:
    """Whether we are the one who fetches: nobody else does, and the row is still as we saw it."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    with engine.begin() as connection:
        connection.execute(insert(PROVIDER_TOKEN).values(provider=provider).on_conflict_do_nothing())
        is_free = sa.or_(PROVIDER_TOKEN.c.lease_until.is_(None), PROVIDER_TOKEN.c.lease_until < now())
        is_same = sa.or_(
            PROVIDER_TOKEN.c.token.is_(None),
            PROVIDER_TOKEN.c.token == known,
            PROVIDER_TOKEN.c.expires_at <= now() + EARLY,
        )
        take = sa.update(PROVIDER_TOKEN).where(PROVIDER_TOKEN.c.provider == provider, is_free, is_same)
        return connection.execute(take.values(lease_until=now() + LEASE)).rowcount == 1


def _fetched(engine: sa.Engine, provider: str, fetch: Fetch) -> str:
    """Fetch outside of any transaction, then keep; a fetch that fails gives the lease back."""
    values: dict[str, object] = {"lease_until": None}
    try:
        found, lasts = fetch()
        values |= {"token": found, "expires_at": now() + lasts}
        return found
    finally:
        with engine.begin() as connection:
            connection.execute(sa.update(PROVIDER_TOKEN).where(PROVIDER_TOKEN.c.provider == provider).values(values))
