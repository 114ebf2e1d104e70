"""Goals: baseline, target and current value of each kind of figure, and what a goal may not say."""

import datetime as dt
from typing import Any

import pytest

from tests.measure.shop import AT, TONIGHT, Shop, night
from vesper.marts.goal import goals
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.marts.visibility import VISIBILITY
from vesper.model.goal import Goal
from vesper.tables.campaign import EVENT

WRITTEN = {
    "id": "leads",
    "says": "年度线索量提升 30%",
    "owner": "marketing",
    "level": "business",
    "pain_point": "线索少",
    "expected_effect": "线索多",
    "baseline": {"value": 10, "on": "2016-12-31"},
    "grow_by": 0.3,
    "due_on": "2018-06-30",
}


def goal(**more: Any) -> Goal:
    return Goal.model_validate({**WRITTEN, **more})


def row_of(shop: Shop, one: Goal) -> Any:
    (row,) = shop.rows(goals(night(one)))
    return row


def change(shop: Shop, contact_id: str, days_ago: int, before: str | None, after: str | None) -> None:
    on = TONIGHT - dt.timedelta(days=days_ago)
    shop.put(
        LIFECYCLE_CHANGE,
        {
            "business_on": on,
            "contact_id": contact_id,
            "from_stage": before,
            "to_stage": after,
            "at": AT,
            "definition_hash": "h",
        },
    )


@pytest.mark.requirement("R24")
def test_a_number_grows_from_its_baseline(shop: Shop) -> None:
    for number in range(12):
        shop.contact(f"c{number}", first_seen_on=TONIGHT - dt.timedelta(days=number * 40))
    row = row_of(shop, goal(measures={"new_contacts": {}}))
    assert (row.baseline, row.target, row.current, row.is_met) == (10, 13, 10, False)
    assert row.progress_ratio == 0 and not row.is_overdue
    late = row_of(shop, goal(measures={"new_contacts": {}}, due_on="2017-12-31"))
    assert late.is_overdue


@pytest.mark.requirement("R25")
def test_events_of_machines_reach_no_goal(shop: Shop) -> None:
    for number, machine in enumerate((False, False, True)):
        row = {"event_id": f"e{number}", "on": TONIGHT, "kind": "form_submitted", "at": AT, "received_at": AT}
        shop.put(EVENT, {**row, "source": "web", "is_machine": machine})
    events = goal(
        id="forms",
        level="marketing",
        serves="leads",
        measures={"events": {"kind": ["form_submitted"]}},
        baseline={"value": 1, "on": "2017-11-30"},
        grow_by=None,
        target=2,
        period="month",
    )
    row = row_of(shop, events)
    assert (row.current, row.is_met, row.serves, row.progress_ratio) == (2, True, "leads", 1)


@pytest.mark.requirement("R24")
def test_a_stage_is_passed_by_those_who_entered_it_in_the_period(shop: Shop) -> None:
    change(shop, "c1", 20, None, "mql")
    change(shop, "c1", 5, "mql", "sql")
    change(shop, "c2", 20, None, "mql")
    change(shop, "c3", 60, None, "mql")
    change(shop, "c3", 5, "mql", "sql")
    passed = goal(measures={"passed": {"stage": "mql", "to": ["sql"]}}, period="month", target=0.4, grow_by=None)
    assert row_of(shop, passed).current == 0.5


@pytest.mark.requirement("R25")
def test_sleepers_return_or_still_sleep(shop: Shop) -> None:
    change(shop, "c1", 3, "at_risk", "repurchase")
    change(shop, "c2", 3, "at_risk", None)
    for id in ("c3", "c4", "c5"):
        shop.put(
            LIFECYCLE,
            {
                "business_on": TONIGHT,
                "contact_id": id,
                "stage": "at_risk",
                "entered_at": AT,
                "rule_id": "r",
                "definition_hash": "h",
            },
        )
    returned = goal(measures={"returned": {"stage": "at_risk", "to": ["repurchase"]}}, target=0.08, grow_by=None)
    assert row_of(shop, returned).current == 0.25


@pytest.mark.requirement("R24")
def test_what_nobody_measures_is_empty_and_never_met(shop: Shop) -> None:
    unknown = goal(measures={"monitor": "visibility_ratio"}, target=0.8, grow_by=None, due_on="2017-12-31")
    row = row_of(shop, unknown)
    assert (row.current, row.progress_ratio, row.is_met, row.is_overdue) == (None, None, None, True)
    assert not shop.rows(VISIBILITY.select())


@pytest.mark.requirement("R25")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"measures": {"new_contacts": {}, "monitor": "mql_ratio"}}, "exactly one figure"),
        ({"measures": {}}, "exactly one figure"),
        ({"measures": {"new_contacts": {}}, "target": 3}, "target or growth"),
        ({"measures": {"new_contacts": {}}, "level": "marketing"}, "serves a business goal"),
        ({"measures": {"new_contacts": {}}, "grow_by": None, "target": 10}, "stands already"),
    ],
)
def test_a_goal_that_says_too_much_or_too_little_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        goal(**more)
