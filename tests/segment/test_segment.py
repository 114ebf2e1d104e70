"""Members, since when, who entered and who left; segments that name segments."""

from typing import Any

import pytest

from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.score.nights import LIFECYCLE_A, SCALE, Company, segment
from vesper.group import in_order
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER

DORMANT = segment("dormant_90d", {"last_order": {"at_least_days_ago": 90}})
WINBACK = segment(
    "a_winback", {"all": [{"segment": {"id": "dormant_90d"}}, {"attribute": {"field": "email", "is": "known"}}]}
)
TWICE = segment("b_twice", {"any": [{"segment": {"id": "a_winback"}}, {"score": {"at_least": 80}}]})


def changes(company: Company) -> set[tuple[str, str, str]]:
    return {(row["segment_id"], row["contact_id"], row["change"]) for row in company.rows(SEGMENT_CHANGE)}


@pytest.mark.requirement("R35")
def test_members_entered_and_left_over_three_nights(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, DORMANT)
    everyone: dict[str, dict[str, Any]] = {"sleeper": {}, "soon": {}, "awake": {}}
    orders = (Order("sleeper", ago(100)), Order("soon", ago(89)), Order("awake", ago(1)))
    company.run(Facts(everyone, orders), TONIGHT)
    assert company.members("dormant_90d") == {"sleeper"}
    assert changes(company) == {("dormant_90d", "sleeper", "entered")}
    company.run(Facts(everyone, orders), ago(-1))
    assert company.members("dormant_90d") == {"sleeper", "soon"}
    assert changes(company) == {("dormant_90d", "soon", "entered")}
    assert company.of(SEGMENT_MEMBER, "entered_on") == {"sleeper": TONIGHT, "soon": ago(-1)}
    company.run(Facts(everyone, (*orders, Order("sleeper", ago(-2)))), ago(-2))
    assert company.members("dormant_90d") == {"soon"}
    assert changes(company) == {("dormant_90d", "sleeper", "left")}


def test_segments_that_name_segments_are_made_in_order_in_one_select(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, WINBACK, DORMANT, TWICE)
    assert in_order({one.id: one for one in (WINBACK, TWICE, DORMANT)}) == ["dormant_90d", "a_winback", "b_twice"]
    facts = Facts({"c1": {"email": "a@example.com"}, "c2": {}}, orders=(Order("c1", ago(95)), Order("c2", ago(95))))
    company.run(facts, TONIGHT)
    assert (company.members("dormant_90d"), company.members("a_winback"), company.members("b_twice")) == (
        {"c1", "c2"},
        {"c1"},
        {"c1"},
    )


def test_segments_in_a_circle_are_refused_by_name() -> None:
    one, other = segment("one", {"segment": {"id": "other"}}), segment("other", {"not": {"segment": {"id": "one"}}})
    with pytest.raises(ValueError, match=r"one -> other -> one|other -> one -> other"):
        in_order({"one": one, "other": other})


def test_a_deleted_segment_is_left_by_all(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, DORMANT)
    facts = Facts({"c1": {}}, orders=(Order("c1", ago(95)),))
    company.run(facts, TONIGHT)
    company.definitions = tuple(one for one in company.definitions if one is not DORMANT)
    company.run(facts, ago(-1))
    assert company.rows(SEGMENT_MEMBER) == []
    assert changes(company) == {("dormant_90d", "c1", "left")}


def test_a_merged_contact_leaves(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, DORMANT)
    company.run(Facts({"c1": {}, "c2": {}}, orders=(Order("c1", ago(95)), Order("c2", ago(95)))), TONIGHT)
    company.run(Facts({"c1": {}}, orders=(Order("c1", ago(95)),)), ago(-1))
    assert changes(company) == {("dormant_90d", "c2", "left")}


@pytest.mark.requirement("R28")
def test_one_tier_and_many_segments(tables: Tables) -> None:
    redeemers = segment("redeemers", {"events": {"kind": "coupon_redeemed"}})
    at_risk = segment("at_risk", {"stage": {"in": ["at_risk"]}})
    company = Company(tables, SCALE, LIFECYCLE_A, DORMANT, redeemers, at_risk)
    company.run(
        Facts({"c1": {}}, orders=(Order("c1", ago(95)),), events=(Event("c1", "coupon_redeemed", ago(95)),)), TONIGHT
    )
    assert [row["stage"] for row in company.rows(LIFECYCLE)] == ["at_risk"]
    assert {row["segment_id"] for row in company.rows(SEGMENT_MEMBER)} == {"dormant_90d", "redeemers", "at_risk"}
