"""What came of short messages: receipts and answers become rows of the inbox, and who asks to be left alone is kept out in the same transaction.

What belongs here: that transaction. What does not: reading what a provider posts (`vesper/receipt.py`), the web (`intake/`), bounces in a row
(`vesper/bounce.py`).
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.address import AddressKey, address_hash
from vesper.receipt import BOUNCED, DELIVERED, UNSUBSCRIBED, Received
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import Arrival, keep_answers
from warehouse.ledger.outbox import ACCEPTED, SENDING, UNKNOWN
from warehouse.ledger.schema import ATTEMPT, CONSENT, MESSAGE
from warehouse.ledger.send_schema import INBOX
from warehouse.ledger.suppression import keep_out

CHANNEL, MARKETING, REASON = "sms", "marketing", "sms_reply"
SENT = (ACCEPTED, UNKNOWN, SENDING)


def take_in(
    engine: sa.Engine,
    received: Sequence[Received],
    key: AddressKey,
    recorded_on: dt.date,
    series_of: Callable[[str], str | None] = lambda _: None,
) -> int:
    """Keep what a provider told; when this returns, it is committed. Returns how many were new. Safe to call again.

    Args:
        recorded_on: the newest business date whose night is cut off already, so that the next night sees a refusal.
        series_of: campaign or journey -> its series.
    """
    with engine.begin() as connection:
        hashes = [address_hash(key, CHANNEL, one.address) for one in received]
        rows = [_arrival(connection, one, hashed) for one, hashed in zip(received, hashes, strict=True)]
        new = keep_answers(connection, rows, series_of)
        leaving = [(one, hashed) for one, hashed in zip(received, hashes, strict=True) if one.kind == UNSUBSCRIBED]
        for one, hashed in leaving:
            keep_out(connection, [(CHANNEL, hashed)], REASON, one.occurred_at)
            _refuse(connection, one, hashed, recorded_on)
        return sum(new)


def shown_by_receipts(engine: sa.Engine) -> dict[str, dt.datetime]:
    """Messages of unknown fate that a provider sent a receipt of: it had taken them. Message id -> when."""
    query = (
        sa.select(MESSAGE.c.message_id, sa.func.min(INBOX.c.occurred_at))
        .join(INBOX, INBOX.c.message_id == MESSAGE.c.message_id)
        .where(MESSAGE.c.state == UNKNOWN, MESSAGE.c.channel == CHANNEL, INBOX.c.kind.in_((DELIVERED, BOUNCED)))
        .group_by(MESSAGE.c.message_id)
    )
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _arrival(connection: sa.Connection, one: Received, hashed: str) -> Arrival:
    found = _message_id(connection, one, hashed)
    return Arrival(one.source, one.source_event_id, one.kind, one.occurred_at, one.payload, message_id=found)


def _message_id(connection: sa.Connection, one: Received, hashed: str) -> str | None:
    """The message that is answered: the one named, the one that the provider called so, or for an answer the newest to that number."""
    to_number = sa.and_(MESSAGE.c.channel == CHANNEL, MESSAGE.c.address_hash == hashed)
    named: sa.Select[Any] = sa.select(MESSAGE.c.message_id).where(to_number)
    if one.message_id:
        named = named.where(MESSAGE.c.message_id == one.message_id)
    elif one.provider_id:
        named = named.join(ATTEMPT, ATTEMPT.c.message_id == MESSAGE.c.message_id).where(
            ATTEMPT.c.detail == one.provider_id
        )
    else:
        named = named.where(MESSAGE.c.state.in_(SENT)).order_by(MESSAGE.c.sending_at.desc(), MESSAGE.c.message_id)
    found: str | None = connection.scalar(named.limit(1))
    return found


def _refuse(connection: sa.Connection, one: Received, hashed: str, recorded_on: dt.date) -> None:
    """The refusal as a statement of consent, once for each answer."""
    refusal = {
        "channel": CHANNEL,
        "purpose": MARKETING,
        "address_hash": hashed,
        "is_granted": False,
        "at": one.occurred_at,
        "source": one.source,
        "row_key": hashed,  # names nobody
        "recorded_on": recorded_on,
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(CONSENT).values(refusal).on_conflict_do_nothing())
