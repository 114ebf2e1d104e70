"""Every contact stands in exactly one stage; a stage knows since when."""

import datetime as dt

import pytest
from hypothesis import given, settings

from tests.conditions import strategies
from tests.conditions.oracle import Case, judge
from tests.conditions.world import FIRST_SEEN, TONIGHT, Facts, Order, Tables, ago
from tests.score.nights import LIFECYCLE_A, SCALE, Company
from vesper.clock import cutoff_at, instant
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.model.lifecycle import Lifecycle

ZONE = "America/New_York"


@pytest.mark.requirement("R40")
@settings(max_examples=25)
@given(facts=strategies.facts())
def test_every_contact_has_exactly_one_stage_of_preset_a_the_first_that_holds(tables: Tables, facts: Facts) -> None:
    assert isinstance(LIFECYCLE_A, Lifecycle)
    company = Company(tables, SCALE, LIFECYCLE_A)
    tonight = company.run(facts, TONIGHT)
    rows = company.rows(LIFECYCLE)
    first = {
        id: next(s.id for s in LIFECYCLE_A.stages or () if judge(s.when, Case(id, facts, tonight)).truth)
        for id in facts.contacts
    }
    assert {row["contact_id"]: row["stage"] for row in rows} == first
    assert len(rows) == len(facts.contacts)


@pytest.mark.requirement("R40")
def test_the_five_stages_of_preset_a(tables: Tables) -> None:
    orders = {"new": [], "first": [1], "again": [1, 50], "loyal": list(range(10)), "risk": [90, 95]}
    facts = Facts(
        {id: {} for id in orders}, orders=tuple(Order(id, ago(day)) for id, days in orders.items() for day in days)
    )
    company = Company(tables, SCALE, LIFECYCLE_A)
    company.run(facts, TONIGHT)
    assert company.of(LIFECYCLE, "stage") == {
        "new": "prospect",
        "first": "first_purchase",
        "again": "repurchase",
        "loyal": "loyal",
        "risk": "at_risk",
    }


def test_on_the_first_night_the_facts_tell_when_a_stage_began(tables: Tables) -> None:
    orders = {"new": [], "first": [30], "again": [10, 50, 80], "loyal": list(range(10)), "risk": [100, 130]}
    facts = Facts(
        {id: {} for id in orders}, orders=tuple(Order(id, ago(day)) for id, days in orders.items() for day in days)
    )
    company = Company(tables, SCALE, LIFECYCLE_A)
    company.run(facts, TONIGHT)
    assert company.of(LIFECYCLE, "entered_at") == {
        "new": instant(FIRST_SEEN, dt.time(0), ZONE),  # since the company first knew them
        "first": dt.datetime.combine(ago(30), dt.time(4)),  # the order
        "again": dt.datetime.combine(ago(50), dt.time(4)),  # the second order, not the latest
        "loyal": cutoff_at(TONIGHT, ZONE),  # a window slides: no fact tells when it was first full
        "risk": instant(ago(10), dt.time(0), ZONE),  # the 90th day after the last order
    }


def test_a_stage_keeps_its_beginning_and_a_new_one_begins_at_the_cut_off(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A)
    facts = Facts({"c1": {}, "c2": {}}, orders=(Order("c1", ago(89)), Order("c2", ago(30))))
    company.run(facts, TONIGHT)
    before = company.of(LIFECYCLE, "entered_at")
    company.run(facts, ago(-1))
    after = company.of(LIFECYCLE, "entered_at")
    assert company.of(LIFECYCLE, "stage") == {"c1": "at_risk", "c2": "first_purchase"}
    assert after == {"c1": cutoff_at(ago(-1), ZONE), "c2": before["c2"]}
    [change] = company.rows(LIFECYCLE_CHANGE)
    assert (change["contact_id"], change["from_stage"], change["to_stage"]) == ("c1", "first_purchase", "at_risk")
    assert (change["at"], change["rule_id"]) == (cutoff_at(ago(-1), ZONE), "preset_a/at_risk")


def test_who_comes_and_who_goes_is_a_change_too(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A)
    company.run(Facts({"gone": {}, "stays": {}}), TONIGHT)
    company.run(Facts({"stays": {}, "came": {}}), ago(-1))
    changes = {row["contact_id"]: (row["from_stage"], row["to_stage"]) for row in company.rows(LIFECYCLE_CHANGE)}
    assert changes == {"gone": ("prospect", None), "came": (None, "prospect")}
