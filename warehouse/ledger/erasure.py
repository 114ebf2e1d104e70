"""Erasures in the ledger: begun, committed with every pointer in one transaction, done with their proof; and what recognises the erased.

What belongs here: these steps, and what an erasure changes in the ledger's other tables. What does not: the files (`warehouse/rewrite.py`,
`connectors/landing_rewrite.py`), and the order of the steps (`tasks/erase.py`).

The ledger keeps no person in clear: ids of contacts become keyed hashes, and so do the keys of source rows in consent, whose proof stays.
Suppression stays as it is, since it never knew more than a keyed hash.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.address import AddressKey, address_hash, keyed_hash
from vesper.clock import now
from vesper.erased import CHANNELS, ERASED, IDS, RECORD
from vesper.erasure import Person
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.experiment import forget_in_experiments
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE
from warehouse.ledger.inbox import forget
from warehouse.ledger.journey_erasure import forget_on_journeys
from warehouse.ledger.outbox import PLANNED
from warehouse.ledger.schema import (
    CONSENT,
    ERASED_FILE,
    ERASED_RECORD,
    ERASURE,
    MESSAGE,
    RECEIPT,
    REFUSAL,
    STEWARD_RULE,
    TOUCH,
)
from warehouse.ledger.suppression import keep_out

BEGUN, COMMITTED, DONE = "begun", "committed", "done"
CONTACT = "contact"
TOKEN_LENGTH = 16
WRITTEN = ("email", "phone", "other_phone")
"""What a form of the person says as it is known here; an address that was written otherwise is found by its contact."""


@dataclass(frozen=True)
class RewrittenFile:
    """A file that an erasure replaces. `place` is lake or landing; `source`, `file` and `size` speak of a landing file's receipt."""

    place: str
    name: str
    new_name: str
    old_sha256: str
    new_sha256: str
    row_count: int
    source: str = ""
    file: str = ""
    size: int = 0
    rows_left: int = 0


def token_of(key: AddressKey, kind: str, text: str) -> str:
    """What stands in the ledger, and in its copies, for an erased contact's id or an erased row's key."""
    return "e" + keyed_hash(key, kind, text)[:TOKEN_LENGTH]


def begin(connection: sa.Connection, erasure_id: str, contact_hash: str, by: str, reason: str) -> None:
    """Record that an erasure starts; does nothing when it is recorded already."""
    row = {"erasure_id": erasure_id, "contact_hash": contact_hash, "state": BEGUN, "by": by, "reason": reason}
    insert_new(connection, ERASURE, [row | {"begun_at": now()}])


def state_of(engine: sa.Engine, erasure_id: str) -> str | None:
    """begun, committed, done, or None of an erasure that was never recorded."""
    with reading(engine) as connection:
        state: str | None = connection.scalar(sa.select(ERASURE.c.state).where(ERASURE.c.erasure_id == erasure_id))
    return state


def commit(
    connection: sa.Connection, erasure_id: str, person: Person, key: AddressKey, files: Sequence[RewrittenFile]
) -> None:
    """Everything that an erasure changes in the ledger beside the manifests, in the caller's transaction."""
    at = now()
    _remember(connection, erasure_id, person, key, at)
    _keep_files(connection, erasure_id, files)
    _forget_contact(connection, person, at)
    _forget_records(connection, person, key)
    rows = sum(file.row_count for file in files)
    _set(connection, erasure_id, state=COMMITTED, row_count=rows)


def _remember(connection: sa.Connection, erasure_id: str, person: Person, key: AddressKey, at: dt.datetime) -> None:
    """By keyed hashes: what recognises the person, and that nothing but operational messages may go to the person's addresses."""
    found = marks(person, key)
    insert_new(connection, ERASED_RECORD, [{"erasure_id": erasure_id, "kind": k, "hash": h} for k, h in found])
    keep_out(connection, [(kind, h) for kind, h in found if kind in CHANNELS.values()], ERASED, at)


def marks(person: Person, key: AddressKey) -> list[tuple[str, str]]:
    """(kind, keyed hash) of each record, of each identifier that is the person's own, and of the token that orders may bear as a card."""
    found = {(RECORD, keyed_hash(key, RECORD, name)) for name in person.names}
    if person.token:
        found.add(("card", keyed_hash(key, "card", person.token)))
    for column, value in person.own:
        if column in CHANNELS:
            found.add((CHANNELS[column], address_hash(key, CHANNELS[column], value)))
        elif column == "other_phone":
            found.add((CHANNELS["phone"], address_hash(key, CHANNELS["phone"], value)))
        elif column in IDS:
            found.add((column, keyed_hash(key, column, value)))
    return sorted(found)


def _keep_files(connection: sa.Connection, erasure_id: str, files: Iterable[RewrittenFile]) -> None:
    """Old hash, new hash, erasure; and the receipts of landing files, so that no night takes a rewritten one for a new one."""
    names = [c.name for c in ERASED_FILE.c if c.name != "erasure_id"]
    for file in files:
        row = {name: getattr(file, name) for name in names} | {"erasure_id": erasure_id}
        connection.execute(sa.insert(ERASED_FILE), row)
        if file.place == "landing":
            same = sa.and_(
                RECEIPT.c.source == file.source, RECEIPT.c.file == file.file, RECEIPT.c.sha256 == file.old_sha256
            )
            new = {"sha256": file.new_sha256, "size": file.size, "row_count": file.rows_left}
            connection.execute(sa.update(RECEIPT).where(same).values(new))


def _forget_contact(connection: sa.Connection, person: Person, at: dt.datetime) -> None:
    """Planned messages are refused; in all others, in touches and refusals a token takes the place of the contact's id."""
    mine = MESSAGE.c.contact_id.in_(person.contact_ids)
    waiting = sa.update(MESSAGE).where(mine, MESSAGE.c.state == PLANNED)
    connection.execute(waiting.values(state="refused", reason=ERASED, final_at=at))
    _forget_sales(connection, person, at)
    forget(connection, person.tokens, [value for column, value in person.own if column in WRITTEN], at)
    forget_on_journeys(connection, person.tokens, at)
    forget_in_experiments(connection, person.tokens)
    for table in (MESSAGE, TOUCH, REFUSAL, HANDOVER, HUMAN_TASK):
        for contact_id, token in sorted(person.tokens.items()):
            here = sa.update(table).where(table.c.contact_id == contact_id)
            connection.execute(here.values(contact_id=token))


def _forget_sales(connection: sa.Connection, person: Person, at: dt.datetime) -> None:
    """Hand-overs are over, human tasks closed, and what sales were not told of the person they will not be told."""
    mine = sa.and_(HANDOVER.c.contact_id.in_(person.contact_ids), HANDOVER.c.state.in_(("open", "accepted")))
    handed = sa.select(HANDOVER.c.handover_id).where(HANDOVER.c.contact_id.in_(person.contact_ids))
    waiting = sa.update(NOTICE).where(NOTICE.c.handover_id.in_(handed), NOTICE.c.state == PLANNED)
    connection.execute(waiting.values(state="refused", reason=ERASED, final_at=at))
    gone = sa.update(HANDOVER).where(mine)
    connection.execute(gone.values(state="withdrawn", ended_at=at, withdrawn_by="vesper", withdrawn_reason=ERASED))
    task = sa.update(HUMAN_TASK).where(HUMAN_TASK.c.contact_id.in_(person.contact_ids), HUMAN_TASK.c.is_open)
    connection.execute(task.values(is_open=False, closed_at=at, closed_by="vesper", closed_reason=ERASED))


def _forget_records(connection: sa.Connection, person: Person, key: AddressKey) -> None:
    """A consent keeps its time, its text and its source, and loses the source's key; what stewards said of the records goes."""
    own = [hashed for kind, hashed in marks(person, key) if kind in CHANNELS.values()]
    said = sa.select(CONSENT.c.source, CONSENT.c.row_key).where(CONSENT.c.address_hash.in_(own)).distinct()
    for source, row_key in sorted({*person.records, *map(tuple, connection.execute(said))}):
        mine = sa.and_(CONSENT.c.source == source, CONSENT.c.row_key == row_key)
        token = token_of(key, RECORD, f"{source}:{row_key}")
        connection.execute(sa.update(CONSENT).where(mine).values(row_key=token))
    rule = STEWARD_RULE.c
    about = sa.or_(rule.record_a.in_(person.names), rule.record_b.in_(person.names))
    ids = connection.scalars(sa.select(rule.rule_id).where(about)).all()
    connection.execute(sa.delete(STEWARD_RULE).where(rule.lifts.in_(ids)))
    connection.execute(sa.delete(STEWARD_RULE).where(rule.rule_id.in_(ids)))


def close(engine: sa.Engine, erasure_id: str, scanned: int, residue: Sequence[str]) -> None:
    """Keep the proof: how many files were searched, and in which of them something was found all the same."""
    with engine.begin() as connection:
        _set(connection, erasure_id, state=DONE, done_at=now(), scanned_count=scanned, residue="\n".join(residue))


def _set(connection: sa.Connection, erasure_id: str, **values: Any) -> None:
    connection.execute(sa.update(ERASURE).where(ERASURE.c.erasure_id == erasure_id).values(values))


def files_of(engine: sa.Engine, erasure_id: str, place: str) -> list[sa.RowMapping]:
    """The files that an erasure rewrote in one place, by name."""
    query = sa.select(ERASED_FILE).where(ERASED_FILE.c.erasure_id == erasure_id, ERASED_FILE.c.place == place)
    with reading(engine) as connection:
        return list(connection.execute(query.order_by(ERASED_FILE.c.name)).mappings())


def erasures(engine: sa.Engine) -> list[Mapping[str, Any]]:
    """Every erasure, oldest first, with the number of files that it rewrote."""
    files = sa.select(sa.func.count()).where(ERASED_FILE.c.erasure_id == ERASURE.c.erasure_id).scalar_subquery()
    query = sa.select(ERASURE, files.label("file_count")).order_by(ERASURE.c.begun_at, ERASURE.c.erasure_id)
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def readmit(engine: sa.Engine, erasure_id: str, by: str, reason: str) -> bool:
    """Take the person's new rows in again from the next night on, such as after a new registration; suppression stays. False when unknown."""
    mine = sa.update(ERASURE).where(ERASURE.c.erasure_id == erasure_id, ERASURE.c.readmitted_at.is_(None))
    with engine.begin() as connection:
        values = {"readmitted_at": now(), "readmitted_by": by, "readmitted_reason": reason}
        return bool(connection.execute(mine.values(values)).rowcount)


def erased_as_arrow(engine: sa.Engine) -> pa.Table:
    """What recognises erased people, to be bound as `raw_vesper__erased_record`; those readmitted are left out."""
    both = ERASED_RECORD.join(ERASURE, ERASURE.c.erasure_id == ERASED_RECORD.c.erasure_id)
    query = sa.select(ERASED_RECORD.c.kind, ERASED_RECORD.c.hash).select_from(both)
    query = query.where(ERASURE.c.readmitted_at.is_(None)).distinct()
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(ERASED_RECORD.c.kind, ERASED_RECORD.c.hash)).all()
    kinds, hashes = ([row[0] for row in rows], [row[1] for row in rows])
    return pa.table({"kind": pa.array(kinds, pa.string()), "hash": pa.array(hashes, pa.string())})
