"""A source with a hole: what reads it keeps yesterday's rows; unknown never scores, never changes a stage or a segment (R106)."""

from typing import Any

import pytest

from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from tests.score.nights import LIFECYCLE_A, SCALE, Company, rule, segment, source
from vesper.conditions import Condition
from vesper.held import held_sources, is_held, sources_behind
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.marts.score import SCORE
from vesper.marts.segment_change import SEGMENT_CHANGE

SOURCES = (
    source("shop_order", "order_line"),
    source("mail_open", "event", "mail_opened"),
    source("shop_redemption", "event", "coupon_redeemed"),
    source("crm_member", "contact"),
    source("app_signup", "contact", "app_signed_up"),
)
TOMORROW = ago(-1)
NO_OPEN: dict[str, Any] = {"not": {"events": {"kind": "mail_opened", "within": "30d"}}}
MAIL_OPENED: dict[str, Any] = {"event": {"kind": "mail_opened"}}
SILENT = rule("silent_30d", NO_OPEN, -10)
BUYER = rule("ordered_30d", {"orders": {"within": "30d"}}, 20)
SEGMENTS = (
    segment("silent", NO_OPEN),
    segment("buyers", {"orders": {"within": "30d"}}),
    segment("mql", {"score": {"at_least": 80}}),
    segment("silent_phone", {"all": [{"segment": {"id": "silent"}}, {"attribute": {"field": "phone", "is": "known"}}]}),
)
OPENED = Facts(
    {"c1": {"phone": "1"}, "c2": {"phone": "1"}},
    orders=(Order("c1", ago(3)),),
    events=(Event("c1", "mail_opened", ago(29)),),
)


def company_of(tables: Tables) -> Company:
    return Company(tables, SCALE, LIFECYCLE_A, SILENT, BUYER, *SEGMENTS, *SOURCES)


@pytest.mark.requirement("R106")
def test_a_rule_on_unknown_facts_keeps_yesterdays_points_and_the_others_go_on(tables: Tables) -> None:
    company = company_of(tables)
    company.run(OPENED, TONIGHT)
    assert company.of(SCORE, "score") == {"c1": 80, "c2": 50}
    # Tomorrow the open of c1 leaves the window and no file says whether there was another; c2 orders for the first time.
    grown = Facts({**OPENED.contacts, "new": {}}, orders=(*OPENED.orders, Order("c2", TOMORROW)), events=OPENED.events)
    company.run(grown, TOMORROW, held={"mail_open"})
    assert company.points("c1") == {"base": 60, "ordered_30d": 20}
    assert company.points("c2") == {"base": 60, "silent_30d": -10, "ordered_30d": 20}
    assert company.points("new") == {"base": 60}
    company.run(grown, TOMORROW)
    assert company.points("c1") == {"base": 60, "ordered_30d": 20, "silent_30d": -10}


@pytest.mark.requirement("R106")
def test_a_segment_on_unknown_facts_keeps_its_members_also_through_another_segment_or_a_score(tables: Tables) -> None:
    company = company_of(tables)
    company.run(OPENED, TONIGHT)
    assert (company.members("silent"), company.members("silent_phone"), company.members("mql")) == (
        {"c2"},
        {"c2"},
        {"c1"},
    )
    grown = Facts(OPENED.contacts, orders=(*OPENED.orders, Order("c2", TOMORROW)), events=OPENED.events)
    company.run(grown, TOMORROW, held={"mail_open"})
    assert (company.members("silent"), company.members("silent_phone"), company.members("mql")) == (
        {"c2"},
        {"c2"},
        {"c1"},
    )
    assert company.members("buyers") == {"c1", "c2"}
    assert [(row["segment_id"], row["contact_id"]) for row in company.rows(SEGMENT_CHANGE)] == [("buyers", "c2")]


@pytest.mark.requirement("R106")
def test_stages_on_unknown_orders_stay_and_a_new_contact_stands_in_the_last(tables: Tables) -> None:
    company = company_of(tables)
    facts = Facts({"c1": {}, "c2": {}}, orders=(Order("c1", ago(89)), Order("c2", ago(3))))
    company.run(facts, TONIGHT)
    company.run(
        Facts({**facts.contacts, "new": {}}, orders=(*facts.orders, Order("new", TOMORROW))),
        TOMORROW,
        held={"shop_order"},
    )
    assert company.of(LIFECYCLE, "stage") == {"c1": "first_purchase", "c2": "first_purchase", "new": "prospect"}
    assert [row["contact_id"] for row in company.rows(LIFECYCLE_CHANGE)] == ["new"]


@pytest.mark.requirement("R106")
def test_without_a_yesterday_a_held_rule_and_segment_give_nothing(tables: Tables) -> None:
    company = company_of(tables)
    company.run(OPENED, TONIGHT, held={"mail_open"})
    assert company.points("c2") == {"base": 60}
    assert company.members("silent") == set()


def test_a_contact_that_is_gone_keeps_nothing(tables: Tables) -> None:
    company = company_of(tables)
    company.run(OPENED, TONIGHT)
    company.run(Facts({"c1": {}}), TOMORROW, held={"mail_open", "shop_order"})
    assert company.of(SCORE, "score") == {"c1": 80}
    assert company.of(LIFECYCLE, "stage") == {"c1": "first_purchase"}
    assert company.members("silent") == set()


@pytest.mark.parametrize(
    ("written", "sources"),
    [
        ({"always": {}}, set()),
        ({"orders": {}}, {"shop_order"}),
        ({"not": {"events": {"kind": "mail_opened"}}}, {"mail_open"}),
        ({"events": {"kind": "app_signed_up"}}, {"app_signup"}),
        ({"events": {"kind": "unheard_of"}}, {"mail_open", "shop_redemption"}),
        ({"events": {"kind": ["mail_opened", "app_signed_up"]}}, {"mail_open", "app_signup"}),
        ({"last_event": {"kind": "mail_opened", "at_least_days_ago": 9}}, {"mail_open"}),
        ({"sequence": {"steps": [MAIL_OPENED, {"no_order": {}, "within": "3d"}]}}, {"mail_open", "shop_order"}),
        ({"sequence": {"steps": [MAIL_OPENED, MAIL_OPENED]}}, {"mail_open"}),
        ({"attribute": {"field": "phone", "is": "known"}}, {"crm_member", "app_signup"}),
        ({"segment": {"id": "silent_phone"}}, {"mail_open", "crm_member", "app_signup"}),
        ({"score": {"at_least": 80}}, {"mail_open", "shop_order"}),
        ({"stage": {"in": ["loyal"]}}, {"shop_order"}),
    ],
)
def test_the_sources_behind_a_condition(written: dict[str, Any], sources: set[str]) -> None:
    condition = Condition.model_validate(written)
    tonight = night(SCALE, LIFECYCLE_A, SILENT, BUYER, *SEGMENTS, *SOURCES)
    assert sources_behind(condition, tonight) == sources
    for id in sources:
        waiting = night(SCALE, LIFECYCLE_A, SILENT, BUYER, *SEGMENTS, *SOURCES, held={id})
        assert is_held(condition, waiting)
        assert held_sources(condition, waiting) == [id]
    assert not is_held(condition, tonight)
