"""The night takes the inbox in: its rows land as two files, and from there on they are sources like any other.

What belongs here: which rows, the files, marking them. What does not: judging and merging them (`take_in.py`), and the inbox between nights
(`inbox.py`). Only a live night folds, as only a live night asks a source: a replay reads the files that landed.

A company that takes both sources in force (`sources/vesper_form.yml`, `sources/vesper_inbox.yml`) folds; for any other the inbox stays where it is.
"""

import datetime as dt
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.fetch import is_live
from tasks.machine import machine_rows
from vesper import inbox
from vesper.model.source import Source
from warehouse import durable
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import UNSUBSCRIBE_TESTED, Waiting, mark_folded, to_fold


def fold(bench: Bench) -> int:
    """Write the rows that arrived by the cut-off and that no earlier night took in; returns how many. They are marked when the stage publishes."""
    sources = bench.night.definitions.of(Source)
    if not is_live(bench) or inbox.FORM not in sources or inbox.EVENTS not in sources:
        return 0
    with reading(bench.house.engine) as connection:
        rows = to_fold(connection, bench.night.cutoff_at, bench.business_on)
    rows = [row for row in rows if row.kind != UNSUBSCRIBE_TESTED]
    machine = machine_rows(bench.house.engine, rows)
    _land(bench, sources[inbox.EVENTS], rows, (_event(row, row.inbox_id in machine) for row in rows))
    forms = [row for row in rows if row.payload.get("email") or row.payload.get("phone")]
    provisional = {inbox.provisional_id(row.inbox_id) for row in forms}
    _land(bench, sources[inbox.FORM], forms, [_form(row, provisional) for row in forms])
    bench.alongside.append(_marking(rows, bench.business_on))
    bench.report.facts["inbox_rows"] = len(rows)
    return len(rows)


def _marking(rows: Sequence[Waiting], on: dt.date) -> Any:
    ids = [row.inbox_id for row in rows]

    def mark(connection: sa.Connection) -> None:
        mark_folded(connection, ids, on)

    return mark


def _land(bench: Bench, source: Source, rows: Sequence[Waiting], lines: Iterable[Mapping[str, Any]]) -> None:
    """The file of tonight, whole or not at all; it arrived when the newest of its rows did."""
    if not rows:
        return
    path = bench.house.workspace.landing / source.path.replace("{on}", bench.business_on.isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    with draft.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(dict(_filled(line)), ensure_ascii=False, sort_keys=True) + "\n" for line in lines)
        out.flush()
        os.fsync(out.fileno())
    arrived = max(row.received_at for row in rows).replace(tzinfo=dt.UTC).timestamp()
    os.utime(draft, (arrived, arrived))
    _settle(draft, path)


def _settle(draft: Path, path: Path) -> None:
    draft.replace(path)
    durable.flush(path.parent)


def _form(row: Waiting, provisional: Collection[str]) -> dict[str, Any]:
    said = {name: row.payload.get(name) for name in (*inbox.PERSON, "consent_email", "consent_sms")}
    known_as = row.contact_id if row.contact_id in provisional else None
    key = inbox.source_key(row.inbox_id)
    return said | {"member_id": key, "contact_id": known_as, "registered_at": _instant(row.occurred_at)}


def _event(row: Waiting, is_machine: bool) -> dict[str, Any]:
    """Whom a form is of is found anew by what it says; whom anything else is of, by the message that it answers or the contact that it names."""
    said = {name: row.payload.get(name) for name in (*inbox.PARTICULARS, "email", "phone")}
    return said | {
        inbox.LASTED: inbox.seconds(row.payload.get(inbox.LASTED)),
        "is_machine": is_machine or None,
        "event_id": inbox.source_key(row.inbox_id),
        "kind": inbox.KINDS.get(row.kind, row.kind),
        "at": _instant(row.occurred_at),
        "contact_id": row.contact_id if row.message_id or row.payload.get("contact_id") else None,
        "message_id": row.message_id,
    }


def _instant(moment: dt.datetime) -> str:
    return moment.isoformat() + "Z"


def _filled(line: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, value) for name, value in line.items() if value not in (None, ""))
