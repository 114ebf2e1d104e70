"""Which stage may follow which: exactly one stage at any time, and only legal steps (R40, R41, R42)."""

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions.oracle import Case, judge
from tests.conditions.sales_facts import Lead, Outcome, Sales
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from tests.lifecycle.nights import Company, lifecycle, preset
from tests.score.nights import source
from vesper.clock import cutoff_at
from vesper.lifecycle import unsettled
from vesper.marts.lead import LEAD
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.model.lifecycle import Lifecycle
from vesper.tables.declare import previous

ZONE = "America/New_York"
IDS = ("c1", "c2", "c3")
PRESETS = {letter: preset(letter) for letter in "abcd"}
KINDS = ("product_viewed", "cart_added")


who = st.sampled_from(IDS)
long_ago = st.sampled_from((0, 0, 0, 89, 90, 179, 180, 400))
said = st.sampled_from(("accepted", "recycle", "won", "rejected"))


def _before(back: int, days: int) -> dt.date:
    return ago(back + days)


@st.composite
def histories(draw: st.DrawFn) -> list[Facts]:
    """The same few contacts over three to five nights: facts only ever come, scores rise and fall, a contact may come later or go."""
    nights: list[Facts] = []
    orders: list[Order] = []
    events: list[Event] = []
    outcomes: list[Outcome] = []
    count = draw(st.integers(3, 5))
    for back in reversed(range(count)):
        bought = st.builds(Order, who, long_ago.map(partial(_before, back)))
        orders += draw(st.lists(bought, max_size=3))
        events += draw(st.lists(st.builds(Event, who, st.sampled_from(KINDS), st.just(ago(back))), max_size=2))
        outcomes += draw(st.lists(st.builds(Outcome, who, said, st.just(ago(back))), max_size=2))
        contacts: dict[str, dict[str, Any]] = {id: {} for id in sorted(draw(st.sets(who, min_size=1)))}
        told, mqls = Sales((), tuple(outcomes)), draw(st.frozensets(who))
        nights.append(Facts(contacts, tuple(orders), tuple(events), sales=told, mqls=mqls))
    return nights


@pytest.mark.requirement("R40", "R41", "R42")
@pytest.mark.parametrize("letter", sorted(PRESETS))
def test_in_any_history_everybody_has_one_stage_and_every_step_is_legal(tables: Tables, letter: str) -> None:
    chosen = PRESETS[letter]

    @settings(max_examples=7)
    @given(nights=histories())
    def holds(nights: list[Facts]) -> None:
        company = Company(tables, chosen)
        before: dict[str, str] = {}
        for number, facts in enumerate(nights):
            stages = one_night(company, facts, ago(len(nights) - 1 - number))
            assert stages == {id: expected(chosen, facts, company, id, before.get(id)) for id in facts.contacts}
            assert changed(company) == {id for id in {*stages, *before} if stages.get(id) != before.get(id)}
            before = stages

    holds()


def one_night(company: Company, facts: Facts, on: dt.date) -> dict[str, str]:
    company.run(facts, on)
    rows = company.rows(LIFECYCLE)
    assert sorted(row["contact_id"] for row in rows) == sorted(facts.contacts)
    return {row["contact_id"]: row["stage"] for row in rows}


def expected(chosen: Lifecycle, facts: Facts, company: Company, id: str, before: str | None) -> str | None:
    """The first stage that holds and admits the contact, else the one it stood in. Leads are those of the night itself."""
    leads = {
        row["contact_id"]: Lead(
            row["status"], row["opened_at"], row["closed_at"], row["recycle_count"], row["reason_code"]
        )
        for row in company.rows(LEAD)
    }
    [on] = {row["business_on"] for row in company.rows(LIFECYCLE)}
    case = Case(id, replace(facts, leads=leads), night(on=on))
    stages = chosen.stages or ()
    return next((stage.id for stage in stages if stage.admits(before) and judge(stage.when, case).truth), before)


def changed(company: Company) -> set[str]:
    rows = company.rows(LIFECYCLE_CHANGE)
    for row in rows:
        assert row["at"] is not None
        assert (row["to_stage"] is None) == (row["rule_id"] is None)
    return {row["contact_id"] for row in rows}


@pytest.mark.requirement("R41")
def test_preset_b_walks_from_prospect_to_customer_and_refuses_what_is_not_legal(tables: Tables) -> None:
    company = Company(tables, PRESETS["b"])
    accepted = Outcome("c1", "accepted", ago(1))
    people: dict[str, dict[str, str]] = {"c1": {}, "c2": {}}
    company.run(Facts(people), ago(3))
    company.run(Facts(people, mqls=frozenset({"c1"})), ago(2))
    told = Sales((), (accepted, Outcome("c2", "accepted", ago(1))))
    company.run(Facts(people, mqls=frozenset({"c1"}), sales=told), ago(1))
    assert company.of(LIFECYCLE, "stage") == {"c1": "sql", "c2": "prospect"}
    assert company.of(LIFECYCLE, "refused_stage") == {"c1": None, "c2": "sql"}  # never an MQL
    [step] = company.rows(LIFECYCLE_CHANGE)
    assert (step["from_stage"], step["to_stage"], step["rule_id"]) == ("mql", "sql", "preset_b/sql")
    assert step["at"] == cutoff_at(ago(1), ZONE)
    told = Sales((), (*told.outcomes, Outcome("c1", "won", TONIGHT)))
    company.run(Facts(people, sales=told), TONIGHT)
    assert company.of(LIFECYCLE, "stage") == {"c1": "customer", "c2": "prospect"}


@pytest.mark.requirement("R41")
def test_who_is_admitted_nowhere_stays_and_keeps_time_and_rule(tables: Tables) -> None:
    company = Company(
        tables,
        lifecycle(
            {"id": "bought", "when": {"orders": {"at_least": 1, "within": "7d"}}},
            {"id": "fresh", "from": [], "when": {"always": {}}},
        ),
    )
    facts = Facts({"c1": {}}, orders=(Order("c1", ago(2)),))
    company.run(facts, ago(2))
    [first] = company.rows(LIFECYCLE)
    company.run(facts, ago(-10))
    [later] = company.rows(LIFECYCLE)
    assert (later["stage"], later["refused_stage"]) == ("bought", "fresh")
    assert (later["entered_at"], later["rule_id"]) == (first["entered_at"], first["rule_id"])
    assert company.rows(LIFECYCLE_CHANGE) == []


@pytest.mark.requirement("R41")
def test_a_refused_stage_is_entered_on_the_next_night_from_where_it_may_be(tables: Tables) -> None:
    company = Company(
        tables,
        lifecycle(
            {"id": "third", "from": ["second"], "when": {"orders": {"at_least": 1}}},
            {"id": "second", "from": ["first"], "when": {"orders": {"at_least": 1}}},
            {"id": "first", "when": {"always": {}}},
        ),
    )
    facts = Facts({"c1": {}}, orders=(Order("c1", ago(1)),))
    company.run(replace(facts, orders=()), ago(2))
    stages = []
    for back in (1, 0, -1):
        company.run(facts, ago(back))
        stages.append(company.of(LIFECYCLE, "stage")["c1"])
        waiting = tables.rows(unsettled(previous(LIFECYCLE)))
        assert [row["contact_id"] for row in waiting] == (["c1"] if back == 0 else [])
    assert stages == ["second", "third", "third"]


@pytest.mark.requirement("R40", "R106")
def test_while_a_source_has_a_hole_everybody_keeps_the_stage(tables: Tables) -> None:
    company = Company(tables, PRESETS["b"], source("shop_order", "order_line"))
    company.run(Facts({"c1": {}}), ago(1))
    facts = Facts({"c1": {}, "new": {}}, mqls=frozenset({"c1"}))
    company.run(facts, TONIGHT, held={"shop_order"})
    assert company.of(LIFECYCLE, "stage") == {"c1": "prospect", "new": "prospect"}
    company.run(facts, ago(-1))
    assert company.of(LIFECYCLE, "stage") == {"c1": "mql", "new": "prospect"}


def test_a_stage_that_the_lifecycle_no_longer_has_makes_a_newcomer(tables: Tables) -> None:
    company = Company(
        tables, lifecycle({"id": "old", "when": {"orders": {"at_least": 1}}}, {"id": "rest", "when": {"always": {}}})
    )
    company.run(Facts({"c1": {}}, orders=(Order("c1", ago(3)),)), ago(1))
    company.definitions = (PRESETS["d"], *company.definitions[1:])
    company.run(Facts({"c1": {}}, orders=(Order("c1", ago(300)),)), TONIGHT)
    assert company.of(LIFECYCLE, "stage") == {"c1": "lost"}  # entered from nowhere, as by anybody who is new
