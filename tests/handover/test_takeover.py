"""While a person talks to a contact, marketing writes nothing: neither what is planned tonight nor what was planned before (R64, R65)."""

import datetime as dt
from pathlib import Path

import pytest

from tests.handover.world import HANDED_AT, MONDAY, Company
from tests.send.company import campaign, definitions, fill, lake, night, people, planned, rows_of, workspace
from vesper import send
from vesper.clock import now
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.send_limits import Limits
from warehouse.ledger.claim import Wanted, claim
from warehouse.ledger.dispatch import Begun, Refused, Terms, begin
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.handover import NightOfSales, record, tasks_as_arrow
from warehouse.ledger.handover_acts import close_task
from warehouse.ledger.session import Session

ON = dt.date(2018, 1, 1)
AT = dt.datetime(2018, 1, 1, 13)


def take_over(ledger: object, contact_id: str) -> None:
    """What a night records of a contact at 90."""
    handed = {
        "handover_id": f"h-{contact_id}",
        "contact_id": contact_id,
        "episode": 1,
        "cause": "high_score",
        "score": 92,
    }
    times = dict.fromkeys(("scored_at", "recorded_at", "created_at", "due_at"), AT)
    task = {"task_id": f"t-{contact_id}", "contact_id": contact_id, "number": 1, "cause": "high_score"}
    opened = {"handover_id": f"h-{contact_id}", "opened_on": ON, "opened_at": AT, "is_open": True}
    record(
        ledger,  # type: ignore[arg-type]
        NightOfSales(ON, handovers=[{**handed, **times, "business_on": ON, "state": "open"}], tasks=[task | opened]),
    )


@pytest.mark.requirement("R64", "R65")
@pytest.mark.parametrize(("purpose", "decision"), [("marketing", "human_takeover"), ("requested", "intent")])
def test_the_plan_refuses_marketing_and_nothing_else(tmp_path: Path, purpose: str, decision: str) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    take_over(ledger, "c0000")
    engine = lake()
    fill(engine, people(2))
    with engine.begin() as connection:
        connection.execute(RAW_HUMAN_TASK.insert(), tasks_as_arrow(ledger).to_pylist())
    mine = campaign(purpose=purpose)
    tonight = night(definitions(mine), tmp_path)
    assert {
        row.contact_id: row.decision
        for row in rows_of(engine, send.plan(send.sending_of(mine), send.audience(mine), tonight))
    } == {
        "c0000": decision,
        "c0001": "intent",
    }
    engine.dispose()
    ledger.dispose()


@pytest.mark.requirement("R64")
def test_a_task_that_was_closed_before_the_plan_refuses_nobody(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    take_over(ledger, "c0000")
    close_task(ledger, "t-c0000", "安", "谈过了", AT - dt.timedelta(hours=1))
    engine = lake()
    fill(engine, people(1))
    with engine.begin() as connection:
        connection.execute(RAW_HUMAN_TASK.insert(), tasks_as_arrow(ledger).to_pylist())
    tonight = night(definitions(campaign()), tmp_path)
    assert [
        row.decision
        for row in rows_of(engine, send.plan(send.sending_of(campaign()), send.audience(campaign()), tonight))
    ] == ["intent"]
    engine.dispose()
    ledger.dispose()


@pytest.mark.requirement("R64")
def test_what_waits_already_is_refused_when_its_turn_comes(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}")
    planned(ledger, definitions(campaign()), tmp_path, people(2))
    take_over(ledger, "c0000")
    zone = workspace(tmp_path).company.zone
    with Session(ledger) as session:
        claimed = claim(session, "w", Wanted("email", AT + dt.timedelta(days=2), 10), now())
        waiting = {one.contact_id: one for one in claimed}
        moment, terms = waiting["c0000"].not_before, Terms("w", Limits((zone,)))
        assert begin(session, waiting["c0000"], moment, terms) == Refused("human_takeover")
        assert isinstance(begin(session, waiting["c0001"], moment, terms), Begun)
    ledger.dispose()


@pytest.mark.requirement("R64")
def test_a_night_opens_what_the_send_stage_reads(company: Company) -> None:
    company.night({"a": 92, "b": 80}, MONDAY)
    rows = tasks_as_arrow(company.house.engine).to_pylist()
    assert [(row["contact_id"], row["is_open"], row["opened_at"]) for row in rows] == [("a", True, HANDED_AT)]
