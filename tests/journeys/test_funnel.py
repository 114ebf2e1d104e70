"""The funnel: everybody who came to a step went on, waits there, or left there."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings

from tests.conditions.world import Event, Tables
from tests.journeys.company import CONTENT, Company, TableDesk, happened, journey
from tests.journeys.test_engine import POOL, dated, emptied, events, journeys
from vesper.marts.journey_entry import journey_entry
from vesper.marts.journey_funnel import JOURNEY_FUNNEL, journey_funnel
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.journey_copies import copies


def funnel(company: Company, on: dt.date) -> dict[str, dict[str, Any]]:
    """The rows of the night's funnel by step."""
    for name, rows in copies(company.engine).items():
        TableDesk(company.tables).bind_arrow(name, rows)
    select = journey_funnel(company.night_of(on))
    assert select.selected_columns.keys() == JOURNEY_FUNNEL.c.keys()
    return {row["step_id"]: row for row in company.tables.rows(select)}


@pytest.mark.requirement("R73", "R100", "R102")
def test_the_funnel_counts_every_step(company: Company) -> None:
    text = journey(
        "id: hello, within: 5m, send: {content: hello}",
        "id: pause, wait: 2d",
        "id: more, send: {content: reminder}",
        goal="{happened: {event: {kind: coupon_redeemed}}}",
    )
    company.define(journeys__j1=text)
    people = ["c1", "c2", "c3", "c4"]
    facts = [happened("page_viewed", 1, contact_id=who) for who in people[:3]]
    facts += [happened("page_viewed", 3, contact_id="c4"), happened("coupon_redeemed", 2, contact_id="c2")]
    company.know(people, facts)
    company.consenting = ["c1", "c2", "c4"]
    for day in (2, 3, 4):
        company.night(dt.date(2018, 1, day))
    rows = funnel(company, dt.date(2018, 1, 4))
    counts = (
        "place",
        "kind",
        "owner",
        "entered_count",
        "passed_count",
        "waiting_count",
        "ended_count",
        "goal_count",
        "refused_count",
        "late_count",
    )
    assert {step: tuple(row[name] for name in counts) for step, row in rows.items()} == {
        "hello": (1, "send", "anna", 4, 4, 0, 0, 0, 1, 4),
        "pause": (2, "wait", "anna", 4, 2, 1, 1, 1, 0, 0),
        "more": (3, "send", "anna", 2, 2, 0, 0, 0, 1, 0),
    }
    company.define(journeys__j1=journey("id: hello, send: {content: hello}"))
    rows = funnel(company, dt.date(2018, 1, 4))
    assert (rows["pause"]["kind"], rows["pause"]["place"], rows["pause"]["entered_count"]) == ("gone", 0, 4)
    entries = company.tables.rows(journey_entry(company.night_of(dt.date(2018, 1, 4))))
    assert {row["contact_id"]: (row["state"], row["series_id"]) for row in entries} == {
        "c1": ("done", "S1"),
        "c2": ("goal", "S1"),
        "c3": ("done", "S1"),
        "c4": ("active", "S1"),
    }


@pytest.fixture(scope="module")
def fresh(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("funnel")
    engine: sa.Engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    yield Company(tables, engine, root)
    engine.dispose()


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(text=journeys(), facts=events)
def test_entered_is_passed_waiting_or_ended(fresh: Company, text: str, facts: list[Event]) -> None:
    emptied(fresh)
    fresh.define(content__hello=CONTENT, coupons__ten_off=POOL, journeys__j1=text)
    fresh.know(["c1", "c2", "c3"], dated(facts))
    fresh.night(dt.date(2018, 1, 5))
    entries = fresh.entries()
    rows = funnel(fresh, dt.date(2018, 1, 5))
    for row in rows.values():
        assert row["entered_count"] == row["passed_count"] + row["waiting_count"] + row["ended_count"]
    assert sum(row["waiting_count"] for row in rows.values()) == sum(one["state"] == "active" for one in entries)
    assert sum(row["ended_count"] for row in rows.values()) == sum(
        one["state"] in ("goal", "exited", "expired") for one in entries
    )
    assert rows["s0"]["entered_count"] == len(entries)
