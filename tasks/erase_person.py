"""Whom an erasure is about: the records, former ids and own identifiers of one contact, read from every retained snapshot.

What belongs here: collecting them, and the file that holds them while an erasure is under way. What does not: what is done with them.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.sql import declared_tables
from vesper.erasure import ADDRESS_COLUMNS, ID_COLUMNS, QUARANTINE, Person, cut_of
from vesper.language import Translate
from vesper.model.source import Source
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from warehouse import durable
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.erasure import CONTACT, token_of
from warehouse.ledger.schema import MESSAGE
from warehouse.part import VOID
from warehouse.rewrite import retained
from warehouse.runner import Runner

ALIAS = "core__contact_alias"
EVER = "__ever"
MARKS = (*ID_COLUMNS, *ADDRESS_COLUMNS)

Records = set[tuple[str, str]]
Marks = set[tuple[str, str]]


def find(house: House, runner: Runner, who: str, _: Translate) -> Person:
    """The person that a contact id or a source row (`source:key`) names. Raises LookupError with a sentence when nobody is called so."""
    tables = declared_tables(house)
    _bound(house, runner, CONTACT_MEMBER)
    record = _bound(house, runner, SOURCE_RECORD)
    alias = tables.get(ALIAS)
    if alias is not None:
        runner.bind_snapshot(alias, house.lake.in_force(alias.name))
    contact_id, records = _meant(runner, alias, who)
    if not records:
        raise LookupError(
            _("No contact and no source row is called {who}; `vesper explain` finds people.").format(who=who)
        )
    own = _own(runner, record, records)
    records |= _excluded_alike(runner, own)
    own |= _own(runner, record, records)
    ids = _ids(runner, alias, contact_id, records)
    named = [*sorted(ids), *sorted(f"{source}:{key}" for source, key in records)]
    person = Person(
        contact_ids=tuple(sorted(ids)),
        records=tuple(sorted(records)),
        own=tuple(sorted(own)),
        message_ids=tuple(_message_ids(house, ids)),
        tokens={id: token_of(house.address_key, CONTACT, id) for id in sorted(ids)},
        token=f"erased:{token_of(house.address_key, CONTACT, named[0])}",
    )
    return Person(**vars(person) | {"set_aside": _set_aside(house, runner, tables[QUARANTINE], person)})


def _bound(house: House, runner: Runner, table: sa.Table) -> sa.Table:
    """A table in force under its own name, and all retained rows of it under `<name>__ever`, which is returned."""
    runner.bind_snapshot(table, house.lake.in_force(table.name))
    ever = table.to_metadata(sa.MetaData(), name=table.name + EVER)
    ever.info["patched"] = False  # rows of every night side by side, those that a patch made void among them
    parts = retained(house.lake).get(table.name, {}).values()
    runner.bind_parts(ever, [part for part in parts if part.key != VOID])
    return ever


def _meant(runner: Runner, alias: sa.Table | None, who: str) -> tuple[str | None, Records]:
    source, _colon, key = who.partition(":")
    named = sa.select(CONTACT_MEMBER.c.contact_id).where(
        CONTACT_MEMBER.c.source == source, CONTACT_MEMBER.c.record_key == key
    )
    contact_id = runner.scalar(named) or _followed(runner, alias, who)
    of_contact = sa.select(CONTACT_MEMBER.c.source, CONTACT_MEMBER.c.record_key).where(
        CONTACT_MEMBER.c.contact_id == contact_id
    )
    records = {(row[0], row[1]) for row in runner.rows(of_contact)}
    if records:
        return contact_id, records
    alone = sa.select(SOURCE_RECORD.c.source, SOURCE_RECORD.c.record_key)
    alone = alone.where(SOURCE_RECORD.c.source == source, SOURCE_RECORD.c.record_key == key)
    return None, {(row[0], row[1]) for row in runner.rows(alone)}


def _followed(runner: Runner, alias: sa.Table | None, who: str) -> str:
    """The contact that holds the person of a retired id now; the id itself where it is in use."""
    if alias is None:
        return who
    return runner.scalar(sa.select(alias.c.contact_id).where(alias.c.old_id == who)) or who


def _own(runner: Runner, ever: sa.Table, records: Records) -> Marks:
    """(column, value) of identifiers that the records had in any retained night and that no row of another contact has now."""
    had: Marks = set()
    for name in MARKS:
        borne = sa.select(ever.c[name]).where(ever.c[name].is_not(None), _among(ever, records)).distinct()
        had |= {(name, row[0]) for row in runner.rows(borne)}
    others = sa.exists().where(
        CONTACT_MEMBER.c.source == SOURCE_RECORD.c.source, CONTACT_MEMBER.c.record_key == SOURCE_RECORD.c.record_key
    )
    shared: set[tuple[str, str]] = set()
    for name in MARKS:
        values = [value for column, value in had if _kind(column) == _kind(name)]
        held = sa.select(SOURCE_RECORD.c[name]).where(
            SOURCE_RECORD.c[name].in_(values), others, ~_among(SOURCE_RECORD, records)
        )
        shared |= {(_kind(name), row[0]) for row in runner.rows(held.distinct())} if values else set()
    return {(name, value) for name, value in had if (_kind(name), value) not in shared}


def _kind(column: str) -> str:
    return ADDRESS_COLUMNS.get(column, column)


def _among(table: sa.FromClause, records: Records) -> sa.ColumnElement[bool]:
    sources = sorted({source for source, _ in records})
    return sa.or_(
        sa.false(),
        *[
            sa.and_(table.c.source == s, table.c.record_key.in_(sorted(k for source, k in records if source == s)))
            for s in sources
        ],
    )


def _excluded_alike(runner: Runner, own: Marks) -> Records:
    """Rows that are in no contact, such as those deleted at their source, and bear an identifier that is the person's own."""
    member = sa.exists().where(
        CONTACT_MEMBER.c.source == SOURCE_RECORD.c.source, CONTACT_MEMBER.c.record_key == SOURCE_RECORD.c.record_key
    )
    alike = [
        SOURCE_RECORD.c[name].in_(sorted(v for column, v in own if column == name))
        for name in sorted({name for name, _ in own})
    ]
    if not alike:
        return set()
    rows = runner.rows(sa.select(SOURCE_RECORD.c.source, SOURCE_RECORD.c.record_key).where(~member, sa.or_(*alike)))
    return {(row[0], row[1]) for row in rows}


def _ids(runner: Runner, alias: sa.Table | None, contact_id: str | None, records: Records) -> set[str]:
    """The contact's id, ids that merged into it, and ids that its records had and that nobody has now."""
    ever = CONTACT_MEMBER.to_metadata(sa.MetaData(), name=CONTACT_MEMBER.name + EVER)
    live = sa.select(CONTACT_MEMBER.c.contact_id)
    had = sa.select(ever.c.contact_id).where(_among(ever, records), ever.c.contact_id.not_in(live)).distinct()
    ids = {row[0] for row in runner.rows(had)} | ({contact_id} if contact_id else set())
    if alias is not None and contact_id:
        former = sa.select(alias.c.old_id).where(alias.c.contact_id == contact_id)
        ids |= {row[0] for row in runner.rows(former)}
    return ids


def _message_ids(house: House, contact_ids: Iterable[str]) -> list[str]:
    mine = sa.select(MESSAGE.c.message_id).where(MESSAGE.c.contact_id.in_(sorted(contact_ids)))
    with reading(house.engine) as connection:
        return list(connection.scalars(mine.order_by(MESSAGE.c.message_id)))


def _set_aside(house: House, runner: Runner, quarantine: sa.Table, person: Person) -> tuple[tuple[str, str], ...]:
    runner.bind_snapshot(quarantine, house.lake.in_force(quarantine.name))
    cut = cut_of(quarantine.name, quarantine, person, house.definitions_at(None).of(Source))
    assert cut is not None
    rows = runner.rows(sa.select(quarantine.c.source, quarantine.c.row_key).where(cut.gone).distinct())
    return tuple(sorted((row[0], row[1]) for row in rows))


# kept while the erasure is under way ----------------------------------------------------------------------------------


def folder_of(store: Path) -> Path:
    """Where the marks of a person stand from the beginning of an erasure to its end."""
    return store / "erasing"


def keep(store: Path, erasure_id: str, facts: dict[str, Any], person: Person) -> None:
    """Write down what a killed erasure needs to be finished: readable for the owner only, gone when it is done."""
    path = folder_of(store) / f"{erasure_id}.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(path, json.dumps(facts | {"person": asdict(person)}, ensure_ascii=False).encode())


def kept(path: Path) -> tuple[dict[str, Any], Person]:
    """What `keep` wrote."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    said = facts.pop("person")
    pairs = {name: tuple((a, b) for a, b in said[name]) for name in ("records", "own", "set_aside")}
    lists = {name: tuple(said[name]) for name in ("contact_ids", "message_ids")}
    return facts, Person(**said | pairs | lists)
