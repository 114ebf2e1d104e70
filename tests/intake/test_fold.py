"""The night takes the inbox in: the same people, the same events, each once."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.tick_company import forms, made
from tasks.consolidate import consolidate
from tasks.inbox import Inbox, bind_now
from tasks.tick import Tick
from vesper.clock import now
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT, CONTACT_MEMBER
from vesper.tables.identity import CONTACT_ALIAS, MERGE_EVENT
from warehouse.house import House
from warehouse.ledger.inbox import Arrival, append, append_all
from warehouse.ledger.send_schema import INBOX
from warehouse.runner import Runner

Rows = list[Mapping[str, object]]


def seen(root: Path) -> tuple[Inbox, Rows]:
    """The inbox between nights, and events as they stand now."""
    house = House.open(root)
    with Runner(house.lake, threads=1) as runner:
        tick = Tick(house)
        inbox = bind_now(house, runner, tick.night(tick.current(), now()))
        events = [row._asdict() for row in runner.rows(sa.select(EVENT).order_by(EVENT.c.at, EVENT.c.event_id))]
    house.close()
    return inbox, events


def published(root: Path, table: sa.Table) -> Rows:
    house = House.open(root)
    with Runner(house.lake, threads=1) as runner:
        runner.bind_snapshot(table, house.lake.in_force(table.name))
        rows = [row._asdict() for row in runner.rows(sa.select(table))]
    house.close()
    return rows


@pytest.mark.slow
@pytest.mark.requirement("R17", "R1")
def test_a_form_is_the_same_person_and_the_same_event_before_the_night_and_after(tmp_path: Path) -> None:
    root = made(tmp_path / "company", 20)
    known = next(row["contact_id"] for row in published(root, CONTACT) if row["email"] == "person1@example.com")
    house = House.open(root)
    with house.engine.begin() as connection:
        append_all(connection, forms(4, 20))
        append(connection, Arrival("paper", "again", "form_submitted", now(), {"email": "stranger0@example.com"}))
        left = Arrival("vesper_unsubscribe", "m1", "unsubscribed", now(), {"how": "one_click"}, str(known), "m1")
        append(connection, left, handled_at=now())
        append(connection, dataclasses.replace(left, source_event_id="test-1", kind="unsubscribe_tested"))
    on = house.business_on()
    house.close()
    inbox, events = seen(root)
    assert inbox.contacts[2] == known and len(set(inbox.contacts.values())) == 4
    for _ in range(2):  # a night that is run again takes the same rows in
        report = consolidate(root, on)
        assert report.facts["inbox_rows"] == 6
    after, same = seen(root)
    assert after.rows == [] and len(same) == len(events) == 6
    facts = ("contact_id", "kind", "at", "message_id", "is_machine", "on")
    assert [[row[name] for name in facts] for row in same] == [[row[name] for name in facts] for row in events]
    members = {
        row["record_key"]: row["contact_id"]
        for row in published(root, CONTACT_MEMBER)
        if row["source"] == "vesper_form"
    }
    assert members == {f"{id:012d}": inbox.contacts[id] for id in (1, 2, 3, 4, 5)}
    house = House.open(root)
    with house.engine.connect() as connection:
        folded = set(connection.execute(sa.select(INBOX.c.kind, INBOX.c.folded_on)).all())
    house.close()
    assert folded == {("form_submitted", on), ("unsubscribed", on), ("unsubscribe_tested", None)}


@pytest.mark.slow
@pytest.mark.requirement("R13", "R74")
def test_a_stranger_whom_another_source_brings_the_same_night_keeps_an_alias(tmp_path: Path) -> None:
    """The provisional id names messages and journeys by then: it must lead to the contact that its person turns out to be."""
    root = made(tmp_path / "company", 20)
    house = House.open(root)
    with house.engine.begin() as connection:
        append(connection, Arrival("paper", "1", "form_submitted", now(), {"email": "late@example.com"}))
        append(connection, Arrival("paper", "2", "form_submitted", now(), {"email": "other@example.com"}))
    on = house.business_on()
    house.close()
    inbox, _ = seen(root)
    folder = root / ".vesper" / "landing" / "crm_member"
    file = next(folder.glob("*.csv"))
    (known,) = [row["contact_id"] for row in published(root, CONTACT) if row["email"] == "person5@example.com"]
    lines = file.read_text(encoding="utf-8").replace("person5@example.com", "late@example.com")
    (folder / f"{on}.csv").write_text(lines + "a1,New,other@example.com,2020-01-01 10:00\n", encoding="utf-8")
    consolidate(root, on)
    aliases = {row["old_id"]: row["contact_id"] for row in published(root, CONTACT_ALIAS)}
    contacts = {row["contact_id"] for row in published(root, CONTACT)}
    assert inbox.contacts[2] in contacts, "of two new rows, the one that was known since keeps its id"
    assert aliases == {inbox.contacts[1]: known} and len(contacts) == 21
    assert published(root, MERGE_EVENT) == []
