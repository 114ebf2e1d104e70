"""Every condition's Select holds for exactly the contacts for whom its plain meaning is true, with the same evidence."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings

from tests.conditions import strategies
from tests.conditions.dense import DENSE
from tests.conditions.oracle import MEANINGS, Case, judge
from tests.conditions.sales_facts import lead_rows
from tests.conditions.world import Facts, Tables, night
from vesper.conditions import BODIES, Condition
from vesper.conditions.people import Asked, people
from vesper.marts.lead import LEAD
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.night import Night
from warehouse.lint import refuse_unstable

ENTERED_AT = dt.datetime(2017, 5, 1)


def put(tables: Tables, facts: Facts, tonight: Night) -> None:
    """The facts, and the marts that stand upstream of a condition."""
    tables.put_facts(facts, tonight)
    tables.put(
        SCORE, [{"contact_id": id, "score": score, "is_mql": id in facts.mqls} for id, score in facts.scores.items()]
    )
    tables.put(LEAD, lead_rows(facts.leads))
    tables.put(
        LIFECYCLE, [{"contact_id": id, "stage": stage, "entered_at": ENTERED_AT} for id, stage in facts.stages.items()]
    )
    members = [(segment, id) for segment, ids in facts.segments.items() for id in ids]
    tables.put(
        SEGMENT_MEMBER,
        [{"segment_id": segment, "contact_id": id, "entered_on": tonight.business_on} for segment, id in members],
    )


def compare(tables: Tables, facts: Facts, written: dict[str, Any]) -> None:
    tonight = night()
    condition = Condition.model_validate(written)
    put(tables, facts, tonight)
    select = people(condition, tonight)
    refuse_unstable(select, "people")
    found = {row.pop("contact_id"): row for row in tables.rows(select)}
    verdicts = {id: judge(condition, Case(id, facts, tonight)) for id in facts.contacts}
    assert set(found) == {id for id, verdict in verdicts.items() if verdict.truth}
    unknown = condition.body.unknown(Asked(tonight))
    unsure = set() if unknown is None else {row["contact_id"] for row in tables.rows(unknown)}
    assert unsure == {id for id, verdict in verdicts.items() if verdict.truth is None}
    if "stage" in str(written):
        return  # its instant is the stage's own, tested below
    for id, row in found.items():
        assert (row["evidence_count"], row["first_at"], row["last_at"]) == (
            verdicts[id].count,
            verdicts[id].first_at,
            verdicts[id].last_at,
        )


def test_every_condition_has_a_meaning_and_a_strategy() -> None:
    assert set(BODIES) == set(MEANINGS)
    assert set(BODIES) - {"all", "any", "not"} == set(strategies.LEAVES)


@pytest.mark.parametrize("word", sorted(strategies.LEAVES))
def test_a_condition_means_what_its_oracle_says(tables: Tables, word: str) -> None:
    @settings(max_examples=30)
    @given(strategies.facts(), strategies.LEAVES[word])
    def holds(facts: Facts, body: dict[str, Any]) -> None:
        compare(tables, facts, {word: body})

    holds()


@settings(max_examples=100)
@given(facts=strategies.facts(), written=strategies.conditions)
def test_joined_conditions_mean_what_the_oracle_says(tables: Tables, facts: Facts, written: dict[str, Any]) -> None:
    compare(tables, facts, written)


@pytest.mark.parametrize("word", sorted(DENSE))
def test_what_depends_on_the_order_of_things_means_what_the_oracle_says(tables: Tables, word: str) -> None:
    @settings(max_examples=60)
    @given(DENSE[word])
    def holds(drawn: tuple[Facts, dict[str, Any]]) -> None:
        compare(tables, drawn[0], {word: drawn[1]})

    holds()
