"""What holds for every journey: when the turns come changes nobody's way, nobody is lost, and nobody is at two steps."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conditions.world import Event, Tables
from tests.journeys.company import CONTENT, Company, happened, journey, on_day
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.schema import LEDGER

POOL = "\nsays: 券\nowner: marketing\nmade: {count: 60}\nwarn_below: 0\n"
KINDS = ("page_viewed", "form_submitted", "coupon_redeemed")
DAYS = 5
INSTANTS = [on_day(1, "00:00") + dt.timedelta(hours=8 * n) for n in range(1, 3 * DAYS + 1)]


def asked(draw: Any, steps: list[str]) -> str:
    since = draw(st.sampled_from(["entry", *steps]))
    kind, least = draw(st.sampled_from(KINDS)), draw(st.integers(1, 2))
    return f"{{happened: {{event: {{kind: {kind}}}, since: {since}, at_least: {least}}}}}"


@st.composite
def journeys(draw: Any) -> str:
    """A journey of a few steps, each of which goes forward."""
    count = draw(st.integers(2, 5))
    names = [f"s{n}" for n in range(count)]
    steps = []
    for place, name in enumerate(names):
        later = [*names[place + 1 :], "end"]
        kind = draw(st.sampled_from(["send", "give", "task", "wait", "until", "open", "clock", "branch"]))
        when = asked(draw, names[:place])
        hours = draw(st.integers(1, 40))
        body = {
            "send": "send: {content: hello}",
            "give": "give: {pool: ten_off}",
            "task": "task: {kind: call, due: 1d}",
            "wait": f"wait: {hours}h",
            "until": f"until: {{when: {when}, at_most: {hours}h}}",
            "open": f"within: {hours}h, until: {{when: {when}}}",
            "clock": 'clock: {at: "09:00"}',
            "branch": f"branch: [{{when: {when}, go: {draw(st.sampled_from(later))}}}, "
            f"{{when: {{not: {asked(draw, names[:place])}}}, go: {draw(st.sampled_from(later))}}}]",
        }[kind]
        steps.append(f"id: {name}, {body}")
    more = {"reentry": draw(st.sampled_from(["never", "each", "after 2d"]))}
    if draw(st.booleans()):
        more["goal"] = asked(draw, names[:1])
    if draw(st.booleans()):
        more["exits"] = f"[{{id: gone, when: {asked(draw, [])}}}]"
    return journey(*steps, **more)


events = st.lists(
    st.builds(
        lambda who, kind, half: Event(
            who, kind, dt.date(2018, 1, 2), moment=on_day(1, "00:00") + dt.timedelta(minutes=30 * half)
        ),
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from(KINDS),
        st.integers(0, 48 * DAYS),
    ),
    max_size=14,
)


def dated(facts: list[Event]) -> list[Event]:
    """Facts on the company day of their instant."""
    return [replace(one, on=(one.at + dt.timedelta(hours=8)).date()) for one in facts]


def emptied(company: Company) -> None:
    with company.engine.begin() as connection:
        for table in reversed(LEDGER.sorted_tables):
            connection.execute(sa.delete(table))


def played(company: Company, text: str, facts: list[Event], instants: list[dt.datetime]) -> tuple[list[Any], list[Any]]:
    """Entries and ways after turns at these instants."""
    emptied(company)
    company.define(content__hello=CONTENT, coupons__ten_off=POOL, journeys__j1=text)
    company.know(["c1", "c2", "c3"], facts)
    for instant in instants:
        company.tick(instant)
    kept = (
        "contact_id",
        "occurrence",
        "entered_at",
        "step_id",
        "step_since_at",
        "due_at",
        "state",
        "reason",
        "ended_at",
        "number",
    )
    entries = [tuple(row[name] for name in kept) for row in company.entries()]
    ways = [
        tuple(row[n] for n in ("contact_id", "occurrence", "number", "step_id", "at", "left_at"))
        for row in company.visits()
    ]
    return entries, ways


@pytest.fixture(scope="module")
def played_in(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root: Path = tmp_path_factory.mktemp("engine")
    engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    yield Company(tables, engine, root)
    engine.dispose()


@pytest.mark.requirement("R73", "R81")
@settings(max_examples=8, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(text=journeys(), facts=events)
def test_one_turn_takes_everybody_the_same_way_as_many(played_in: Company, text: str, facts: list[Event]) -> None:
    facts = dated(facts)
    once = played(played_in, text, facts, INSTANTS[-1:])
    daily = played(played_in, text, facts, INSTANTS[2::3])
    often = played(played_in, text, facts, INSTANTS)
    assert once == daily == often
    well_formed(played_in)


def well_formed(company: Company) -> None:
    """Nobody is lost and nobody is at two places: what the ledger says of itself."""
    entries, visits = company.entries(), company.visits()
    states = Counter(row["state"] for row in entries)
    assert sum(states.values()) == len(entries)
    assert set(states) <= {"active", "done", "goal", "exited", "expired"}
    active = Counter(row["contact_id"] for row in entries if row["state"] == "active")
    assert all(count == 1 for count in active.values())
    for entry in entries:
        way = [v for v in visits if (v["contact_id"], v["occurrence"]) == (entry["contact_id"], entry["occurrence"])]
        assert [v["number"] for v in way] == list(range(1, entry["number"] + 1))
        assert (way[-1]["step_id"], way[-1]["at"]) == (entry["step_id"], entry["step_since_at"])
        assert [v["left_at"] is None for v in way] == [False] * (len(way) - 1) + [entry["state"] == "active"]
        assert [v["at"] for v in way[1:]] == [v["left_at"] for v in way[:-1]]
        assert (entry["ended_at"] is None) == (entry["state"] == "active")
    acted = Counter(
        (v["contact_id"], v["occurrence"], v["step_id"])
        for v in visits
        if v["outcome"] in ("intent", "given", "task_opened")
    )
    kept = Counter((m["contact_id"], m["occurrence"], m["step_id"]) for m in company.messages())
    kept += Counter((t["contact_id"], t["occurrence"], t["step_id"]) for t in company.tasks())
    kept += Counter(
        (c["contact_id"], int(c["reference"].split("|")[2]), c["reference"].split("|")[1]) for c in company.coupons()
    )
    assert acted <= kept
    assert max(kept.values(), default=1) == 1


def test_the_same_turn_again_changes_nothing(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: hello, send: {content: hello}", "id: pause, wait: 1d", "id: more, send: {content: reminder}"
        )
    )
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    before = company.entries(), company.visits(), company.messages()
    assert company.night(dt.date(2018, 1, 2)).kept.moved == 0
    assert (company.entries(), company.visits(), company.messages()) == before
