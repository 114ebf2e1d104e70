"""Leaving: one transaction that suppresses an address, keeps the refusal as a statement of consent, and tells the night (R90, RFC 8058).

What belongs here: that transaction. What does not: who may ask for it (`vesper/token.py`), and the web (`intake/`).

The address is suppressed on the channel of the message that was answered, for everything but operational messages (decision 7 of the
requirements). Nothing is asked of the lake: the message itself holds the hash of the address it went to.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.ledger.inbox import UNSUBSCRIBE_TESTED, UNSUBSCRIBED, Arrival, append
from warehouse.ledger.schema import CONSENT, MESSAGE
from warehouse.ledger.send_schema import INBOX
from warehouse.ledger.suppression import keep_out

SOURCE = "vesper_unsubscribe"
TEST = "test-"
"""How the ids of test messages begin. They have no row in `message`; their tokens prove that the endpoint reaches this ledger, and do no more."""
MARKETING = "marketing"


@dataclass(frozen=True)
class Left:
    """What an unsubscribe did. `is_new`: it was not known before. `is_applied`: an address is kept out by now, or it was only a test."""

    is_new: bool
    is_applied: bool


def unsubscribe(
    engine: sa.Engine, message_id: str, how: str, at: dt.datetime, recorded_on: dt.date, language: str | None = None
) -> Left:
    """Take the receiver of a message out of its channel; when this returns, it is committed. Safe to call again.

    Args:
        message_id: from a verified token.
        how: `one_click` for a mail program, `page` for a person on the confirm page.
        recorded_on: the newest business date whose night is cut off already, so that the next night sees the refusal.

    A message that the ledger does not know (it was restored from an older backup) leaves a row that waits: `apply_waiting` acts on it as soon
    as the message is there again.
    """
    is_test = message_id.startswith(TEST)
    kind = UNSUBSCRIBE_TESTED if is_test else UNSUBSCRIBED
    told: dict[str, Any] = {"how": how} | ({"language": language} if language else {})
    with engine.begin() as connection:
        found = None if is_test else _message(connection, message_id)
        contact_id = found.contact_id if found else None
        arrival = Arrival(SOURCE, message_id, kind, at, told, contact_id, message_id)
        is_new = append(connection, arrival, handled_at=at if found or is_test else None)
        if found:
            _keep_out(connection, found, at, recorded_on, is_new)
        return Left(is_new, bool(found) or is_test)


def apply_waiting(connection: sa.Connection, at: dt.datetime, recorded_on: dt.date) -> list[int]:
    """Act on unsubscribes whose message was not known when they came; gives the inbox rows that are done."""
    rows = sa.select(INBOX.c.inbox_id, INBOX.c.message_id, INBOX.c.occurred_at).where(
        INBOX.c.handled_at.is_(None),
        INBOX.c.kind == UNSUBSCRIBED,
        INBOX.c.message_id.in_(sa.select(MESSAGE.c.message_id)),
    )
    done = []
    for row in connection.execute(rows).all():
        _keep_out(connection, _message(connection, row.message_id), row.occurred_at, recorded_on, True)
        done.append(row.inbox_id)
    return done


def is_known_test(engine: sa.Engine, message_id: str) -> bool:
    """Whether the unsubscribe of a test message reached this ledger."""
    mine = sa.select(INBOX.c.inbox_id).where(INBOX.c.source == SOURCE, INBOX.c.source_event_id == message_id)
    with engine.connect().execution_options(read_only=True) as connection:
        return connection.execute(mine.where(INBOX.c.kind == UNSUBSCRIBE_TESTED)).first() is not None


def _message(connection: sa.Connection, message_id: str) -> Any:
    columns = (MESSAGE.c.contact_id, MESSAGE.c.channel, MESSAGE.c.address_hash)
    return connection.execute(sa.select(*columns).where(MESSAGE.c.message_id == message_id)).first()


def _keep_out(connection: sa.Connection, found: Any, at: dt.datetime, recorded_on: dt.date, is_new: bool) -> None:
    """Suppress, and state the refusal once: a second click of the same mail says nothing new."""
    keep_out(connection, [(found.channel, found.address_hash)], UNSUBSCRIBED, at)
    if not is_new:
        return
    refusal = {
        "channel": found.channel,
        "purpose": MARKETING,
        "address_hash": found.address_hash,
        "is_granted": False,
        "at": at,
        "source": SOURCE,
        "row_key": found.address_hash,  # names nobody; a later consent given at the same place would replace it
        "recorded_on": recorded_on,
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(CONSENT).values(refusal).on_conflict_do_nothing())
