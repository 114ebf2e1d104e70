"""Random histories: what the nights carry forward equals what the facts say, and `since` is the first night of the present unbroken time."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.score.nights import LIFECYCLE_A, SCALE, Company, rule, segment
from vesper.clock import cutoff_at
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER

IDS = ("c1", "c2", "c3")
NIGHTS = tuple(ago(-number) for number in range(4))
DEFINITIONS = (
    SCALE,
    LIFECYCLE_A,
    rule("lately", {"orders": {"within": "2d"}}, 20),
    rule("redeemed", {"events": {"kind": "coupon_redeemed", "within": "2d"}}, 70),
    segment("lately", {"orders": {"within": "2d"}}),
    segment("mql", {"score": {"at_least": 80}}),
    segment("not_mql", {"all": [{"not": {"segment": {"id": "mql"}}}, {"stage": {"in": ["at_risk", "prospect"]}}]}),
)
Seen = list[dict[str, dict[Any, Any]]]


@st.composite
def histories(draw: st.DrawFn) -> list[Facts]:
    """Facts as they were known on each of four nights: only ever more of them, apart from a contact that is merged away."""
    days = st.sampled_from((-3, -2, -1, 0, 1, 2, 88, 89, 90))
    orders = draw(st.lists(st.builds(lambda id, day: Order(id, ago(day)), st.sampled_from(IDS), days), max_size=8))
    events = draw(
        st.lists(
            st.builds(lambda id, day: Event(id, "coupon_redeemed", ago(day)), st.sampled_from(IDS), days), max_size=4
        )
    )
    leaves_on, comes_on = draw(st.sampled_from((*NIGHTS, dt.date.max))), draw(st.sampled_from(NIGHTS))
    return [
        Facts(
            {id: {} for id in IDS if not (id == "c2" and on >= leaves_on) and not (id == "c3" and on < comes_on)},
            tuple(order for order in orders if order.on <= on),
            tuple(event for event in events if event.on <= on),
        )
        for on in NIGHTS
    ]


@pytest.mark.requirement("R35")
@settings(max_examples=12)
@given(history=histories())
def test_carried_forward_equals_computed_from_the_facts(tables: Tables, history: list[Facts]) -> None:
    seen = carried(tables, history)
    afresh = [alone(tables, facts, on) for facts, on in zip(history, NIGHTS, strict=True)]
    for night, fresh in zip(seen, afresh, strict=True):
        for part in ("reasons", "scores", "stages", "members"):
            assert set(night[part].items() if part != "members" else night[part]) == set(
                fresh[part].items() if part != "members" else fresh[part]
            )
    check_members(seen)
    check_stages(seen, afresh)


def carried(tables: Tables, history: list[Facts]) -> Seen:
    company = Company(tables, *DEFINITIONS)
    return [look(company, facts, on) for facts, on in zip(history, NIGHTS, strict=True)]


def alone(tables: Tables, facts: Facts, on: dt.date) -> dict[str, dict[Any, Any]]:
    return look(Company(tables, *DEFINITIONS), facts, on)


def look(company: Company, facts: Facts, on: dt.date) -> dict[str, dict[Any, Any]]:
    """One night's tables, by key."""
    company.run(facts, on)
    return {
        "reasons": {(row["contact_id"], row["rule_id"]): row["points"] for row in company.rows(SCORE_REASON)},
        "scores": company.of(SCORE, "score"),
        "before": company.of(SCORE, "previous_score"),
        "stages": company.of(LIFECYCLE, "stage"),
        "entered_at": company.of(LIFECYCLE, "entered_at"),
        "stage_changes": {
            row["contact_id"]: (row["from_stage"], row["to_stage"]) for row in company.rows(LIFECYCLE_CHANGE)
        },
        "members": {(row["segment_id"], row["contact_id"]): row["entered_on"] for row in company.rows(SEGMENT_MEMBER)},
        "changes": {(row["segment_id"], row["contact_id"]): row["change"] for row in company.rows(SEGMENT_CHANGE)},
    }


def check_members(seen: Seen) -> None:
    """entered_on is the first night of the unbroken membership; entered and left are the set difference of two nights."""
    before: dict[Any, Any] = {}
    for on, night in zip(NIGHTS, seen, strict=True):
        assert night["members"] == {key: before.get(key, on) for key in night["members"]}
        entered, left = night["members"].keys() - before.keys(), before.keys() - night["members"].keys()
        assert night["changes"] == {**dict.fromkeys(entered, "entered"), **dict.fromkeys(left, "left")}
        before = night["members"]


def check_stages(seen: Seen, afresh: Seen) -> None:
    """A stage begins at the cut-off of its first night, on the very first night where the facts tell; scores stand beside yesterday's."""
    stages: dict[Any, Any] = {}
    began: dict[Any, Any] = {}
    scores: dict[Any, Any] = {}
    for number, (on, night) in enumerate(zip(NIGHTS, seen, strict=True)):
        cutoff = cutoff_at(on, "America/New_York")
        kept = {id: began[id] if stages.get(id) == stage else cutoff for id, stage in night["stages"].items()}
        assert night["entered_at"] == (afresh[0]["entered_at"] if number == 0 else kept)
        moved = {id for id in {*stages, *night["stages"]} if stages.get(id) != night["stages"].get(id)}
        assert night["stage_changes"] == {id: (stages.get(id), night["stages"].get(id)) for id in moved}
        assert night["before"] == {id: scores.get(id) for id in night["scores"]}
        stages, began, scores = night["stages"], night["entered_at"], night["scores"]


def test_the_first_night_is_the_simulated_one() -> None:
    assert NIGHTS[0] == TONIGHT
