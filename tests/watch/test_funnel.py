"""The funnel: cohorts by entry month, and never more people after a step than before it."""

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.measure.shop import AT, TONIGHT, Shop, night
from vesper.marts.activity import ACTIVITY, activity
from vesper.marts.funnel import STEPS, funnel
from vesper.model.lifecycle import Lifecycle
from vesper.tables.contact import CONTACT
from vesper.tables.order import ORDER_DAY

JUNE = dt.date(2017, 6, 1)


def steps(shop: Shop, *definitions: Any) -> dict[tuple[dt.date, str], Any]:
    tonight = night(*definitions)
    with shop.engine.begin() as connection:
        connection.execute(ACTIVITY.delete())
    shop.fill(ACTIVITY, activity(tonight))
    return {(row.cohort_on, row.from_stage): row for row in shop.rows(funnel(tonight))}


@pytest.mark.requirement("R95")
def test_a_cohort_is_the_month_of_entry(shop: Shop) -> None:
    shop.contact("c1", first_seen_on=JUNE)
    shop.contact("c2", first_seen_on=dt.date(2017, 6, 30))
    shop.contact("c3", first_seen_on=dt.date(2017, 7, 1))
    entered = {cohort: row.entered_count for (cohort, step), row in steps(shop).items() if step == "registered"}
    assert entered == {JUNE: 2, dt.date(2017, 7, 1): 1}


@pytest.mark.requirement("R95")
def test_each_step_counts_those_who_took_it_and_the_days_it_took(shop: Shop) -> None:
    for number, days in enumerate([(3,), (5, 9), (5, 6, 7)], start=1):
        shop.contact(f"c{number}", first_seen_on=JUNE)
        for day in days:
            shop.bought(f"c{number}", JUNE + dt.timedelta(days=day))
    shop.contact("c9", first_seen_on=JUNE)
    found = steps(shop)
    first, second = found[JUNE, "registered"], found[JUNE, "first_purchase"]
    assert (first.entered_count, first.passed_count, first.pass_ratio, first.median_days) == (4, 3, 0.75, 5.0)
    assert (second.entered_count, second.passed_count, second.median_days) == (3, 2, 2.5)
    assert found[JUNE, "repurchase"].median_days is None


def test_an_order_before_the_registration_is_the_entry(shop: Shop) -> None:
    shop.contact("c1", first_seen_on=dt.date(2017, 7, 5))
    shop.bought("c1", JUNE)
    assert steps(shop)[JUNE, "registered"].median_days == 0.0


@pytest.mark.requirement("R95")
def test_loyal_is_ten_orders_in_ninety_days_where_the_lifecycle_says_nothing_else(shop: Shop) -> None:
    for contact_id, gap in (("c1", 5), ("c2", 20)):
        shop.contact(contact_id, first_seen_on=JUNE)
        for order in range(10):
            shop.bought(contact_id, JUNE + dt.timedelta(days=order * gap))
    row = steps(shop)[JUNE, "repurchase"]
    assert (row.entered_count, row.passed_count, row.median_days) == (2, 1, 40.0)


@pytest.mark.requirement("R95")
def test_loyal_follows_the_lifecycle_in_force(shop: Shop) -> None:
    shop.contact("c1", first_seen_on=JUNE)
    shop.bought("c1", JUNE, orders=3)
    loyal = {"id": "loyal", "says": "三次", "when": {"orders": {"at_least": 3}}}
    rest = {"id": "prospect", "says": "其他", "when": {"always": {}}}
    lifecycle = Lifecycle.model_validate({"id": "main", "says": "三步", "owner": "marketing", "stages": [loyal, rest]})
    assert steps(shop, lifecycle)[JUNE, "repurchase"].passed_count == 1


@pytest.mark.requirement("R95")
@given(
    people=st.lists(
        st.tuples(st.integers(0, 200), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 6)), max_size=8)),
        max_size=6,
    )
)
def test_no_step_gains_people(lasting: Shop, people: list[tuple[int, list[tuple[int, int]]]]) -> None:
    with lasting.engine.begin() as connection:
        connection.execute(CONTACT.delete())
        connection.execute(ORDER_DAY.delete())
    for number, (seen, orders) in enumerate(people):
        lasting.contact(f"c{number}", first_seen_on=JUNE + dt.timedelta(days=seen), updated_at=AT)
        for day, count in dict(orders).items():
            lasting.bought(f"c{number}", JUNE + dt.timedelta(days=day), orders=count)
    found = steps(lasting)
    assert sum(row.entered_count for (_, step), row in found.items() if step == STEPS[0]) == len(people)
    for (cohort, step), row in found.items():
        assert 0 <= row.passed_count <= row.entered_count
        assert row.median_days is None or row.median_days >= 0
        following = dict(pairwise(STEPS[:-1])).get(step)
        assert following is None or found[cohort, following].entered_count == row.passed_count
    assert all(row.business_on == TONIGHT for row in found.values())
