"""What came in from outside: appended once, read by the tick, taken in by the night (R17, R74).

What belongs here: rows of `inbox`. What does not: who sent them (`tasks/inbox.py`), what follows from them (`tasks/tick.py`), and how they reach
the lake (`tasks/fold.py`). A row is committed before its sender gets an answer; what comes twice is known by the sender's own id and kept once.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.clock import now
from warehouse.ledger.send_schema import INBOX

BATCH = 500
LOOK_BACK = dt.timedelta(days=35)
"""A company whose nights take in no inbox reads this much of it."""
NOTHING = "{}"
UNSUBSCRIBED, UNSUBSCRIBE_TESTED = "unsubscribed", "unsubscribe_tested"


@dataclass(frozen=True)
class Arrival:
    """Something that happened outside.

    `source_event_id` is its own id there: of two arrivals with one id the first is kept. `payload` is what came, personal, and is kept as JSON.
    """

    source: str
    source_event_id: str
    kind: str
    occurred_at: dt.datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    contact_id: str | None = None
    message_id: str | None = None


@dataclass(frozen=True)
class Waiting:
    """A row that the tick has not acted on yet."""

    inbox_id: int
    source: str
    kind: str
    occurred_at: dt.datetime
    received_at: dt.datetime
    contact_id: str | None
    message_id: str | None
    payload: Mapping[str, Any]


def append(connection: sa.Connection, arrival: Arrival, handled_at: dt.datetime | None = None) -> bool:
    """Keep an arrival, in the caller's transaction; False when it was known already.

    Args:
        handled_at: for arrivals that are acted on in this very transaction.
    """
    return append_all(connection, [arrival], handled_at) == 1


def append_all(connection: sa.Connection, arrivals: Iterable[Arrival], handled_at: dt.datetime | None = None) -> int:
    """Keep many arrivals, in their order, in the caller's transaction; returns how many were new."""
    received_at = now()
    rows = [_row(arrival, received_at, handled_at) for arrival in arrivals]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = 0
    for at in range(0, len(rows), BATCH):
        once = insert(INBOX).values(rows[at : at + BATCH]).on_conflict_do_nothing()
        new += connection.execute(once, execution_options={"preserve_rowcount": True}).rowcount
    return new


def has_waiting(connection: sa.Connection) -> bool:
    """Whether the tick has something to act on. Cheap: it is asked every second."""
    return (
        connection.execute(sa.select(INBOX.c.inbox_id).where(INBOX.c.handled_at.is_(None)).limit(1)).first() is not None
    )


def waiting(connection: sa.Connection, limit: int) -> list[Waiting]:
    """Rows to act on, the oldest first."""
    return _rows(connection, INBOX.c.handled_at.is_(None), limit)


def not_in_lake(connection: sa.Connection, published_on: dt.date | None) -> list[Waiting]:
    """Rows that no night up to a business date took in, handled or not, in the order of arrival; of the last LOOK_BACK."""
    is_new: sa.ColumnElement[bool] = INBOX.c.folded_on.is_(None)
    if published_on is not None:
        is_new = sa.or_(is_new, INBOX.c.folded_on > published_on)
    return _rows(connection, sa.and_(is_new, INBOX.c.received_at > now() - LOOK_BACK))


def forget(connection: sa.Connection, tokens: Mapping[str, str], written: Iterable[str], at: dt.datetime) -> int:
    """Take a person out: what rows of theirs said is gone, a token takes the place of the contact's id. Returns how many rows.

    Args:
        tokens: contact id -> its token.
        written: addresses and ids of the person as sources write them; a row that says one of them is the person's, named or not.
    """
    texts = [json.dumps(value, ensure_ascii=False)[1:-1].lower() for value in written if value]
    said = [sa.func.lower(INBOX.c.payload).contains(text, autoescape=True) for text in texts]
    mine = sa.or_(INBOX.c.contact_id.in_(tokens), *said)
    emptied = connection.execute(sa.update(INBOX).where(mine).values(payload=NOTHING)).rowcount
    connection.execute(
        sa.update(INBOX).where(INBOX.c.payload == NOTHING, INBOX.c.handled_at.is_(None)).values(handled_at=at)
    )
    for contact_id, token in sorted(tokens.items()):
        connection.execute(sa.update(INBOX).where(INBOX.c.contact_id == contact_id).values(contact_id=token))
    return emptied


def to_fold(connection: sa.Connection, until: dt.datetime, business_on: dt.date) -> list[Waiting]:
    """Rows that arrived by an instant and that no night before a business date took in: the same ones, however often the night is run."""
    is_open = sa.or_(INBOX.c.folded_on.is_(None), INBOX.c.folded_on == business_on)
    return _rows(connection, sa.and_(is_open, INBOX.c.received_at <= until))


def mark_folded(connection: sa.Connection, inbox_ids: Collection[int], on: dt.date) -> None:
    """Say which night took rows in, in the transaction that publishes it."""
    ids = sorted(inbox_ids)
    for start in range(0, len(ids), BATCH):
        mine = INBOX.c.inbox_id.in_(ids[start : start + BATCH])
        connection.execute(sa.update(INBOX).where(mine, INBOX.c.folded_on.is_(None)).values(folded_on=on))


def _rows(connection: sa.Connection, which: sa.ColumnElement[bool], limit: int | None = None) -> list[Waiting]:
    columns = [INBOX.c[name] for name in Waiting.__dataclass_fields__]
    found = connection.execute(sa.select(*columns).where(which).order_by(INBOX.c.inbox_id).limit(limit))
    return [Waiting(**{**row, "payload": json.loads(row["payload"])}) for row in found.mappings()]


def name_contacts(connection: sa.Connection, contacts: Mapping[int, str]) -> None:
    """Say whom rows are about, where that was not known; what is known stays."""
    one = sa.update(INBOX).where(INBOX.c.inbox_id == sa.bindparam("row"), INBOX.c.contact_id.is_(None))
    if contacts:
        rows = [{"row": inbox_id, "who": contact_id} for inbox_id, contact_id in contacts.items()]
        connection.execute(one.values(contact_id=sa.bindparam("who")), rows)


def mark_handled(connection: sa.Connection, inbox_ids: Collection[int], at: dt.datetime) -> None:
    """Say that rows were acted on; they never wait again."""
    ids: Sequence[int] = sorted(inbox_ids)
    for start in range(0, len(ids), BATCH):
        mine = INBOX.c.inbox_id.in_(ids[start : start + BATCH])
        connection.execute(sa.update(INBOX).where(mine, INBOX.c.handled_at.is_(None)).values(handled_at=at))


def _row(arrival: Arrival, received_at: dt.datetime, handled_at: dt.datetime | None) -> dict[str, Any]:
    return {
        "source": arrival.source,
        "source_event_id": arrival.source_event_id,
        "kind": arrival.kind,
        "occurred_at": arrival.occurred_at,
        "received_at": received_at,
        "contact_id": arrival.contact_id,
        "message_id": arrival.message_id,
        "payload": json.dumps(dict(arrival.payload), ensure_ascii=False, sort_keys=True),
        "handled_at": handled_at,
    }
