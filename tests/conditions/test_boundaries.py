"""The edges that people argue about, one by one: the first and last day of a window, 89 and 90 days, nobody and unknown."""

from decimal import Decimal
from typing import Any

import pytest

from tests.conditions.test_against_oracle import put
from tests.conditions.world import Event, Facts, Order, Tables, ago, night
from vesper.conditions import Condition
from vesper.conditions.people import people
from vesper.conditions.replenishment_due import next_need
from vesper.marts.activity import ACTIVITY, activity

SOMEBODY = {"c1": {"province": "上海", "phone": None}}


def holds(tables: Tables, written: dict[str, Any], facts: Facts) -> set[str]:
    tonight = night()
    put(tables, facts, tonight)
    return {row["contact_id"] for row in tables.rows(people(Condition.model_validate(written), tonight))}


def bought_on(*days: int, category: str | None = None) -> Facts:
    return Facts(SOMEBODY, orders=tuple(Order("c1", ago(day), categories=(category,)) for day in days))


@pytest.mark.requirement("R31")
@pytest.mark.parametrize(("days", "dormant"), [(89, False), (90, True), (91, True)])
def test_dormant_begins_on_the_90th_day_after_the_last_order(tables: Tables, days: int, dormant: bool) -> None:
    assert holds(tables, {"last_order": {"at_least_days_ago": 90}}, bought_on(days, 200)) == (
        {"c1"} if dormant else set()
    )


@pytest.mark.requirement("R31")
def test_who_never_ordered_is_not_dormant_and_not_active_either(tables: Tables) -> None:
    dormant = {"last_order": {"at_least_days_ago": 90}}
    assert holds(tables, dormant, bought_on()) == set()
    assert holds(tables, {"not": dormant}, bought_on()) == set()
    assert holds(tables, {"not": dormant}, bought_on(3)) == {"c1"}


@pytest.mark.parametrize(("day", "inside"), [(0, True), (6, True), (7, False), (-1, False)])
@pytest.mark.parametrize("word", ["orders", "spent", "bought"])
def test_a_window_of_7d_is_the_business_date_and_the_six_days_before(
    tables: Tables, word: str, day: int, inside: bool
) -> None:
    bodies: dict[str, dict[str, Any]] = {"orders": {}, "spent": {"at_least": 10}, "bought": {"category": ["COFFEE"]}}
    found = holds(tables, {word: {**bodies[word], "within": "7d"}}, bought_on(day, category="COFFEE"))
    assert found == ({"c1"} if inside else set())


@pytest.mark.parametrize(("day", "inside"), [(0, True), (6, True), (7, False), (-1, False)])
def test_events_have_the_same_window(tables: Tables, day: int, inside: bool) -> None:
    facts = Facts(SOMEBODY, events=(Event("c1", "mail_opened", ago(day)),))
    assert holds(tables, {"events": {"kind": "mail_opened", "within": "7d"}}, facts) == ({"c1"} if inside else set())


@pytest.mark.requirement("R34")
def test_absence_over_a_window_holds_for_people_never_mailed_unless_the_mail_is_asked_for(tables: Tables) -> None:
    contacts: dict[str, dict[str, Any]] = {"never_mailed": {}, "silent": {}, "opened": {}, "opened_long_ago": {}}
    mails = tuple(Event(id, "mail_sent", ago(20)) for id in ("silent", "opened", "opened_long_ago"))
    opens = (Event("opened", "mail_opened", ago(29)), Event("opened_long_ago", "mail_opened", ago(30)))
    facts = Facts(contacts, events=mails + opens)
    no_open = {"not": {"events": {"kind": "mail_opened", "within": "30d"}}}
    assert holds(tables, no_open, facts) == {"never_mailed", "silent", "opened_long_ago"}
    assert holds(tables, {"events": {"kind": "mail_opened", "at_most": 0, "within": "30d"}}, facts) == {
        "never_mailed",
        "silent",
        "opened_long_ago",
    }
    mailed = {"events": {"kind": "mail_sent", "within": "30d"}}
    assert holds(tables, {"all": [mailed, no_open]}, facts) == {"silent", "opened_long_ago"}


def test_machines_never_count(tables: Tables) -> None:
    facts = Facts(SOMEBODY, events=(Event("c1", "mail_opened", ago(0), is_machine=True),))
    assert holds(tables, {"events": {"kind": "mail_opened"}}, facts) == set()


@pytest.mark.requirement("R39")
def test_bought_one_thing_and_not_the_other(tables: Tables) -> None:
    facts = Facts(
        {"both": {}, "one": {}, "none": {}},
        orders=(
            Order("both", ago(1), (Decimal(5), Decimal(6)), ("CAMERAS", "LENSES")),
            Order("one", ago(1), categories=("CAMERAS",)),
            Order("none", ago(1), categories=("LENSES",)),
        ),
    )
    cross_sell = {"all": [{"bought": {"category": ["CAMERAS"]}}, {"not": {"bought": {"category": ["LENSES"]}}}]}
    assert holds(tables, cross_sell, facts) == {"one"}


FAMILIES: dict[str, dict[str, Any]] = {
    "attribute of the person": {"attribute": {"field": "province", "in": ["上海"]}},
    "behaviour of the person": {"events": {"kind": "coupon_redeemed"}},
    "attribute of the behaviour": {"bought": {"category": ["COFFEE"], "within": "60d"}},
    "joined behaviours": {"all": [{"orders": {"within": "30d"}}, {"not": {"events": {"kind": "complained"}}}]},
    "character of the behaviour": {"rfm": {"recency": [5], "frequency": [5]}},
}


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("family", FAMILIES)
def test_each_of_the_five_families_of_conditions_finds_its_people(tables: Tables, family: str) -> None:
    others = [Order(f"other{number}", ago(100 + number)) for number in range(4)]
    facts = Facts(
        {"c1": {"province": "上海"}, "c2": {"province": "江苏"}, **{order.contact_id or "": {} for order in others}},
        orders=(*others, *[Order("c1", ago(day), categories=("COFFEE",)) for day in (1, 2)]),
        events=(Event("c1", "coupon_redeemed", ago(4)), Event("c2", "complained", ago(4))),
    )
    assert holds(tables, FAMILIES[family], facts) == {"c1"}


@pytest.mark.requirement("R38")
def test_repeated_views_or_cart_or_favourite_without_an_order(tables: Tables) -> None:
    views = (
        Event("viewer", "page_viewed", ago(1)),
        Event("viewer", "page_viewed", ago(2)),
        Event("once", "page_viewed", ago(1)),
    )
    others = (
        Event("carter", "cart_added", ago(3)),
        Event("lover", "favourited", ago(3)),
        Event("buyer", "cart_added", ago(3)),
    )
    everyone: dict[str, dict[str, Any]] = {id: {} for id in ("viewer", "once", "carter", "lover", "buyer", "nobody")}
    facts = Facts(everyone, orders=(Order("buyer", ago(2)),), events=views + others)
    interest = {
        "any": [
            {"events": {"kind": "page_viewed", "at_least": 2, "within": "7d"}},
            {"events": {"kind": "cart_added", "within": "7d"}},
            {"events": {"kind": "favourited", "within": "7d"}},
        ]
    }
    composite = {"all": [interest, {"not": {"orders": {"within": "7d"}}}]}
    assert holds(tables, composite, facts) == {"viewer", "carter", "lover"}


@pytest.mark.requirement("R26")
def test_one_expression_joins_attribute_behaviour_score_stage_and_segment(tables: Tables) -> None:
    ids = ("c1", "c2", "c3", "c4", "c5")
    facts = Facts(
        {id: {"province": "江苏" if id == "c2" else "上海"} for id in ids},
        orders=tuple(Order(id, ago(1)) for id in ids if id != "c3"),
        scores={id: 79 if id == "c4" else 80 for id in ids},
        stages=dict.fromkeys(ids, "loyal"),
        segments={"vip": frozenset({"c1", "c2", "c3", "c4"})},
    )
    parts = [
        {"attribute": {"field": "province", "in": ["上海"]}},
        {"orders": {"within": "7d"}},
        {"score": {"at_least": 80}},
        {"stage": {"in": ["loyal"]}},
        {"segment": {"id": "vip"}},
    ]
    assert holds(tables, {"all": parts}, facts) == {"c1"}


def test_a_missing_value_is_neither_in_a_list_nor_outside_it(tables: Tables) -> None:
    facts = Facts({"here": {"province": "上海"}, "there": {"province": "江苏"}, "unknown": {"province": None}})
    in_shanghai = {"attribute": {"field": "province", "in": ["上海"]}}
    assert holds(tables, in_shanghai, facts) == {"here"}
    assert holds(tables, {"not": in_shanghai}, facts) == {"there"}
    unknown_too = {"any": [{"not": in_shanghai}, {"attribute": {"field": "province", "is": "missing"}}]}
    assert holds(tables, unknown_too, facts) == {"there", "unknown"}
    assert holds(tables, {"not": {"not": in_shanghai}}, facts) == {"here"}


@pytest.mark.requirement("R37")
@pytest.mark.parametrize(("last", "due"), [(14, True), (11, True), (10, False), (15, False)])
def test_replenishment_is_due_from_so_many_days_before_the_predicted_day_until_that_day(
    tables: Tables, last: int, due: bool
) -> None:
    facts = bought_on(
        last, last + 14, last + 14 + 10, last + 14 + 10 + 20, category="COFFEE"
    )  # gaps 14, 10, 20: median 14
    assert holds(tables, {"replenishment_due": {"category": ["COFFEE"], "within": "3d"}}, facts) == (
        {"c1"} if due else set()
    )


@pytest.mark.requirement("R37")
def test_the_next_need_is_a_day_for_each_contact_and_category(tables: Tables) -> None:
    tonight = night()
    tables.put_facts(bought_on(5, 15, 35, category="COFFEE"), tonight)
    [need] = tables.rows(next_need(["COFFEE", "TEA"], tonight))
    assert (need["category"], need["purchase_days"], need["gap_days"], need["next_need_on"]) == (
        "COFFEE",
        3,
        10,
        ago(-5),
    )


@pytest.mark.requirement("R36")
def test_activity_is_computed_by_its_declared_formula(tables: Tables) -> None:
    ids = [f"c{number}" for number in range(1, 6)]
    orders = [Order(id, ago(10 * place + gap)) for place, id in enumerate(ids) for gap in range(5 - place)]
    tonight = night()
    tables.put_facts(Facts({id: {} for id in [*ids, "silent"]}, orders=(*orders, Order("silent", ago(365)))), tonight)
    rows = {row["contact_id"]: row for row in tables.rows(ACTIVITY.select())}
    ranks = {id: (row["recency_rank"], row["frequency_rank"], row["activity_level"]) for id, row in rows.items()}
    assert ranks == {
        "c1": (5, 5, "high"),
        "c2": (4, 4, "high"),
        "c3": (3, 3, "medium"),
        "c4": (2, 2, "low"),
        "c5": (1, 1, "low"),
        "silent": (None, None, "low"),
    }
    assert (rows["c1"]["order_count"], rows["c1"]["first_order_on"], rows["c1"]["last_order_on"]) == (5, ago(4), ago(0))
    assert "recency_rank + frequency_rank" in (ACTIVITY.c.activity_level.comment or "")


def test_the_second_order_may_fall_on_the_first_day(tables: Tables) -> None:
    tonight = night()
    facts = Facts(
        {"twice": {}, "later": {}, "once": {}},
        orders=(
            Order("twice", ago(9)),
            Order("twice", ago(9)),
            Order("later", ago(9)),
            Order("later", ago(3)),
            Order("later", ago(1)),
            Order("once", ago(1)),
        ),
    )
    tables.put_facts(facts, tonight)
    tables.make(ACTIVITY, activity(tonight))
    seconds = {row["contact_id"]: row["second_order_on"] for row in tables.rows(ACTIVITY.select())}
    assert seconds == {"twice": ago(9), "later": ago(3), "once": None}
