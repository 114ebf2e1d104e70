"""Rules that stand on old facts: since when, how old, and when that is too long (R59)."""

from typing import Any

import pytest

from tests.conditions.world import Facts, Order, Tables, ago
from tests.score.nights import SCALE, rule, scale, source
from tests.score.scores_only import Scorer
from vesper.marts.score_hold import SCORE_HOLD

NO_OPEN: dict[str, Any] = {"not": {"events": {"kind": "mail_opened", "within": "30d"}}}
RULES = (rule("silent", NO_OPEN, -10), rule("ordered", {"orders": {}}, 20))
SOURCES = (source("shop_order", "order_line"), source("mail_open", "event", "mail_opened"))
FACTS = Facts({"c1": {}, "c2": {}}, (Order("c1", ago(3)),))


def hold(company: Scorer, day: int, *held: str) -> list[tuple[Any, ...]]:
    """The holds of the night so many days after TONIGHT."""
    company.run(FACTS, ago(-day), held=held)
    names = ("rule_id", "sources", "fresh_on", "held_since_on", "age_days", "contact_count", "is_stale")
    return [tuple(row[name] for name in names) for row in company.rows(SCORE_HOLD)]


@pytest.mark.requirement("R59")
@pytest.mark.requirement("R106")
def test_a_score_is_stale_when_its_facts_are_more_than_three_days_old(tables: Tables) -> None:
    company = Scorer(tables, SCALE, *RULES, *SOURCES)
    assert hold(company, 0) == []
    for day in (1, 2, 3):
        assert hold(company, day, "mail_open") == [("silent", "mail_open", ago(0), ago(-1), day, 2, False)]
    assert hold(company, 4, "mail_open") == [("silent", "mail_open", ago(0), ago(-1), 4, 2, True)]
    assert hold(company, 5) == []
    assert hold(company, 6, "mail_open") == [("silent", "mail_open", ago(-5), ago(-6), 1, 2, False)]


def test_the_limit_is_the_policys_and_each_rule_counts_for_itself(tables: Tables) -> None:
    company = Scorer(tables, scale(stale_after="1d"), *RULES, *SOURCES)
    hold(company, 0)
    hold(company, 1, "mail_open")
    assert hold(company, 2, "mail_open", "shop_order") == [
        ("ordered", "shop_order", ago(-1), ago(-2), 1, 2, False),
        ("silent", "mail_open", ago(0), ago(-1), 2, 2, True),
    ]


def test_on_a_first_night_no_night_was_fresh(tables: Tables) -> None:
    company = Scorer(tables, SCALE, *RULES, *SOURCES)
    assert hold(company, 0, "mail_open") == [("silent", "mail_open", None, ago(0), 0, 2, False)]
    for day in (1, 2, 3):
        hold(company, day, "mail_open")
    assert hold(company, 4, "mail_open") == [("silent", "mail_open", None, ago(0), 4, 2, True)]
