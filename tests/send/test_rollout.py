"""Draft, pilot, partial, full: whom each state reaches, also at the moment of sending, and which way leads from one to the next."""

import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.send.company import (
    NIGHT,
    Person,
    campaign,
    copy_ledger,
    definitions,
    delivered,
    fill,
    lake,
    messages,
    night,
    people,
    plan_of,
    planned,
    rows_of,
    workspace,
)
from vesper import send
from vesper.model.campaign import Campaign
from vesper.model.outreach import Outreach
from vesper.rollout import WIDTH, bucket, bucket_of, end_of, may_leave, skipped
from warehouse.ledger import outbox
from warehouse.ledger.send_stop import paused, scope_of, set_stopped

STATES = ("pilot", "partial", "full")


@pytest.fixture
def shop() -> Any:
    engine = lake()
    yield engine
    engine.dispose()


def decide(shop: sa.Engine, root: Path, each: Campaign, on: dt.date = NIGHT) -> dict[str, str]:
    return {row.contact_id: row.decision for row in rows_of(shop, plan_of(each, night(definitions(each), root, on)))}


def chosen(decisions: dict[str, str]) -> set[str]:
    return {contact_id for contact_id, decision in decisions.items() if decision == "intent"}


@pytest.mark.requirement("R99", "R101")
def test_the_order_of_a_rollout_is_the_same_in_sql_and_python(shop: sa.Engine) -> None:
    ids = [f"c{number}" for number in range(50)]
    rows = sa.values(sa.column("id", sa.String), name="person").data([(id,) for id in ids])
    found = [tuple(row) for row in rows_of(shop, sa.select(rows.c.id, bucket_of("winback", rows.c.id)))]
    assert dict(found) == {id: bucket("winback", id) for id in ids}


@pytest.mark.requirement("R99")
def test_a_pilot_reaches_its_test_contacts_and_nobody_else(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(5))
    fill(shop, [Person("c9", "nine@example.com")], segment="testers")
    by_id = campaign(state="pilot", pilot={"contacts": ["c0001", "c0003", "not_in_the_audience"]})
    assert decide(shop, tmp_path, by_id) == {
        "c0000": "pilot",
        "c0001": "intent",
        "c0002": "pilot",
        "c0003": "intent",
        "c0004": "pilot",
    }
    by_segment = campaign(state="pilot", pilot={"segment": "testers"})
    assert chosen(decide(shop, tmp_path, by_segment)) == set()
    assert chosen(decide(shop, tmp_path, campaign(segment="testers", state="pilot", pilot={"segment": "testers"}))) == {
        "c9"
    }


@pytest.mark.requirement("R99")
def test_a_pilot_without_names_takes_the_first_of_the_audience_and_never_more(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    each = campaign(state="pilot", pilot={"people": 10})
    fill(shop, people(40))
    first = decide(shop, tmp_path, each)
    assert chosen(first) == set(sorted(first, key=lambda id: bucket(each.id, id))[:10])
    assert decide(shop, tmp_path, each) == first
    outbox.record(ledger, rows_of(shop, plan_of(each, night(definitions(each), tmp_path))))
    copy_ledger(shop, ledger)
    fill(shop, [Person(f"d{n}", f"new{n}@example.com") for n in range(200)])
    later = decide(shop, tmp_path, each, NIGHT + dt.timedelta(days=1))
    assert chosen(later) == set()
    assert {later[id] for id in chosen(first)} == {"already_planned"}


@pytest.mark.requirement("R99")
def test_two_hundred_are_the_most_that_a_pilot_may_name() -> None:
    with pytest.raises(ValueError, match="200"):
        campaign(pilot={"people": 201})


@pytest.mark.requirement("R101")
def test_each_state_reaches_all_whom_the_one_before_reached(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(600))
    circles = [
        chosen(decide(shop, tmp_path, campaign(state=state, partial=share, pilot={"people": 20})))
        for state, share in (("pilot", 0.1), ("partial", 0.1), ("partial", 0.4), ("full", 0.4))
    ]
    assert [len(circle) for circle in circles][0::3] == [20, 600]
    assert 35 <= len(circles[1]) <= 90
    assert 190 <= len(circles[2]) <= 290
    assert all(small <= large for small, large in pairwise(circles))


@pytest.mark.requirement("R101")
@given(st.text(max_size=8), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_a_larger_share_holds_the_smaller_one(contact_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert not (bucket("c", contact_id) < end_of(small)) or bucket("c", contact_id) < end_of(large)


@pytest.mark.requirement("R99")
def test_what_was_planned_for_everybody_reaches_only_the_pilot_after_a_step_back(
    ledger: sa.Engine, tmp_path: Path
) -> None:
    """The plan was made in full; before it leaves, the campaign is put back to pilot."""
    persons = people(6)
    planned(ledger, definitions(campaign()), tmp_path, persons)
    back = definitions(campaign(state="pilot", pilot={"contacts": ["c0002"]}))
    report = delivered(ledger, back, workspace(tmp_path), persons)
    standing = {row.contact_id: (row.state, row.reason) for row in messages(ledger)}
    assert standing.pop("c0002") == ("accepted", None)
    assert set(standing.values()) == {("planned", "waiting:state")}
    assert report.outcomes["accepted"] == 1
    delivered(ledger, definitions(campaign()), workspace(tmp_path), persons)
    assert {row.state for row in messages(ledger)} == {"accepted"}


@pytest.mark.requirement("R99")
def test_what_a_pilot_planned_leaves_as_long_as_it_is_that_pilot(ledger: sa.Engine, tmp_path: Path) -> None:
    persons = people(4)
    pilot = definitions(campaign(state="pilot", pilot={"people": 2}))
    planned(ledger, pilot, tmp_path, persons)
    first = {row.contact_id for row in messages(ledger)}
    assert len(first) == 2
    other = definitions(campaign(state="pilot", pilot={"contacts": [min(first)]}))
    delivered(ledger, other, workspace(tmp_path), persons)
    assert {row.contact_id for row in messages(ledger) if row.state == "accepted"} == {min(first)}
    delivered(ledger, pilot, workspace(tmp_path), persons)
    assert {row.state for row in messages(ledger)} == {"accepted"}


@pytest.mark.requirement("R99", "R101")
@given(
    now=st.sampled_from(["draft", "stopped", *STATES]),
    then=st.sampled_from(STATES),
    named=st.lists(st.sampled_from("abc"), max_size=2),
    share=st.sampled_from([0.001, 0.5, 0.999]),
)
def test_nobody_outside_the_state_of_now_is_reached(now: str, then: str, named: list[str], share: float) -> None:
    """Whatever state planned a message: a pilot lets go to who is in it, and to nobody else."""
    present = campaign(state=now, pilot={"contacts": named}, partial=share)
    version = campaign(state=then, pilot={"contacts": named}, partial=share)
    other = campaign(state=then, pilot={"contacts": ["z"]}, partial=share)
    for contact_id in "abcd":
        goes = may_leave(present, version, contact_id)
        if WIDTH[now] == 0:
            assert not goes
        elif now == "full":
            assert goes
        elif now == "pilot":
            assert goes == (contact_id in named or then == "pilot")
            assert may_leave(present, other, contact_id) == (contact_id in named)
            assert may_leave(present, None, contact_id) == (contact_id in named)
        elif contact_id in named or then == "pilot":
            assert goes
        else:
            assert goes == (bucket(present.id, contact_id) < end_of(share))
    assert not may_leave(None, version, "a")


@pytest.mark.requirement("R101")
def test_one_state_wider_at_a_time() -> None:
    legal = [
        ("draft", "pilot"),
        ("pilot", "partial"),
        ("partial", "full"),
        ("full", "pilot"),
        ("full", "stopped"),
        ("full", "full"),
    ]
    assert [skipped(*change) for change in legal] == [()] * len(legal)
    assert skipped("draft", "full") == ("pilot", "partial")
    assert skipped("stopped", "partial") == ("pilot",)
    assert skipped("pilot", "full") == ("partial",)


@pytest.mark.requirement("R107")
def test_another_number_of_people_than_approved_holds_everybody(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, [*people(8), Person("c9", None)])
    fits = campaign(approved_people=10, deviation=0.2)
    assert set(decide(shop, tmp_path, fits).values()) == {"intent", "no_address"}
    for approved in (11, 6):
        each = campaign(approved_people=approved, deviation=0.2)
        rows = rows_of(shop, plan_of(each, night(definitions(each), tmp_path)))
        held = [row for row in rows if row.decision == "deviation"]
        assert len(held) == 8
        assert {row.detail for row in held} == {f"8 / {approved} ± 20%"}
    assert set(decide(shop, tmp_path, campaign()).values()) == {"intent", "no_address"}


@pytest.mark.requirement("R107")
def test_a_pilot_already_tells_that_the_whole_campaign_would_deviate(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(30))
    each = campaign(state="pilot", pilot={"people": 5}, approved_people=100)
    assert set(decide(shop, tmp_path, each).values()) == {"pilot", "deviation"}


@pytest.mark.requirement("R107")
def test_the_hold_says_its_two_figures(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(3))
    each = campaign(max_people=2)
    tonight = night(definitions(each), tmp_path)
    made = plan_of(each, tonight)
    assert {row.detail for row in rows_of(shop, made)} == {"3 > 2"}
    (row,) = rows_of(shop, send.decisions_of(made.subquery()))
    assert tuple(row) == ("over_max_people", 3, "3 > 2")


@pytest.mark.requirement("R108")
def test_a_paused_campaign_plans_nobody_and_its_messages_wait(
    any_ledger: sa.Engine, shop: sa.Engine, tmp_path: Path
) -> None:
    persons, both = people(2), (campaign("a"), campaign("b"))
    planned(any_ledger, definitions(*both), tmp_path, persons)
    set_stopped(any_ledger, "anna", "wrong price", True, scope_of("a"))
    assert paused(any_ledger) == {"a"}
    delivered(any_ledger, definitions(*both), workspace(tmp_path), persons)
    assert {(row.campaign_id, row.state) for row in messages(any_ledger)} == {("a", "planned"), ("b", "accepted")}
    fill(shop, persons)
    sending = send.sending_of(both[0], is_paused=True)
    rows = rows_of(shop, send.plan(sending, send.audience(both[0]), night(definitions(*both), tmp_path)))
    assert {row.decision for row in rows} == {"paused"}
    set_stopped(any_ledger, "anna", "right price", False, scope_of("a"))
    assert paused(any_ledger) == frozenset()
    delivered(any_ledger, definitions(*both), workspace(tmp_path), persons, days=3)
    assert {row.state for row in messages(any_ledger)} == {"accepted"}


@pytest.mark.requirement("R101")
@pytest.mark.parametrize("state", ["draft", "stopped"])
def test_messages_of_a_campaign_that_no_longer_runs_wait_and_expire(
    ledger: sa.Engine, tmp_path: Path, state: str
) -> None:
    persons = people(2)
    planned(ledger, definitions(campaign()), tmp_path, persons)
    delivered(ledger, definitions(campaign(state=state)), workspace(tmp_path), persons)
    assert {(row.state, row.reason) for row in messages(ledger)} == {("planned", "waiting:not_running")}
    delivered(
        ledger, definitions(campaign(state=state)), workspace(tmp_path), persons, on=NIGHT + dt.timedelta(days=40)
    )
    assert {(row.state, row.reason) for row in messages(ledger)} == {("refused", "expired")}


def test_the_states_are_those_of_the_model() -> None:
    assert set(Outreach.model_fields["state"].annotation.__args__) == set(WIDTH)  # type: ignore[union-attr]
