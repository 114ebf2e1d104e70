"""What came in from outside: appended once, read by the tick, taken in by the night (R17, R74).

What belongs here: rows of `inbox`. What does not: who sent them (`tasks/inbox.py`), what follows from them (`tasks/tick.py`), and how they reach
the lake (`tasks/fold.py`). A row is committed before its sender gets an answer; what comes twice is known by the sender's own id and kept once.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.clock import now
from vesper.machine import BURST, CLICKED
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INBOX

BATCH = 500
LOOK_BACK = dt.timedelta(days=35)
"""A company whose nights take in no inbox reads this much of it."""
NOTHING = "{}"
UNSUBSCRIBED, UNSUBSCRIBE_TESTED = "unsubscribed", "unsubscribe_tested"
SETTLES = BURST + dt.timedelta(seconds=1)
QUIET = frozenset({"mail_delivered", UNSUBSCRIBED})
"""Kinds that nothing follows from between two nights, or that are acted on in the transaction that keeps them."""


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


def keep_answers(
    connection: sa.Connection, arrivals: Sequence[Arrival], series_of: Callable[[str], str | None]
) -> list[bool]:
    """Keep arrivals, in the caller's transaction, and tell of each whether it was new. What answers a message is its contact's, of its series.

    What a machine did, and what nothing follows from, is handled already: the tick does not wake for it.

    Args:
        series_of: campaign or journey -> its series.
    """
    about = _messages(connection, [one.message_id for one in arrivals if one.message_id and not one.contact_id])
    known = [_named(one, about.get(one.message_id or ""), series_of) for one in arrivals]
    received_at = now()
    rows = [_row(one, received_at, received_at if _is_quiet(one) else None) for one in known]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    key = (INBOX.c.source, INBOX.c.source_event_id)
    new: set[tuple[str, str]] = set()
    for at in range(0, len(rows), BATCH):
        once = insert(INBOX).values(rows[at : at + BATCH]).on_conflict_do_nothing().returning(*key)
        new |= {(row.source, row.source_event_id) for row in connection.execute(once)}
    return [_taken(new, (one.source, one.source_event_id)) for one in arrivals]


def _taken(new: set[tuple[str, str]], key: tuple[str, str]) -> bool:
    """Whether a key is among the new ones; of two arrivals with one key only the first is."""
    if key not in new:
        return False
    new.remove(key)
    return True


def _messages(connection: sa.Connection, message_ids: Sequence[str]) -> dict[str, Any]:
    ids = sorted(set(message_ids))
    columns = (MESSAGE.c.message_id, MESSAGE.c.contact_id, MESSAGE.c.campaign_id, MESSAGE.c.content_id)
    found: dict[str, Any] = {}
    for at in range(0, len(ids), BATCH):
        mine = sa.select(*columns).where(MESSAGE.c.message_id.in_(ids[at : at + BATCH]))
        found |= {row.message_id: row for row in connection.execute(mine)}
    return found


def _named(arrival: Arrival, message: Any, series_of: Callable[[str], str | None]) -> Arrival:
    if message is None:
        return arrival
    about = {"content_id": message.content_id, "series_id": series_of(message.campaign_id)}
    said = {name: value for name, value in about.items() if value} | dict(arrival.payload)
    return replace(arrival, contact_id=message.contact_id, payload=said)


def _is_quiet(arrival: Arrival) -> bool:
    return arrival.kind in QUIET or bool(arrival.payload.get("is_machine"))


def accepted_at(connection: sa.Connection, message_ids: Iterable[str]) -> dict[str, dt.datetime]:
    """When a server took each of some messages; those that none took are missing."""
    ids = sorted(set(message_ids))
    found: dict[str, dt.datetime] = {}
    for at in range(0, len(ids), BATCH):
        mine = MESSAGE.c.message_id.in_(ids[at : at + BATCH])
        taken = sa.select(MESSAGE.c.message_id, MESSAGE.c.final_at).where(mine, MESSAGE.c.state == "accepted")
        found |= {row.message_id: row.final_at for row in connection.execute(taken) if row.final_at}
    return found


def has_waiting(connection: sa.Connection) -> bool:
    """Whether the tick has something to act on. Cheap: it is asked every second."""
    return connection.execute(sa.select(INBOX.c.inbox_id).where(_waits(now())).limit(1)).first() is not None


def waiting(connection: sa.Connection, limit: int, until: dt.datetime | None = None) -> list[Waiting]:
    """Rows to act on, the oldest first.

    Args:
        until: the instant that a turn plays. What was received later happened after it: the turn would not see it, and must not say it is handled.
    """
    which = [_waits(now())] + ([INBOX.c.received_at <= until] if until is not None else [])
    return _rows(connection, sa.and_(*which), limit)


def _waits(at: dt.datetime) -> sa.ColumnElement[bool]:
    """A click waits until those that may come with it are there: a burst is known by all of them."""
    is_settled = sa.or_(INBOX.c.kind != CLICKED, INBOX.c.received_at <= at - SETTLES)
    return sa.and_(INBOX.c.handled_at.is_(None), is_settled)


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
