"""People on the way: they stay on their version, nothing leaves for who has left, and what is not known yet waits."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conditions.world import Event, event_rows
from tests.journeys.company import Company, happened, journey, on_day, states
from vesper.send import message_id
from warehouse.ledger.definitions import hash_of
from warehouse.ledger.journey import due, is_over, next_due
from warehouse.ledger.nurture import close
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_stop import scope_of, set_stopped

HELLO = "id: hello, send: {content: hello}"
CLICKS = """
says: 点击
owner: data
system: jsonl
path: "x/{on}.jsonl"
feeds: event
event_kind: mail_clicked
cadence: {every: day, due: "19:00"}
late: block
rows: {min: 0, max: 10, drop_ratio: 0}
trust: 50
key: [id]
fields:
  id: {column: id, type: text, required: true}
  at: {column: at, type: instant, required: true}
"""


@pytest.mark.requirement("R73")
def test_people_in_flight_stay_on_the_version_they_entered(company: Company) -> None:
    old = journey("id: pause, wait: 1d", HELLO)
    new = journey("id: pause, wait: 3d", "id: call, task: {kind: call, due: 1d}")
    company.define(journeys__j1=old)
    company.know(["c1", "c2"], [happened("page_viewed", 1), happened("page_viewed", 2, contact_id="c2")])
    company.night(dt.date(2018, 1, 2))
    company.define(journeys__j1=new)
    for day in range(3, 8):
        company.night(dt.date(2018, 1, day))
    assert [step for step, _ in company.way("c1")] == ["pause", "hello"]
    assert [step for step, _ in company.way("c2")] == ["pause", "call"]
    assert {row["contact_id"]: row["definition_hash"] for row in company.entries()} == {
        "c1": hash_of(old),
        "c2": hash_of(new),
    }
    assert [row["definition_hash"] for row in company.messages()] == [hash_of(old)]


def test_nothing_is_sent_to_who_reached_the_goal_before_the_turn_saw_them(company: Company) -> None:
    company.define(
        coupons__ten_off="says: x\nowner: o\nmade: {count: 5}\nwarn_below: 0\n",
        journeys__j1=journey(
            "id: pause, wait: 1h",
            HELLO,
            "id: gift, give: {pool: ten_off}",
            "id: call, task: {kind: call, due: 1d}",
            "id: more, wait: 5d",
            goal="{happened: {event: {kind: coupon_redeemed}}}",
        ),
    )
    company.know(["c1"], [happened("page_viewed", 1, "10:00"), happened("coupon_redeemed", 1, "15:00")])
    company.night(dt.date(2018, 1, 2))
    assert states(company) == [("c1", 1, "goal", None)]
    assert [step for step, _ in company.way()] == ["pause", "hello", "gift", "call", "more"]
    assert [row["outcome"] for row in company.visits()][1:4] == ["journey_ended"] * 3
    assert (company.messages(), company.coupons(), company.tasks()) == ([], [], [])
    assert [row["reason"] for row in company.refusals()] == ["journey_ended"]


def test_a_waiting_message_is_withdrawn_when_its_journey_ends(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            HELLO, "id: more, wait: 5d", exits="[{id: left, when: {happened: {event: {kind: form_submitted}}}}]"
        )
    )
    company.know(
        ["c1", "c2"],
        [happened("page_viewed", 1), happened("page_viewed", 1, contact_id="c2"), happened("form_submitted", 2)],
    )
    company.night(dt.date(2018, 1, 2))
    with company.engine.begin() as connection:  # a worker holds it already, and nothing is on the wire yet
        connection.execute(sa.update(MESSAGE).where(MESSAGE.c.contact_id == "c1").values(state="claimed", owner="w1"))
    assert company.night(dt.date(2018, 1, 3)).kept.withdrawn == 1
    assert [
        (row["contact_id"], row["state"], row["reason"])
        for row in sorted(company.messages(), key=lambda row: row["contact_id"])
    ] == [
        ("c1", "refused", "journey_ended"),
        ("c2", "planned", None),
    ]
    with company.engine.connect() as connection:
        assert [is_over(connection, "j1", who, 1) for who in ("c1", "c2", "c3")] == [True, False, False]


@pytest.mark.parametrize("many", [2, 7])
def test_several_journeys_that_end_in_one_turn_withdraw_all_their_messages(company: Company, many: int) -> None:
    company.define(
        journeys__j1=journey(HELLO, "id: more, wait: 5d", goal="{happened: {event: {kind: coupon_redeemed}}}")
    )
    people = [f"c{n}" for n in range(1, many + 1)]
    company.know(
        people,
        [
            happened(kind, day, contact_id=id)
            for id in people
            for day, kind in enumerate(("page_viewed", "coupon_redeemed"), 1)
        ],
    )
    company.night(dt.date(2018, 1, 2))
    assert company.night(dt.date(2018, 1, 3)).kept.withdrawn == many
    assert {(row["state"], row["reason"]) for row in company.messages()} == {("refused", "journey_ended")}


def test_a_finished_journey_leaves_its_last_message_alone(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO))
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    assert [row["state"] for row in company.messages()] == ["planned"]
    assert states(company) == [("c1", 1, "done", None)]


@pytest.mark.requirement("R81")
def test_reactions_are_known_by_the_message(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            HELLO,
            "id: wait_click, until: {when: {clicked: hello}, at_most: 2d}",
            "id: sort, branch: [{when: {not: {clicked: hello}}, go: end}]",
            "id: call, task: {kind: demo, due: 1d}",
        )
    )
    mine = message_id("j1", "c1", "hello")
    facts = [happened("page_viewed", 1), happened("page_viewed", 1, contact_id="c2")]
    facts += [
        happened("mail_clicked", 2, message_id=mine),
        happened("mail_clicked", 2, contact_id="c2", message_id="another"),
    ]
    facts += [happened("mail_clicked", 1, "12:00", message_id=mine, is_machine=True)]
    company.know(["c1", "c2"], facts)
    company.night(dt.date(2018, 1, 10))
    assert company.way("c1")[-1] == ("call", dt.datetime(2018, 1, 3, 10))
    assert company.way("c2")[-1] == ("sort", dt.datetime(2018, 1, 4, 10))


@pytest.mark.requirement("R81")
def test_a_journey_can_ask_whether_its_message_was_sent_and_its_task_closed(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            HELLO,
            "id: call, task: {kind: call, due: 1d}",
            "id: both, within: 9d, until: {when: {all: [{sent: hello}, {closed: call}]}}",
            "id: more, send: {content: reminder}",
        )
    )
    company.know(["c1"], [happened("page_viewed", 1)])
    company.night(dt.date(2018, 1, 2))
    with company.engine.begin() as connection:
        connection.execute(
            sa.update(MESSAGE).values(state="accepted", sending_at=on_day(2, "10:00"), final_at=on_day(2, "10:00"))
        )
    company.night(dt.date(2018, 1, 3))
    assert [step for step, _ in company.way()] == ["hello", "call", "both"]
    close(company.engine, company.tasks()[0]["task_id"], "bob", "done", on_day(3, "09:00"))
    company.night(dt.date(2018, 1, 4))
    assert company.way()[-1] == ("more", dt.datetime(2018, 1, 4, 9))


@pytest.mark.requirement("R74")
def test_a_tick_enters_at_once_and_names_its_row_of_the_inbox(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: paper, within: 5m, send: {content: hello, purpose: requested}", entry="{event: {kind: form_submitted}}"
        )
    )
    company.know(["c1", "c2"], [happened("form_submitted", 1), happened("form_submitted", 1, contact_id="c2")])
    rows = event_rows(company.facts)
    rows[0]["event_id"] = "inbox:17"
    company.event_rows = rows
    advanced = company.tick(on_day(1, "10:00") + dt.timedelta(seconds=8), ["c1"])
    assert (advanced.kept.entered, advanced.kept.messages) == (1, 1)
    (message,) = company.messages()
    assert (message["contact_id"], message["inbox_id"], message["purpose"]) == ("c1", 17, "requested")
    assert message["planned_at"] - company.entries()[0]["entered_at"] == dt.timedelta(seconds=8)
    assert company.entries()[0]["inbox_id"] == 17


def test_a_tick_waits_with_what_only_the_night_knows(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: pause, wait: 1d",
            "id: bought, branch: [{when: {happened: {event: {kind: coupon_redeemed}}}, go: end}]",
            HELLO,
        )
    )
    company.know(["c1"], [happened("page_viewed", 1, "10:00")])
    company.night(dt.date(2018, 1, 2))
    assert (due(company.engine, on_day(2, "09:59")), due(company.engine, on_day(2, "10:00"))) == ([], ["c1"])
    assert next_due(company.engine) == on_day(2, "10:00")
    company.tick(on_day(2, "10:01"), ["c1"], published_at=on_day(1, "20:00"), live=["form_submitted"])
    assert company.way()[-1][0] == "bought"
    assert due(company.engine, on_day(2, "11:00")) == []
    company.know(["c1"], [happened("page_viewed", 1, "10:00"), happened("coupon_redeemed", 2, "09:00")])
    company.night(dt.date(2018, 1, 3))
    assert states(company) == [("c1", 1, "done", None)]
    assert company.messages() == []


def test_a_tick_is_not_woken_twice_by_a_wait_that_only_the_night_can_end(company: Company) -> None:
    company.define(
        journeys__j1=journey(
            "id: until_bought, until: {when: {happened: {event: {kind: coupon_redeemed}}}, at_most: 1d}", HELLO
        )
    )
    company.know(["c1"], [happened("page_viewed", 1, "10:00")])
    company.night(dt.date(2018, 1, 2))
    known = {"published_at": on_day(1, "20:00"), "live": ["form_submitted"]}
    company.tick(on_day(2, "10:01"), ["c1"], **known)
    assert company.way()[-1][0] == "until_bought"
    assert due(company.engine, on_day(2, "10:02")) == []
    company.night(dt.date(2018, 1, 3))
    assert company.way()[-1] == ("hello", dt.datetime(2018, 1, 3, 10))


@pytest.mark.requirement("R106")
def test_a_hole_in_a_source_lets_nobody_move_by_it(company: Company) -> None:
    company.define(
        sources__mail_click=CLICKS,
        journeys__j1=journey(
            "id: clicked_it, until: {when: {happened: {event: {kind: mail_clicked}}}, at_most: 1d}",
            HELLO,
            goal="{happened: {event: {kind: coupon_redeemed}}}",
        ),
    )
    company.know(["c1"], [happened("page_viewed", 1)])
    company.held = frozenset({"mail_click"})
    company.night(dt.date(2018, 1, 4))
    assert [step for step, _ in company.way()] == ["clicked_it"]
    company.held = frozenset()
    company.know(["c1"], [happened("page_viewed", 1), happened("mail_clicked", 1, "12:00")])
    company.night(dt.date(2018, 1, 5))
    assert company.way()[-1] == ("hello", dt.datetime(2018, 1, 2, 12))


@pytest.mark.requirement("R108")
def test_a_paused_journey_waits_at_its_messages(company: Company) -> None:
    company.define(journeys__j1=journey("id: pause, wait: 1h", HELLO, "id: more, wait: 1d"))
    company.know(["c1"], [happened("page_viewed", 1)])
    set_stopped(company.engine, "anna", "look", True, scope_of("j1"))
    company.night(dt.date(2018, 1, 2))
    assert [step for step, _ in company.way()] == ["pause", "hello"]
    assert company.messages() == []
    set_stopped(company.engine, "anna", "go on", False, scope_of("j1"))
    company.night(dt.date(2018, 1, 3))
    assert [step for step, _ in company.way()] == ["pause", "hello", "more"]
    assert [row["contact_id"] for row in company.messages()] == ["c1"]


def test_lateness_is_on_record(company: Company) -> None:
    company.define(journeys__j1=journey("id: hello, within: 5m, send: {content: hello}"))
    company.know(["c1"], [happened("page_viewed", 1, "10:00")])
    company.night(dt.date(2018, 1, 2))
    (visit,) = company.visits()
    assert visit["due_at"] == on_day(1, "10:05")
    assert (visit["left_at"], visit["handled_at"]) == (on_day(1, "10:00"), on_day(1, "21:00"))


def test_two_people_with_one_mailbox_get_one_message(company: Company) -> None:
    company.define(journeys__j1=journey(HELLO))
    same = {"c1": {"email": "one@example.com"}, "c2": {"email": "One@example.com"}}
    company.know([], [happened("page_viewed", 1), happened("page_viewed", 2, contact_id="c2")], attributes=same)
    company.night(dt.date(2018, 1, 2))
    company.night(dt.date(2018, 1, 3))
    assert [row["contact_id"] for row in company.messages()] == ["c1"]
    assert [(row["contact_id"], row["reason"]) for row in company.refusals()] == [("c2", "duplicate_address")]


def test_an_event_is_of_its_contact(company: Company, tmp_path: Path) -> None:
    company.define(journeys__j1=journey(HELLO))
    company.know(["c1"], [Event(None, "page_viewed", dt.date(2018, 1, 2), moment=on_day(1))])
    company.night(dt.date(2018, 1, 2))
    assert company.entries() == []
