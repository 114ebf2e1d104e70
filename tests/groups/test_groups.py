"""Tags, tiers and personas over several nights: who, since when, what stands on what, and what a hole in a source leaves alone."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions import strategies
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from tests.groups.nights import Company, of_persona, tagged, tiering
from tests.score.nights import segment, source
from vesper.held import sources_behind

TOMORROW = ago(-1)
COFFEE = tagged("coffee", {"bought": {"category": ["COFFEE"], "within": "30d"}})
EAST = tagged("east", {"attribute": {"field": "province", "in": ["上海", "江苏"]}})
EAST_COFFEE = tagged("a_east_coffee", {"all": [{"tag": {"id": "coffee"}}, {"tag": {"id": "east"}}]})
VALUE = tiering("value", gold={"spent": {"at_least": 100, "within": "90d"}}, silver={"tag": {"id": "coffee"}})
PARENT = of_persona("parent", {"all": [{"tag": {"id": "east"}}, {"tier": {"of": "value", "in": ["gold", "silver"]}}]})
UPSTREAM = ("orders", "spent", "last_order", "attribute", "company", "anniversary", "activity", "rfm")
CONDITIONS = st.sampled_from(UPSTREAM).flatmap(lambda word: strategies.LEAVES[word].map(lambda body: {word: body}))
PLAIN_PARENT = of_persona("plain", {"not": {"persona": {"id": "parent"}}})


@pytest.mark.requirement("R26", "R28", "R30")
def test_tags_stand_under_tiers_and_both_under_personas_and_segments(tables: Tables) -> None:
    mixed = segment(
        "mixed",
        {
            "all": [
                {"tag": {"id": "a_east_coffee"}},
                {"persona": {"id": "parent"}},
                {"tier": {"of": "value", "in": ["silver"]}},
                {"attribute": {"field": "phone", "is": "known"}},
                {"events": {"kind": "app_signup"}},
            ]
        },
    )
    company = Company(tables, COFFEE, EAST, EAST_COFFEE, VALUE, PARENT, PLAIN_PARENT, mixed)
    facts = Facts(
        {"rich": {"province": "上海"}, "c1": {"province": "上海", "phone": "1"}, "away": {"province": "北京"}},
        orders=(Order("rich", ago(1), (Decimal(100),)), Order("c1", ago(2), categories=("COFFEE",))),
        events=(Event("c1", "app_signup", ago(1)),),
    )
    company.run(facts, TONIGHT)
    assert set(company.tags()) == {("coffee", "c1"), ("east", "rich"), ("east", "c1"), ("a_east_coffee", "c1")}
    assert {id: tier for id, (tier, _) in company.tiers("value").items()} == {
        "rich": "gold",
        "c1": "silver",
        "away": "other",
    }
    assert set(company.personas()) == {("parent", "rich"), ("parent", "c1"), ("plain", "away")}
    assert company.segment("mixed") == {"c1"}


def test_since_is_kept_while_it_lasts_and_begins_anew_after_a_break(tables: Tables) -> None:
    company = Company(tables, COFFEE, VALUE)
    one = Facts({"c1": {}}, orders=(Order("c1", ago(29), categories=("COFFEE",)),))
    company.run(one, TONIGHT)
    assert (company.tags(), company.tiers("value")) == ({("coffee", "c1"): TONIGHT}, {"c1": ("silver", TONIGHT)})
    again = Facts({"c1": {}}, orders=(*one.orders, Order("c1", TOMORROW, categories=("COFFEE",))))
    company.run(again, TOMORROW)
    assert (company.tags(), company.tiers("value")) == ({("coffee", "c1"): TONIGHT}, {"c1": ("silver", TONIGHT)})
    company.run(one, ago(-2))
    assert (company.tags(), company.tiers("value")) == ({}, {"c1": ("other", ago(-2))})
    company.run(again, ago(-3))
    assert (company.tags(), company.tiers("value")) == ({("coffee", "c1"): ago(-3)}, {"c1": ("silver", ago(-3))})


@pytest.mark.requirement("R106")
def test_a_hole_keeps_yesterdays_tags_and_tiers_and_what_stands_on_them(tables: Tables) -> None:
    company = Company(tables, COFFEE, EAST, VALUE, PARENT, source("shop_order", "order_line"))
    facts = Facts({"c1": {"province": "上海"}}, orders=(Order("c1", ago(29), categories=("COFFEE",)),))
    company.run(facts, TONIGHT)
    moved = Facts({"c1": {"province": "北京"}, "new": {"province": "上海"}}, orders=facts.orders)
    company.run(moved, TOMORROW, held={"shop_order"})
    assert company.tags() == {("coffee", "c1"): TONIGHT, ("east", "new"): TOMORROW}
    assert company.tiers("value") == {"c1": ("silver", TONIGHT), "new": ("other", TOMORROW)}
    assert company.personas() == {("parent", "c1"): TONIGHT}
    assert sources_behind(PARENT.members, night(*company.definitions)) == {"shop_order"}


def test_nobody_defined_nothing(tables: Tables) -> None:
    company = Company(tables).run(Facts({"c1": {}}), TONIGHT)
    assert (company.tags(), company.personas(), company.tiers("value")) == ({}, {}, {})


@pytest.mark.requirement("R28")
@settings(max_examples=12, deadline=None)
@given(facts=strategies.facts(), first=CONDITIONS, second=CONDITIONS)
def test_everybody_stands_in_exactly_one_tier(
    tables: Tables, facts: Facts, first: dict[str, Any], second: dict[str, Any]
) -> None:
    company = Company(tables, tiering("value", first=first, second={"not": second}))
    company.run(facts, TONIGHT)
    assert set(company.tiers("value")) == set(facts.contacts)


@pytest.mark.requirement("R76")
@pytest.mark.parametrize(
    ("born", "today", "holds"),
    [
        (dt.date(2000, 2, 29), dt.date(2018, 2, 28), True),
        (dt.date(2000, 2, 29), dt.date(2018, 3, 1), False),
        (dt.date(2000, 2, 29), dt.date(2020, 2, 28), False),
        (dt.date(2000, 2, 29), dt.date(2020, 2, 29), True),
        (dt.date(2000, 2, 28), dt.date(2020, 2, 29), False),
        (dt.date(2018, 2, 28), dt.date(2018, 2, 28), False),
        (None, dt.date(2018, 2, 28), False),
    ],
)
def test_a_birthday_comes_once_a_year(tables: Tables, born: dt.date | None, today: dt.date, holds: bool) -> None:
    company = Company(tables, tagged("birthday", {"anniversary": {"field": "birth_on", "within": "0d"}}))
    company.run(Facts({"c1": {"birth_on": born}}), today)
    assert (("birthday", "c1") in company.tags()) is holds
