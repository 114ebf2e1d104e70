"""A campaign that went wrong: paused, counted, listed without a name, and its answers count nowhere."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from tasks import ops
from tasks.incident import incident
from tasks.sql import Unanswered
from tests.definitions.conftest import GOOD, Company, company
from tests.send.company import (
    NIGHT,
    campaign,
    consent_in_ledger,
    definitions,
    delivered,
    lake,
    messages,
    people,
    planned,
    rows_of,
    workspace,
)
from vesper.conditions.event_filter import EventFilter
from vesper.consolidate.incident import marked
from vesper.send import message_id
from vesper.tables.campaign import EVENT
from vesper.tables.ledger_copy import LEDGER_INCIDENT
from warehouse.house import House
from warehouse.ledger import incident as in_ledger
from warehouse.ledger.send_stop import paused

__all__ = ["company"]

DAY = dt.timedelta(days=1)


def events(*named: str | None) -> list[dict[str, Any]]:
    at = dt.datetime(2018, 1, 2, 11)
    base = {"on": at.date(), "contact_id": "c1", "kind": "mail_clicked", "at": at, "received_at": at, "source": "mail"}
    return [base | {"event_id": f"e{n}", "is_machine": False, "message_id": id} for n, id in enumerate(named)]


def counted(rows: pa.Table, *named: str | None) -> tuple[list[str | None], int]:
    """What marks events that answer messages bear, and how many of them a condition counts."""
    engine = lake()
    LEDGER_INCIDENT.create(engine)
    came = sa.Table("came", sa.MetaData(), *[sa.Column(c.name, c.type) for c in EVENT.c if c.name != "excluded_by"])
    came.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(came), events(*named))
        if rows.num_rows:
            connection.execute(sa.insert(LEDGER_INCIDENT), rows.to_pylist())
    found = rows_of(engine, marked(came).order_by(came.c.event_id))
    with engine.begin() as connection:
        connection.execute(sa.insert(EVENT), [row._asdict() for row in found])
    meant = EventFilter.model_validate({"kind": "mail_clicked"})
    count = rows_of(engine, sa.select(sa.func.count()).where(meant.holds()))[0][0]
    engine.dispose()
    return [row.excluded_by for row in found], count


@pytest.mark.requirement("R109")
def test_an_incident_pauses_counts_and_leaves_its_answers_out(any_ledger: sa.Engine, tmp_path: Path) -> None:
    persons, both = people(3), definitions(campaign("a"), campaign("b"))
    planned(any_ledger, both, tmp_path, persons)
    delivered(any_ledger, both, workspace(tmp_path), persons[:2])
    planned(any_ledger, both, tmp_path, [*persons, *people(5)[3:]], NIGHT + DAY)
    assert in_ledger.record(any_ledger, "a", "anna", "wrong price", NIGHT + 2 * DAY) == 1
    fates = {one.contact_id: one.fate for one in in_ledger.fates(any_ledger, "a")}
    assert fates == {
        "c0000": "reached",
        "c0001": "reached",
        "c0002": "not_sent",
        "c0003": "stopped",
        "c0004": "stopped",
    }
    assert paused(any_ledger) == {"a"}
    delivered(any_ledger, both, workspace(tmp_path), people(5), on=NIGHT + DAY)
    assert {row.state for row in messages(any_ledger) if row.campaign_id == "a" and row.contact_id > "c0002"} == {
        "planned"
    }
    assert in_ledger.messages_as_arrow(any_ledger, NIGHT + DAY).num_rows == 0
    rows = in_ledger.messages_as_arrow(any_ledger, NIGHT + 2 * DAY)
    assert rows.num_rows == 5
    in_ledger.record(any_ledger, "a", "anna", "and again", NIGHT + 2 * DAY)
    assert in_ledger.messages_as_arrow(any_ledger, NIGHT + 3 * DAY) == rows
    mine, other = message_id("a", "c0000"), message_id("b", "c0000")
    assert counted(rows, mine, other, None, "hubspot:1", mine) == (["incident 1", None, None, None, "incident 1"], 3)


@pytest.mark.requirement("R109")
def test_without_an_incident_every_answer_counts(ledger: sa.Engine) -> None:
    assert counted(in_ledger.messages_as_arrow(ledger, NIGHT), "m1", None) == ([None, None], 2)


@pytest.mark.requirement("R109", "R110", "R122")
def test_the_command_says_that_nothing_comes_back_and_lists_nobody_by_name(company: Company, tmp_path: Path) -> None:
    ops_ready(company)
    house = House.open(company.root)
    persons, known = people(2), definitions(campaign())
    consent_in_ledger(house.engine, persons)
    planned(house.engine, known, company.root, persons)
    house.close()
    file = tmp_path / "reached.csv"
    said = incident(company.root, "winback", "wrong price", "anna", file)
    assert "cannot be recalled" in said
    assert "| stopped | 2 |" in said
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [(row["contact"], row["what became of it"]) for row in rows] == [("c0000", "stopped"), ("c0001", "stopped")]
    assert "@" not in file.read_text(encoding="utf-8-sig")
    for wrong in (("winback", file), ("winback", tmp_path / "list.txt"), ("nobody", None)):
        with pytest.raises(Unanswered):
            incident(company.root, wrong[0], "wrong price", "anna", wrong[1])


@pytest.mark.requirement("R108")
def test_one_campaign_is_paused_and_resumed_by_acts_of_their_own(company: Company) -> None:
    ops_ready(company)
    assert "winback" in ops.stop(company.root, "wrong price", "anna", "winback")
    house = House.open(company.root)
    assert paused(house.engine) == {"winback"}
    ops.resume(company.root, "right price", "anna", "winback")
    assert paused(house.engine) == frozenset()
    house.close()
    with pytest.raises(LookupError, match="nobody"):
        ops.stop(company.root, "wrong price", "anna", "nobody")


def ops_ready(company: Company) -> None:
    """The company without its scoring rule, which two people would have to sign, in force."""
    (company.root / "definitions" / "scoring" / "two_orders.yml").unlink()
    company.write("campaigns/winback.yml", GOOD["campaigns/winback"])
    ops.activate_all(company.root, "test", "the company begins")
