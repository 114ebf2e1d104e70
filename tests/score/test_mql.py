"""Who is an MQL by which preset: the score alone, or with a clear budget and a decision maker (R53, R54)."""

import datetime as dt
from typing import Any

import pytest

from tests.conditions.sales_facts import Sales, Statement
from tests.conditions.world import TONIGHT, Facts, Order, Tables, ago, night
from tests.score.nights import WORDS, rule, source
from tests.score.scores_only import Scorer
from vesper.conditions import Condition
from vesper.held import sources_behind
from vesper.key_figures import scored
from vesper.marts.score import SCORE
from vesper.model.policy import ScoringPolicy

NOON = dt.time(12)
ORDERED = rule("ordered", {"orders": {}}, 20)
STRICT: dict[str, Any] = {"id": "scoring", **WORDS, "mql_preset": "strict", "strict": {"budget": ["clear", "明确"]}}
STRICT_SCALE = ScoringPolicy.model_validate(STRICT)
NOTES = source("bant_notes", "bant")


def said(id: str, day: int, **values: str) -> tuple[Statement, ...]:
    at = dt.datetime.combine(ago(day), NOON)
    return tuple(Statement(id, dimension, value, at) for dimension, value in values.items())


@pytest.mark.requirement("R54")
@pytest.mark.requirement("R55")
def test_strict_asks_for_score_budget_and_decision_maker_and_the_preset_is_stored(tables: Tables) -> None:
    statements = (
        *said("all_three", 3, budget="明确", authority="decision_maker"),
        *said("no_score", 3, budget="clear", authority="decision_maker"),
        *said("no_budget", 3, authority="decision_maker"),
        *said("no_authority", 3, budget="clear"),
        *said("withdrawn", 3, budget="clear", authority="decision_maker"),
        *said("withdrawn", 1, budget="unclear"),
        *said("cleared", 3, budget="unclear", authority="decision_maker"),
        *said("cleared", 1, budget="clear"),
    )
    ids = ("all_three", "no_score", "no_budget", "no_authority", "withdrawn", "cleared", "silent")
    facts = Facts(
        {id: {} for id in ids},
        orders=tuple(Order(id, ago(1)) for id in ids if id != "no_score"),
        sales=Sales(bant=statements),
    )
    company = Scorer(tables, STRICT_SCALE, ORDERED)
    company.run(facts, TONIGHT)
    assert {id for id, is_mql in company.of(SCORE, "is_mql").items() if is_mql} == {"all_three", "cleared"}
    assert set(company.of(SCORE, "mql_preset").values()) == {"strict"}
    assert company.of(SCORE, "score")["no_budget"] == 80
    by_score = Scorer(tables, STRICT_SCALE.model_copy(update={"mql_preset": "score"}), ORDERED)
    by_score.run(facts, TONIGHT)
    assert {id for id, is_mql in by_score.of(SCORE, "is_mql").items() if is_mql} == set(ids) - {"no_score"}
    assert set(by_score.of(SCORE, "mql_preset").values()) == {"score"}


@pytest.mark.requirement("R54")
@pytest.mark.requirement("R106")
def test_while_bant_notes_are_missing_nobody_becomes_an_mql_and_who_was_one_stays(tables: Tables) -> None:
    known = said("was", 3, budget="clear", authority="decision_maker")
    company = Scorer(tables, STRICT_SCALE, ORDERED, NOTES)
    orders = (Order("was", ago(5)), Order("fallen", ago(5)), Order("new", ago(5)))
    people: dict[str, dict[str, Any]] = {"was": {}, "fallen": {}, "new": {}}
    company.run(
        Facts(
            people, orders[:2], sales=Sales((*known, *said("fallen", 3, budget="clear", authority="decision_maker")))
        ),
        TONIGHT,
    )
    assert company.of(SCORE, "is_mql") == {"was": True, "fallen": True, "new": False}
    late = Sales((*known, *said("new", 0, budget="clear", authority="decision_maker")))
    company.run(Facts(people, (orders[0], orders[2]), sales=late), ago(-1), held={"bant_notes"})
    assert company.of(SCORE, "is_mql") == {"was": True, "fallen": False, "new": False}
    company.run(Facts(people, (orders[0], orders[2]), sales=late), ago(-2))
    assert company.of(SCORE, "is_mql") == {"was": True, "fallen": False, "new": True}


def test_a_contact_new_among_strict_mqls_is_counted_as_new(tables: Tables) -> None:
    company = Scorer(tables, STRICT_SCALE, ORDERED)
    facts = Facts({"c1": {}, "c2": {}}, (Order("c1", ago(1)), Order("c2", ago(1))))
    company.run(facts, TONIGHT)
    clear = Sales(said("c1", 0, budget="clear", authority="decision_maker"))
    tonight = company.run(Facts(facts.contacts, facts.orders, sales=clear), ago(-1))
    assert tables.rows(scored(tonight)) == [{"scores": 2, "mqls": 1, "new_mqls": 1}]
    tonight = company.run(Facts(facts.contacts, facts.orders, sales=clear), ago(-2))
    assert tables.rows(scored(tonight)) == [{"scores": 2, "mqls": 1, "new_mqls": 0}]


@pytest.mark.requirement("R53")
def test_a_lower_line_makes_new_mqls_of_scores_that_stay(tables: Tables) -> None:
    facts = Facts({"c1": {}, "c2": {}}, (Order("c1", ago(1)),))
    by_score = STRICT_SCALE.model_copy(update={"mql_preset": "score", "mql_at": 90})
    company = Scorer(tables, by_score, ORDERED)
    tonight = company.run(facts, TONIGHT)
    assert tables.rows(scored(tonight)) == [{"scores": 2, "mqls": 0, "new_mqls": 0}]
    company.definitions = (by_score.model_copy(update={"mql_at": 80}), ORDERED)
    tonight = company.run(facts, ago(-1))
    assert tables.rows(scored(tonight)) == [{"scores": 2, "mqls": 1, "new_mqls": 1}]


@pytest.mark.requirement("R106")
def test_what_asks_for_strict_mqls_waits_for_bant_notes_too() -> None:
    is_mql = Condition.model_validate({"mql": {}})
    sources = (NOTES, source("shop_order", "order_line"))
    assert sources_behind(is_mql, night(STRICT_SCALE, ORDERED, *sources)) == {"bant_notes", "shop_order"}
    by_score = STRICT_SCALE.model_copy(update={"mql_preset": "score"})
    assert sources_behind(is_mql, night(by_score, ORDERED, *sources)) == {"shop_order"}
