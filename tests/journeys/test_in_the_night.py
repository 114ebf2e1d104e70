"""A journey of the small grocer in the real send stage: entered, planned, counted in its funnel; foreseen by the forecast; its tasks closed by hand."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from tasks.journey import LakeDesk, bind_events, play
from tasks.journey_forecast import foreseen
from tasks.send import send
from tasks.sql import open_to_read, run_sql
from tests.journeys.company import KEY
from tests.small_grocer import LAST, GrocerNights, copied
from vesper.check import check
from vesper.clock import instant
from vesper.journey.turn import Turn
from vesper.tables.campaign import EVENT
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

THANKS = """
says: 核销后道谢并回访
owner: marketing@grocer.example.com
series: Thanks2018
state: full
brief:
  persona: 刚用过券的家庭
  message: 谢谢您
  cta: {what: 再来, benefit: 下次还有券}
  stages: [prospect, first_purchase, repurchase, loyal, at_risk]
  timing: 核销之后
  goal: 20% 再次到店
purpose: marketing
max_people: 5000
starts_on: 2017-12-01
ends_on: 2018-03-31
entry: {event: {kind: coupon_redeemed}}
reentry: after 60d
steps:
  - {id: thanks, owner: anna@grocer.example.com, within: 2d, send: {content: winback_coupon}}
  - {id: pause, owner: anna@grocer.example.com, within: 60d, wait: 30d}
  - {id: call, owner: bob@grocer.example.com, within: 2d, task: {kind: call, due: 2d}}
examples: [{expect: []}]
"""
COUNTS = "sum(entered_count), sum(passed_count), sum(waiting_count), sum(ended_count)"


@pytest.fixture(scope="module")
def grocer(grocer_nights: GrocerNights, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The send stage of the last night run once more, with a journey in force."""
    root = copied(grocer_nights.after[LAST], tmp_path_factory.mktemp("journeys") / "grocer")
    (root / "definitions" / "journeys").mkdir()
    (root / "definitions" / "journeys" / "thanks.yml").write_text(THANKS, encoding="utf-8")
    assert check(root) == []
    return root, send(root, LAST, may_send=True)


@pytest.mark.requirement("R71", "R73", "R100")
def test_the_send_stage_advances_the_journeys(grocer: tuple[Path, Any]) -> None:
    root, report = grocer
    (thanks,) = [row for row in report.facts["journeys"] if row["step_id"] == "thanks"]
    entries = run_sql(
        root, "select count(*), count(distinct contact_id) from out__journey_entry where series_id = 'Thanks2018'"
    )[1]
    assert entries[0][0] > 2
    assert (
        sum(count for name, count in thanks.items() if name not in ("journey", "journey_id", "step_id"))
        == entries[0][0]
    )
    funnel = run_sql(
        root, f"select step_id, place, kind, {COUNTS} from mart__journey_funnel group by all order by place"
    )[1]
    assert [row[:3] for row in funnel] == [("thanks", 1, "send"), ("pause", 2, "wait"), ("call", 3, "task")]
    assert all(row[3] == row[4] + row[5] + row[6] for row in funnel)
    assert funnel[0][3] == entries[0][0]
    series = run_sql(root, "select distinct series_id from out__message where campaign_id = 'thanks'")[1]
    assert series in ([], [("Thanks2018",)])


@pytest.mark.requirement("R61", "R110")
def test_the_days_to_come_are_foreseen_and_nothing_of_it_stays(grocer: tuple[Path, Any]) -> None:
    root, _ = grocer
    with open_to_read(root) as house:
        before = run_sql(root, "select count(*) from out__journey_entry")[1]
        found = foreseen(house, days=40)
        assert run_sql(root, "select count(*) from out__journey_entry")[1] == before
    waiting = run_sql(root, "select count(*) from out__journey_entry where state = 'active'")[1][0][0]
    assert sum(one.people for one in found if one.step_id == "call") == waiting > 0
    assert {one.decision for one in found} == {"task_opened"}
    assert min(one.on for one in found) > LAST
    said = CliRunner().invoke(app, ["forecast", "--workspace", str(root), "--days", "40"])
    assert said.exit_code == 0, said.output
    assert "thanks" in said.output


@pytest.mark.requirement("R73")
def test_a_tick_on_the_lake_sees_the_inbox(grocer: tuple[Path, Any], tmp_path: Path) -> None:
    """Published events and those of the inbox are one table; only the contacts of the tick are looked at."""
    import pyarrow as pa

    root = copied(grocer[0], tmp_path / "grocer")
    house = House.open(root)
    try:
        known = run_sql(
            root,
            "select contact_id from core__contact where contact_id not in (select contact_id from out__journey_entry) order by 1 limit 2",
        )[1]
        one, other = [row[0] for row in known]
        at = instant(LAST + dt.timedelta(days=1), dt.time(9), house.workspace.company.zone)
        rows = [
            {"event_id": f"inbox:{n}", "on": LAST + dt.timedelta(days=1), "contact_id": who, "kind": "coupon_redeemed"}
            | {"at": at, "received_at": at, "source": "inbox", "is_machine": False}
            for n, who in enumerate((one, other), 7)
        ]
        night = house.night(LAST + dt.timedelta(days=1))
        with Runner(house.lake) as runner:
            bind_key(runner, house.address_key)
            bind_events(house, runner, night, pa.Table.from_pylist(rows, schema=arrow_schema(EVENT)))
            turn = Turn.of_tick(night, at + dt.timedelta(seconds=5), at, {"coupon_redeemed"})
            done = play(house, LakeDesk(house, runner, night), turn, [one])
        assert done.kept.entered == 1
        with house.engine.connect() as connection:
            found = connection.exec_driver_sql(
                f"select inbox_id, state from journey_entry where contact_id = '{one}'"
            ).all()
            assert [tuple(row) for row in found] == [(7, "active")]
            assert (
                connection.exec_driver_sql(f"select count(*) from journey_entry where contact_id = '{other}'").scalar()
                == 0
            )
    finally:
        house.close()


@pytest.mark.requirement("R73")
def test_tasks_are_listed_and_closed_by_hand(grocer: tuple[Path, Any], tmp_path: Path) -> None:
    root = copied(grocer[0], tmp_path / "grocer")
    runner = CliRunner()
    assert "没有" in runner.invoke(app, ["task", "list", "--workspace", str(root)]).output
    house = House.open(root)
    try:
        at = dt.datetime(2018, 1, 1, 13)
        with house.engine.begin() as connection:
            columns = "task_id, journey_id, contact_id, occurrence, step_id, kind, owner, business_on, opened_at, due_at, is_open"
            values = f"'abc123', 'thanks', 'c1', 1, 'call', 'demo', 'bob', '2018-01-01', '{at}', '{at}', 1"
            connection.exec_driver_sql(f"insert into nurture_task ({columns}) values ({values})")
    finally:
        house.close()
    listed = runner.invoke(app, ["task", "list", "--workspace", str(root)]).output
    assert "abc123" in listed
    assert "演示" in listed
    closed = runner.invoke(app, ["task", "close", "abc", "--reason", "done", "--by", "bob", "--workspace", str(root)])
    assert closed.exit_code == 0, closed.output
    again = runner.invoke(app, ["task", "close", "abc", "--reason", "done", "--workspace", str(root)])
    assert isinstance(again.exception, LookupError)
    assert KEY not in listed
