"""Consent and suppression in the ledger: appended, never changed; what holds now is a fold over the statements.

What belongs here: appending imported statements, a single statement, suppression, and the fold (R88, R90). What does not: `core__consent`
(its copy at the cut-off) and the check in the moment of sending (`dispatch.py`, which uses this fold).
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.consolidate.consent import PURPOSE, UNCONFIRMED
from warehouse.ledger.schema import CONSENT, SUPPRESSION

BATCH = 2000
_COLUMNS = (
    "channel",
    "purpose",
    "address_hash",
    "is_granted",
    "at",
    "source",
    "row_key",
    "text_version",
    "recorded_on",
)


def append_consent(engine: sa.Engine, statements: Iterable[Mapping[str, Any]]) -> int:
    """Append statements of consent and return how many were new; a statement that is there already is left alone.

    Each has channel, purpose, address_hash, is_granted, at (UTC, naive), source, row_key, text_version and recorded_on. Both a form's yes
    and an unsubscribe are statements; nothing is ever updated, so the proof of an older consent stays (R88).
    """
    rows = ({name: statement.get(name) for name in _COLUMNS} for statement in statements)
    with engine.begin() as connection:
        return sum(insert_new(connection, CONSENT, batch) for batch in _batches(rows))


def current_consent(recorded_through: dt.date | None = None) -> sa.Select[Any]:
    """One row for each (channel, purpose, address_hash): what holds now, or what held by the end of a business date.

    Every source row speaks with its latest statement (a refusal wins a tie); over all source rows the most restrictive wins: one
    refusal is enough. `at`, `source` and `text_version` are those of the deciding row: the newest refusal, else the newest consent.
    """
    key = (CONSENT.c.channel, CONSENT.c.purpose, CONSENT.c.address_hash)
    latest = sa.func.row_number().over(
        partition_by=(*key, CONSENT.c.source, CONSENT.c.row_key),
        order_by=(CONSENT.c.at.desc(), CONSENT.c.is_granted, CONSENT.c.consent_id.desc()),
    )
    statements = sa.select(CONSENT, latest.label("age"))
    if recorded_through is not None:
        statements = statements.where(CONSENT.c.recorded_on <= recorded_through)
    said = statements.subquery("said")
    deciding = sa.func.row_number().over(
        partition_by=(said.c.channel, said.c.purpose, said.c.address_hash),
        order_by=(said.c.is_granted, said.c.at.desc(), said.c.source, said.c.row_key),
    )
    ranked = sa.select(said, deciding.label("rank")).where(said.c.age == 1).subquery("ranked")
    names = ("channel", "purpose", "address_hash", "is_granted", "at", "source", "text_version")
    return sa.select(*[ranked.c[name] for name in names]).where(ranked.c.rank == 1)


def is_granted(connection: sa.Connection, channel: str, purpose: str, hashed: str) -> bool:
    """Whether an address consents now, read in the caller's transaction. No statement is no consent."""
    said = sa.select(CONSENT.c.source, CONSENT.c.row_key, CONSENT.c.is_granted).where(
        CONSENT.c.channel == channel, CONSENT.c.purpose == purpose, CONSENT.c.address_hash == hashed
    )
    rows = connection.execute(said.order_by(CONSENT.c.at, CONSENT.c.is_granted.desc(), CONSENT.c.consent_id))
    latest = {(row.source, row.row_key): row.is_granted for row in rows}
    return bool(latest) and all(latest.values())


def confirm(connection: sa.Connection, channel: str, hashed: str, at: dt.datetime, recorded_on: dt.date) -> int:
    """The person confirmed: every yes of the address that waited for it becomes a consent, with its source and its text (rule C11).

    In the caller's transaction; returns how many there were. What was refused after that yes stays refused, and a second confirmation is none.
    """
    said = sa.select(CONSENT).where(
        CONSENT.c.channel == channel, CONSENT.c.address_hash == hashed, CONSENT.c.purpose.in_((PURPOSE, UNCONFIRMED))
    )
    rows = connection.execute(said.order_by(CONSENT.c.at, CONSENT.c.is_granted.desc(), CONSENT.c.consent_id))
    latest = {(row.source, row.row_key): row for row in rows}
    waiting = [row for row in latest.values() if row.purpose == UNCONFIRMED]
    confirmed = {"purpose": PURPOSE, "at": at, "recorded_on": recorded_on}
    return insert_new(
        connection, CONSENT, [{name: getattr(row, name) for name in _COLUMNS} | confirmed for row in waiting]
    )


def suppress(engine: sa.Engine, channel: str, hashed: str, reason: str, at: dt.datetime) -> bool:
    """Keep an address out of everything but operational messages, from the next claim on (R90). False when it was suppressed already."""
    row = {"channel": channel, "address_hash": hashed, "reason": reason, "at": at}
    with engine.begin() as connection:
        return insert_new(connection, SUPPRESSION, [row]) == 1


def is_suppressed(connection: sa.Connection, channel: str, hashed: str) -> bool:
    """Whether an address is suppressed, read in the caller's transaction."""
    found = sa.select(SUPPRESSION.c.reason).where(
        SUPPRESSION.c.channel == channel, SUPPRESSION.c.address_hash == hashed
    )
    return connection.execute(found).first() is not None


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows that no unique key of the table holds yet; returns how many that were."""
    if not rows:
        return 0
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    before = connection.scalar(sa.select(sa.func.count()).select_from(table))
    connection.execute(insert(table).on_conflict_do_nothing(), rows)
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0) - int(before or 0)


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        yield batch
