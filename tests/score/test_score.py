"""Base, rules, clamp, MQL: every score is the sum of its reasons."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions import strategies
from tests.conditions.oracle import Case, judge
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.score.nights import LIFECYCLE_A, SCALE, Company, rule, scale
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.scoring import ScoringRule

ONE: dict[str, dict[str, Any]] = {"c1": {}}


@pytest.mark.requirement("R50")
def test_a_contact_without_any_signal_scores_exactly_60(tables: Tables) -> None:
    company = Company(
        tables, SCALE, LIFECYCLE_A, rule("two_orders_7d", {"orders": {"at_least": 2, "within": "7d"}}, 10)
    )
    company.run(Facts(ONE), TONIGHT)
    assert company.points("c1") == {"base": 60}
    assert company.of(SCORE, "score") == {"c1": 60}


@pytest.mark.requirement("R53")
@pytest.mark.parametrize(("points", "is_mql"), [(19, False), (20, True), (21, True)])
def test_79_is_no_mql_and_80_is(tables: Tables, points: int, is_mql: bool) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, rule("ordered", {"orders": {}}, points))
    company.run(Facts(ONE, orders=(Order("c1", ago(1)),)), TONIGHT)
    assert company.of(SCORE, "score") == {"c1": 60 + points}
    assert company.of(SCORE, "is_mql") == {"c1": is_mql}


@pytest.mark.requirement("R58")
def test_fit_and_engagement_stand_side_by_side(tables: Tables) -> None:
    company = Company(
        tables,
        SCALE,
        LIFECYCLE_A,
        rule("known_phone", {"attribute": {"field": "phone", "is": "known"}}, 5, kind="fit"),
        rule("with_kids", {"attribute": {"field": "kids_count", "in": ["2"]}}, 7, kind="fit"),
        rule("ordered", {"orders": {}}, 10),
    )
    facts = Facts(
        {"both": {"phone": "+8613912345678", "kids_count": "2"}, "buyer": {}, "nobody": {}},
        orders=(Order("both", ago(1)), Order("buyer", ago(1))),
    )
    company.run(facts, TONIGHT)
    rows = {row["contact_id"]: (row["fit_score"], row["engagement_score"], row["score"]) for row in company.rows(SCORE)}
    assert rows == {"both": (12, 10, 82), "buyer": (0, 10, 70), "nobody": (0, 0, 60)}


@pytest.mark.parametrize(("points", "score", "clamp"), [(40, 100, None), (41, 100, -1), (-60, 0, None), (-61, 0, 1)])
def test_what_leaves_the_scale_is_brought_back_by_a_row(
    tables: Tables, points: int, score: int, clamp: int | None
) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, rule("ordered", {"orders": {}}, points))
    company.run(Facts(ONE, orders=(Order("c1", ago(1)),)), TONIGHT)
    assert company.of(SCORE, "score") == {"c1": score}
    assert company.points("c1") == {"base": 60, "ordered": points, **({} if clamp is None else {"clamp": clamp})}


def test_a_band_gives_its_points_and_no_other(tables: Tables) -> None:
    bands = [
        {"at_least": 0, "at_most": 0, "points": -5},
        {"at_least": 1, "at_most": 1, "points": 0},
        {"at_least": 2, "points": 20},
    ]
    company = Company(
        tables, SCALE, LIFECYCLE_A, rule("clicks", {"events": {"kind": "mail_clicked", "within": "7d"}}, bands=bands)
    )
    clicks = [("once", 1), ("twice", 2), ("often", 5)]
    facts = Facts(
        {"never": {}, "once": {}, "twice": {}, "often": {}},
        events=tuple(Event(id, "mail_clicked", ago(1)) for id, number in clicks for _ in range(number)),
    )
    company.run(facts, TONIGHT)
    assert company.of(SCORE, "score") == {"never": 55, "once": 60, "twice": 80, "often": 80}


def test_a_reason_tells_how_many_facts_from_when_to_when(tables: Tables) -> None:
    company = Company(
        tables, SCALE, LIFECYCLE_A, rule("two_orders_7d", {"orders": {"at_least": 2, "within": "7d"}}, 10)
    )
    orders = tuple(Order("c1", ago(day)) for day in (6, 3, 0, 7))
    company.run(Facts(ONE, orders=orders), TONIGHT)
    [row] = [row for row in company.rows(SCORE_REASON) if row["rule_id"] == "two_orders_7d"]
    assert (row["evidence_count"], row["first_at"], row["last_at"]) == (3, orders[0].ordered_at, orders[2].ordered_at)


def test_yesterdays_score_stands_beside(tables: Tables) -> None:
    company = Company(
        tables, SCALE, LIFECYCLE_A, rule("two_orders_7d", {"orders": {"at_least": 1, "within": "7d"}}, 20)
    )
    company.run(Facts(ONE, orders=(Order("c1", ago(6)),)), TONIGHT)
    assert company.of(SCORE, "previous_score") == {"c1": None}
    company.run(Facts({**ONE, "new": {}}, orders=(Order("c1", ago(6)),)), ago(-1))
    assert company.of(SCORE, "score") == {"c1": 60, "new": 60}
    assert company.of(SCORE, "previous_score") == {"c1": 80, "new": None}


def test_orders_of_an_unknown_contact_score_nobody(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, rule("ordered", {"orders": {}}, 5))
    company.run(Facts(ONE, orders=(Order("stranger", ago(1)), Order(None, ago(1)))), TONIGHT)
    assert company.of(SCORE, "score") == {"c1": 60}


def test_base_line_and_bounds_are_the_policys(tables: Tables) -> None:
    company = Company(
        tables, scale(base=20, mql_at=30, floor=-10, ceiling=40), LIFECYCLE_A, rule("ordered", {"orders": {}}, 25)
    )
    company.run(Facts({"c1": {}, "c2": {}}, orders=(Order("c1", ago(1)),)), TONIGHT)
    assert (company.of(SCORE, "score"), company.of(SCORE, "is_mql")) == (
        {"c1": 40, "c2": 20},
        {"c1": True, "c2": False},
    )


@st.composite
def rules(draw: st.DrawFn) -> tuple[ScoringRule, ...]:
    """Up to four rules on facts alone: a rule cannot read the score that it makes."""
    written = [
        {word: draw(strategies.LEAVES[word])}
        for word in draw(st.lists(st.sampled_from(("orders", "spent", "events", "attribute")), max_size=4))
    ]
    points = [draw(st.integers(-80, 80)) for _ in written]
    kinds = [draw(st.sampled_from(("fit", "engagement"))) for _ in written]
    return tuple(
        rule(f"r{n}", when, value, kind)
        for n, (when, value, kind) in enumerate(zip(written, points, kinds, strict=True))
    )


@settings(max_examples=25)
@given(facts=strategies.facts(), made=rules())
def test_every_score_is_the_sum_of_its_reasons(tables: Tables, facts: Facts, made: tuple[ScoringRule, ...]) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, *made)
    tonight = company.run(facts, TONIGHT)
    assert set(company.of(SCORE, "score")) == set(facts.contacts)
    for row in company.rows(SCORE):
        points = company.points(row["contact_id"])
        case = Case(row["contact_id"], facts, tonight)
        earned = {one.id: one.points for one in made if judge(one.when, case).truth}
        raw = 60 + sum(value or 0 for value in earned.values())
        assert row["score"] == sum(points.values()) == max(0, min(100, raw))
        assert {key: value for key, value in points.items() if key != "clamp"} == {"base": 60, **earned}
        assert ("clamp" in points) == (raw != row["score"])


def test_the_same_night_twice_gives_the_same_rows(tables: Tables) -> None:
    company = Company(tables, SCALE, LIFECYCLE_A, rule("spender", {"spent": {"at_least": 10, "within": "30d"}}, 20))
    facts = Facts(
        {f"c{n}": {} for n in range(5)}, orders=tuple(Order(f"c{n}", ago(n), (Decimal(n * 5),)) for n in range(5))
    )
    company.run(facts, TONIGHT)
    first = {table.name: company.rows(table) for table in (SCORE_REASON, SCORE)}
    Company(tables)
    company.run(facts, TONIGHT)
    assert {table.name: company.rows(table) for table in (SCORE_REASON, SCORE)} == first
