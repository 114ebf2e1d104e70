"""The inbox made readable: a runner in which people, addresses, stages and events stand as they are now, and not as the last night left them.

What belongs here: reading ledger rows, binding. What does not: the Selects (`vesper/inbox.py`), and what follows from what came in (`tick.py`).
Whoever writes to people between two nights binds these first, or somebody who asked for a paper today would have no address.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.clean import cleaned
from tasks.machine import machine_rows
from vesper import inbox
from vesper.clock import cutoff_at, local_time
from vesper.consolidate import contact_row
from vesper.marts.lifecycle import LIFECYCLE
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT, IDENTIFIER, SOURCE_RECORD
from vesper.tables.raw import raw_table
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import UNSUBSCRIBE_TESTED, Waiting, name_contacts, not_in_lake
from warehouse.runner import Runner


@dataclass(frozen=True)
class Inbox:
    """What came in and no published night holds yet.

    `contacts` says whom each row is about, where anything tells; `published_at` up to when what nights published goes, and `live` which kinds of
    event are known beyond that, because the inbox brings them.
    """

    rows: Sequence[Waiting]
    contacts: Mapping[int, str]
    published_at: dt.datetime | None
    live: frozenset[str]


def bind_now(house: House, runner: Runner, night: Night) -> Inbox:
    """Bind core__contact, core__contact_identifier, mart__lifecycle and core__event as they stand now; gives what came in.

    The ledger learns whom the rows are about. Reads the lake at the pointers in force, so no lock is needed: a night that publishes meanwhile
    changes nothing of what is bound here.
    """
    on = _published_on(house)
    with reading(house.engine) as connection:
        rows = not_in_lake(connection, on)
    rows = [row for row in rows if row.kind != UNSUBSCRIBE_TESTED]
    for table in (CONTACT, IDENTIFIER, LIFECYCLE, EVENT):
        runner.bind_snapshot(inbox.published(table), house.lake.in_force(table.name))
    record, whose = _people(runner, night, rows)
    contacts = _named(house, runner, whose, rows)
    machine = machine_rows(house.engine, rows)
    events = [_event(row, contacts, night, row.inbox_id in machine) for row in rows]
    arrived = _bound(runner, f"{inbox.ARRIVED}event", EVENT, events)
    runner.bind_select(inbox.contacts_now(record, whose, night), CONTACT.name)
    runner.bind_select(inbox.identifiers_now(record, whose), IDENTIFIER.name)
    runner.bind_select(inbox.stages_now(record, whose, night), LIFECYCLE.name)
    runner.bind_select(inbox.events_now(arrived), EVENT.name)
    kinds = {inbox.KINDS.get(row.kind, row.kind) for row in rows}
    return Inbox(rows, contacts, cutoff_at(on, night.zone) if on else None, frozenset(kinds | inbox.live_kinds(night)))


def _published_on(house: House) -> dt.date | None:
    """The business date whose events are in force."""
    snapshot = house.lake.in_force(EVENT.name)
    return snapshot.business_on if snapshot else None


def _people(runner: Runner, night: Night, rows: Sequence[Waiting]) -> tuple[sa.Table, sa.Table]:
    """The records of the forms, cleaned as the night cleans them, and whose they are."""
    source = inbox.form_source(night)
    raw = raw_table(source)
    forms = [_form(row, raw) for row in rows if row.payload.get("email") or row.payload.get("phone")]
    if not forms:
        record = _bound(runner, f"{inbox.ARRIVED}record", SOURCE_RECORD, [])
        return record, runner.materialize(inbox.whose(record), f"{inbox.ARRIVED}whose")
    said = _bound(runner, raw.name, raw, forms)
    everyone = cleaned(runner, contact_row.all_said([contact_row.said(said, source, night.zone)]))
    record = runner.materialize(everyone, f"{inbox.ARRIVED}record")
    return record, runner.materialize(inbox.whose(record), f"{inbox.ARRIVED}whose")


def _form(row: Waiting, raw: sa.Table) -> dict[str, Any]:
    texts = {name: _text(row.payload.get(name)) for name in inbox.PERSON if name in raw.c}
    key = inbox.source_key(row.inbox_id)
    return texts | {
        "member_id": key,
        "registered_at": row.occurred_at,
        "received_at": row.received_at,
        "file": "inbox",
        "source_row": 1,
    }


def _named(house: House, runner: Runner, whose: sa.Table, rows: Sequence[Waiting]) -> dict[int, str]:
    """Whom each row is about: what the ledger says already, else what its addresses tell; the ledger is told."""
    found = {int(row.record_key): row.contact_id for row in runner.rows(sa.select(whose))}
    new = {row.inbox_id: found[row.inbox_id] for row in rows if row.contact_id is None and row.inbox_id in found}
    if new:
        with house.engine.begin() as connection:
            name_contacts(connection, new)
    return {row.inbox_id: row.contact_id for row in rows if row.contact_id} | new


def _event(row: Waiting, contacts: Mapping[int, str], night: Night, is_machine: bool) -> dict[str, Any]:
    """A row as an event. What it says of itself is text from outside, and is only ever compared."""
    return {
        "event_id": inbox.event_id(row.inbox_id),
        "on": local_time(row.occurred_at, night.zone).date(),
        "contact_id": contacts.get(row.inbox_id),
        "kind": inbox.KINDS.get(row.kind, row.kind),
        "at": row.occurred_at,
        "received_at": row.received_at,
        "source": inbox.EVENTS,
        "message_id": row.message_id,
        "is_machine": is_machine,
        **{name: _text(row.payload.get(name)) for name in inbox.PARTICULARS},
        inbox.LASTED: inbox.seconds(row.payload.get(inbox.LASTED)),
    }


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _bound(runner: Runner, name: str, like: sa.Table, rows: list[dict[str, Any]]) -> sa.Table:
    runner.bind_arrow(name, pa.Table.from_pylist(rows, schema=arrow_schema(like)))
    return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in like.c])
