"""Whom time alone moves: between two nights with the same facts, an answer differs only for contacts that the condition names."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions import strategies
from tests.conditions.dense import DENSE
from tests.conditions.test_against_oracle import put
from tests.conditions.world import TONIGHT, Facts, Tables, night
from vesper.conditions import Condition
from vesper.conditions.people import Asked, people
from vesper.marts.activity import ACTIVITY

FROM_MARTS = {"score", "mql", "stage", "segment", "tag", "tier", "persona", "lead"}
"""Conditions on marts of the night: their rows say themselves whom time moved."""
NIGHTS = st.sampled_from((-31, -30, -8, -7, -1, 0, 1, 2, 28, 59))
"""Days from the night that the facts are drawn around."""
Rows = dict[str, Any]


def answers(tables: Tables, condition: Condition, facts: Facts, on: dt.date) -> tuple[Rows, Rows, Rows]:
    """What the night says of each contact: the row of who is in, who is unknown, and the row of mart__activity behind it."""
    tonight = night(on=on)
    put(tables, facts, tonight)
    body = condition.body
    unknown = body.unknown(Asked(tonight))
    unsure = [] if unknown is None else tables.rows(unknown)
    active = tables.rows(ACTIVITY.select())
    return (
        {row["contact_id"]: row for row in tables.rows(people(condition, tonight))},
        {row["contact_id"]: "unknown" for row in unsure},
        {row["contact_id"]: {**row, "business_on": None} for row in active},
    )


def differing(before: Rows, after: Rows) -> set[str]:
    return {id for id in {*before, *after} if before.get(id) != after.get(id)}


def check(tables: Tables, facts: Facts, written: dict[str, Any], since: dt.date, until: dt.date) -> None:
    condition = Condition.model_validate(written)
    before, after = answers(tables, condition, facts, since), answers(tables, condition, facts, until)
    changed, unsure, active = (differing(one, other) for one, other in zip(before, after, strict=True))
    asked = Asked(night(on=until))
    bodies = [body for _, body in condition.walk()]
    moved = {row["contact_id"] for body in bodies for select in body.moved(asked, since) for row in tables.rows(select)}
    assert (changed | unsure) - active <= moved


@pytest.mark.parametrize("word", sorted(set(strategies.LEAVES) - FROM_MARTS))
def test_whoever_time_moves_is_named(tables: Tables, word: str) -> None:
    @settings(max_examples=15)
    @given(strategies.facts(), strategies.LEAVES[word], st.sets(NIGHTS, min_size=2, max_size=2))
    def named(facts: Facts, body: dict[str, Any], days: set[int]) -> None:
        since, until = sorted(TONIGHT + dt.timedelta(days=day) for day in days)
        check(tables, facts, {word: body}, since, until)

    named()


@pytest.mark.parametrize("word", sorted(DENSE))
def test_whoever_time_moves_is_named_in_a_dense_history(tables: Tables, word: str) -> None:
    @settings(max_examples=20)
    @given(DENSE[word], st.sets(NIGHTS, min_size=2, max_size=2))
    def named(drawn: tuple[Facts, dict[str, Any]], days: set[int]) -> None:
        since, until = sorted(TONIGHT + dt.timedelta(days=day) for day in days)
        check(tables, drawn[0], {word: drawn[1]}, since, until)

    named()
