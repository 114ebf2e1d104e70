"""What people say of how they want to be written to, kept in one transaction: statements of consent, and a row of the inbox (R90, rule C9).

What belongs here: reading what holds, keeping what is said. What does not: the page (`intake/preference.py`), what follows (`vesper/matrix.py`,
`vesper/content_variant.py`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.content_variant import PERSONALISATION
from vesper.matrix import PREFERS
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import UNSUBSCRIBED, Arrival, append
from warehouse.ledger.schema import CONSENT, MESSAGE
from warehouse.ledger.send_schema import INBOX
from warehouse.ledger.suppression import keep_out
from warehouse.ledger.unsubscribe import MARKETING
from warehouse.ledger.unsubscribe import SOURCE as UNSUBSCRIBE

SOURCE = "vesper_preference"
AGAIN_SECONDS = 60
"""The same wish within so many seconds is one."""


@dataclass(frozen=True)
class Preferences:
    """What holds for the receiver of a message. `channel` is the preferred one, empty while none was stated."""

    is_personalised: bool = True
    channel: str = ""


def preferences_of(engine: sa.Engine, message_id: str) -> Preferences | None:
    """What the receiver stated on this page before; None for a message that the ledger does not know."""
    with reading(engine) as connection:
        found = _message(connection, message_id)
        if found is None:
            return None
        said = sa.select(CONSENT.c.is_granted).where(
            CONSENT.c.purpose == PERSONALISATION,
            CONSENT.c.channel == found.channel,
            CONSENT.c.address_hash == found.address_hash,
            CONSENT.c.source == SOURCE,
        )
        granted = connection.scalar(said.order_by(CONSENT.c.at.desc(), CONSENT.c.consent_id.desc()).limit(1))
        wished = sa.select(INBOX.c.kind).where(
            INBOX.c.source == SOURCE,
            INBOX.c.contact_id == found.contact_id,
            INBOX.c.kind.startswith(PREFERS, autoescape=True),
        )
        kind = connection.scalar(wished.order_by(INBOX.c.inbox_id.desc()).limit(1))
    return Preferences(granted is not False, kind.removeprefix(PREFERS) if kind else "")


def keep_preferences(
    engine: sa.Engine, message_id: str, wanted: Preferences, at: dt.datetime, recorded_on: dt.date
) -> bool:
    """Keep what somebody wants; when this returns, it is committed. False for a message that the ledger does not know."""
    before = preferences_of(engine, message_id)
    if before is None:
        return False
    with engine.begin() as connection:
        found = _message(connection, message_id)
        if before.is_personalised != wanted.is_personalised:
            _state(connection, found, PERSONALISATION, wanted.is_personalised, SOURCE, at, recorded_on)
        if wanted.channel and wanted.channel != before.channel:
            id = f"{message_id}|{wanted.channel}|{int(at.timestamp()) // AGAIN_SECONDS}"
            wish = Arrival(SOURCE, id, f"{PREFERS}{wanted.channel}", at, {}, found.contact_id, message_id)
            append(connection, wish, handled_at=at)
    return True


def leave_everything(engine: sa.Engine, message_id: str, at: dt.datetime, recorded_on: dt.date) -> bool:
    """Take the receiver of a message out of every channel that Vesper ever wrote to them on. False for a message that is not known."""
    with engine.begin() as connection:
        found = _message(connection, message_id)
        if found is None:
            return False
        places = sa.select(MESSAGE.c.channel, MESSAGE.c.address_hash).where(MESSAGE.c.contact_id == found.contact_id)
        addresses = connection.execute(places.distinct().order_by(MESSAGE.c.channel, MESSAGE.c.address_hash)).all()
        arrival = Arrival(UNSUBSCRIBE, message_id, UNSUBSCRIBED, at, {"how": "page"}, found.contact_id, message_id)
        append(connection, arrival, handled_at=at)
        keep_out(connection, [(row.channel, row.address_hash) for row in addresses], UNSUBSCRIBED, at)
        for row in addresses:
            _state(connection, row, MARKETING, False, UNSUBSCRIBE, at, recorded_on)
    return True


def _message(connection: sa.Connection, message_id: str) -> Any:
    columns = (MESSAGE.c.contact_id, MESSAGE.c.channel, MESSAGE.c.address_hash)
    return connection.execute(sa.select(*columns).where(MESSAGE.c.message_id == message_id)).first()


def _state(
    connection: sa.Connection,
    place: Any,
    purpose: str,
    is_granted: bool,
    source: str,
    at: dt.datetime,
    recorded_on: dt.date,
) -> None:
    said = {"channel": place.channel, "purpose": purpose, "address_hash": place.address_hash, "is_granted": is_granted}
    about = {"at": at, "source": source, "row_key": place.address_hash, "text_version": None}
    insert_new(connection, CONSENT, [said | about | {"recorded_on": recorded_on}])
