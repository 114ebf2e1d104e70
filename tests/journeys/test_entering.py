"""Who enters, when, and how often."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions.world import Tables
from tests.journeys.company import CONTENT, Company, happened, journey, on_day, states
from tests.journeys.test_engine import emptied
from vesper.rollout import bucket
from warehouse.ledger.engine import open_ledger

HELLO = "id: hello, send: {content: hello}"
BIRTHDAY = journey(
    'id: morning, within: 2d, clock: {at: "09:00"}',
    HELLO,
    entry="{when: {anniversary: {field: birth_on, within: 1d}}}",
    reentry="each",
)


def nights(company: Company, first: dt.date, count: int) -> None:
    for ahead in range(count):
        company.night(first + dt.timedelta(days=ahead))


def test_never_lets_everybody_in_once(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO))
    company.know(["c1"], [happened("page_viewed", day) for day in (1, 2, 5)])
    nights(company, dt.date(2018, 1, 2), 6)
    assert states(company) == [("c1", 1, "done", None)]


def test_each_lets_in_again_once_it_is_over(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO, "id: pause, wait: 2d", reentry="each"))
    company.know(["c1"], [happened("page_viewed", day) for day in (1, 2, 3, 5)])
    nights(company, dt.date(2018, 1, 2), 8)
    assert [(row["occurrence"], row["entered_at"]) for row in company.entries()] == [(1, on_day(1)), (2, on_day(5))]
    assert len({row["message_id"] for row in company.messages()}) == 2


def test_after_keeps_a_distance_between_entries(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO, reentry="after 3d"))
    company.know(["c1"], [happened("page_viewed", day) for day in (1, 2, 3, 4, 5, 6, 7, 8)])
    nights(company, dt.date(2018, 1, 2), 8)
    assert [row["entered_at"] for row in company.entries()] == [on_day(1), on_day(4), on_day(7)]


def test_a_condition_lets_in_when_it_comes_to_hold(company: Company) -> None:
    company.define(
        segments__quiet="says: x\nowner: o\nmembers: {always: {}}\n",
        journeys__j1=journey(HELLO, entry="{when: {segment: {id: quiet}}}", reentry="each"),
    )
    inside = {"c1": frozenset({"quiet"})}
    for day, segments in enumerate((inside, inside, {}, {}, inside, inside)):
        company.know(["c1", "c2"], segments=segments)
        company.night(dt.date(2018, 1, 2) + dt.timedelta(days=day))
    assert [(row["contact_id"], row["business_on"]) for row in company.entries()] == [
        ("c1", dt.date(2018, 1, 2)),
        ("c1", dt.date(2018, 1, 6)),
    ]


@pytest.mark.requirement("R76")
@pytest.mark.parametrize(
    ("born", "mornings"),
    [
        (dt.date(1990, 5, 20), [dt.date(2018, 5, 20), dt.date(2019, 5, 20)]),
        (dt.date(1988, 2, 29), [dt.date(2018, 2, 28), dt.date(2019, 2, 28)]),
    ],
)
def test_a_birthday_comes_once_a_year(company: Company, born: dt.date, mornings: list[dt.date]) -> None:
    company.define(journeys__j1=BIRTHDAY)
    company.know(["c1"], attributes={"c1": {"birth_on": born, "email": "c1@example.com"}})
    for year in (2018, 2019):
        nights(company, mornings[year - 2018] - dt.timedelta(days=3), 5)
    assert [at.date() for n in (1, 2) for step, at in company.way(occurrence=n) if step == "hello"] == mornings
    assert len(company.entries()) == len(company.messages()) == 2


@pytest.mark.requirement("R76")
def test_a_leap_day_in_a_leap_year(company: Company) -> None:
    company.define(
        journeys__j1=BIRTHDAY.replace("starts_on: 2018-01-01", "starts_on: 2020-01-01").replace(
            "2019-12-31", "2020-12-31"
        )
    )
    company.know(["c1"], attributes={"c1": {"birth_on": dt.date(1988, 2, 29), "email": "c1@example.com"}})
    nights(company, dt.date(2020, 2, 25), 8)
    assert company.way()[1] == ("hello", dt.datetime(2020, 2, 29, 9))


def test_only_those_for_whom_it_is_meant_enter(company: Company) -> None:
    company.define(
        segments__vip="says: x\nowner: o\nmembers: {always: {}}\n",
        journeys__j1=journey(HELLO, entry="{event: {kind: page_viewed}, who: {segment: {id: vip}}}"),
    )
    company.know(
        ["c1", "c2"],
        [happened("page_viewed", 1, contact_id=who) for who in ("c1", "c2", "cx")],
        segments={"c2": frozenset({"vip"})},
    )
    company.night(dt.date(2018, 1, 2))
    assert states(company) == [("c2", 1, "done", None)]


def test_who_meets_the_goal_already_does_not_enter(company: Company) -> None:
    company.define(
        segments__bought="says: x\nowner: o\nmembers: {always: {}}\n",
        journeys__j1=journey(HELLO, goal="{segment: {id: bought}}"),
    )
    company.know(
        ["c1", "c2"],
        [happened("page_viewed", 1, contact_id=who) for who in ("c1", "c2")],
        segments={"c1": frozenset({"bought"})},
    )
    company.night(dt.date(2018, 1, 2))
    assert states(company) == [("c2", 1, "done", None)]


@pytest.mark.requirement("R107")
def test_too_many_people_and_nobody_enters(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO, max_people="2"))
    people = ["c1", "c2", "c3"]
    company.know(people, [happened("page_viewed", 1, contact_id=who) for who in people])
    assert company.night(dt.date(2018, 1, 2)).over_max_people == {"j1": 3}
    assert company.entries() == []
    company.know(people, [happened("page_viewed", 1, contact_id=who) for who in people[:2]])
    company.night(dt.date(2018, 1, 3))
    assert len(company.entries()) == 2


@pytest.mark.requirement("R99", "R101")
def test_the_rollout_widens_from_pilot_to_all(company: Company) -> None:
    people = [f"c{n:03}" for n in range(40)]
    company.know(people, [happened("page_viewed", 1, contact_id=who) for who in people])
    reached: list[set[str]] = []
    for state in ("draft", "pilot", "partial", "full"):
        company.define(journeys__j1=journey(HELLO, state=state, pilot="{people: 3}", partial="0.5"))
        company.night(dt.date(2018, 1, 2) + dt.timedelta(days=len(reached)))
        reached.append({row["contact_id"] for row in company.entries()})
    assert [len(some) for some in (reached[0], reached[1], reached[3])] == [0, 3, 40]
    assert reached[0] <= reached[1] <= reached[2] <= reached[3]
    assert reached[1] == set(sorted(people, key=lambda who: bucket("j1", who))[:3])
    assert 3 < len(reached[2]) < 40
    assert {row["contact_id"] for row in company.messages()} == set(people)


def test_stopped_freezes_everybody_and_going_on_catches_up(company: Company) -> None:
    text = journey(HELLO, "id: pause, wait: 1d", "id: more, send: {content: reminder}")
    company.define(journeys__j1=text)
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    company.define(journeys__j1=text.replace("state: full", "state: stopped"))
    nights(company, dt.date(2018, 1, 3), 3)
    assert states(company) == [("c1", 1, "active", None)]
    company.define(journeys__j1=text)
    company.night(dt.date(2018, 1, 6))
    assert company.way()[2] == ("more", dt.datetime(2018, 1, 3, 10))


def test_the_last_day_ends_the_journey_for_all(company: Company) -> None:
    company.define(journeys__j1=journey("id: pause, wait: 10d", HELLO, ends_on="2018-01-05"))
    company.know(["c1", "c2"], [happened("page_viewed", 1), happened("page_viewed", 6, contact_id="c2")])
    nights(company, dt.date(2018, 1, 5), 4)
    assert states(company) == [("c1", 1, "expired", "journey_over")]
    assert company.messages() == []


def test_a_contact_that_is_no_more_leaves(company: Company) -> None:
    company.define(journeys__j1=journey("id: pause, wait: 10d", HELLO, reentry="each"))
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    company.know(["c2"], [])
    company.aliases = {"c1": "c2"}
    company.night(dt.date(2018, 1, 3))
    assert states(company) == [("c1", 1, "exited", "gone")]


def test_a_merged_contact_does_not_enter_once_more(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO))
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    company.know(["c2"], [happened("page_viewed", 2, contact_id="c2")])
    company.aliases = {"c1": "c2"}
    company.night(dt.date(2018, 1, 3))
    assert states(company) == [("c1", 1, "done", None)]


@pytest.fixture(scope="module")
def fresh(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("entering")
    engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    yield Company(tables, engine, root)
    engine.dispose()


@settings(max_examples=6)
@given(
    days=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 23)), min_size=1, max_size=8, unique=True),
    wait=st.integers(1, 50),
    reentry=st.sampled_from(["never", "each", "after 2d"]),
)
def test_reentry_is_what_its_words_say(fresh: Company, days: list[tuple[int, int]], wait: int, reentry: str) -> None:
    """Held against a plain loop over the events."""
    emptied(fresh)
    fresh.define(content__hello=CONTENT, journeys__j1=journey(f"id: pause, wait: {wait}h", reentry=reentry))
    moments = sorted(on_day(day, f"{hour:02}:00") for day, hour in days)
    fresh.know(["c1"], [happened("page_viewed", day, f"{hour:02}:00") for day, hour in days])
    fresh.night(dt.date(2018, 1, 13))
    expected: list[dt.datetime] = []
    for moment in moments:
        is_free = not expected or (reentry != "never" and moment > expected[-1] + dt.timedelta(hours=wait))
        is_far = not expected or reentry == "each" or moment >= expected[-1] + dt.timedelta(days=2)
        expected += [moment] if is_free and is_far else []
    assert [row["entered_at"] for row in fresh.entries()] == expected
    assert Counter(row["state"] for row in fresh.entries()) == Counter({"done": len(expected)})
