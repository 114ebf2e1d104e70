"""What came of people by the score they had: conversion, and the word of sales (R60)."""

from typing import Any

import pytest

from tests.conditions.sales_facts import Outcome, Sales
from tests.conditions.world import Facts, Order, Tables, ago, night
from tests.score.nights import SCALE, scale
from vesper.marts.calibration import CALIBRATION, calibration
from vesper.marts.score import SCORE
from vesper.model.definition import Definition
from vesper.tables.declare import days_ago
from warehouse.lint import refuse_unstable

SCORES = {"a59": 59, "b60": 60, "c79": 79, "d80": 80, "e89": 89, "f90": 90, "g100": 100, "h0": 0}


def bands(tables: Tables, facts: Facts, policy: Definition = SCALE, days: int = 30) -> dict[str, tuple[Any, ...]]:
    """Figures by band, of scores given so many days ago."""
    tonight = night(policy)
    tables.put_facts(facts, tonight)
    rows = [{"business_on": ago(days), "contact_id": id, "score": score} for id, score in SCORES.items()]
    tables.put(days_ago(SCORE, days), rows)
    made = calibration(tonight)
    refuse_unstable(made, CALIBRATION.name)
    tables.make(CALIBRATION, made)
    names = ("contact_count", "converted_count", "conversion_ratio", "accepted_count", "rejected_count")
    found = tables.rows(CALIBRATION.select().order_by(CALIBRATION.c.score_from))
    assert {row["scored_on"] for row in found} <= {ago(days)}
    return {row["band"]: tuple(row[name] for name in names) for row in found}


@pytest.mark.requirement("R60")
def test_each_band_tells_who_converted_and_what_sales_said(tables: Tables) -> None:
    facts = Facts(
        {id: {} for id in SCORES if id != "h0"},  # who is no longer known is left out
        orders=(Order("d80", ago(29)), Order("d80", ago(1)), Order("e89", ago(30)), Order("c79", ago(-1))),
        sales=Sales(
            outcomes=(
                Outcome("f90", "accepted", ago(20)),
                Outcome("f90", "won", ago(5)),
                Outcome("g100", "rejected", ago(3), "no_budget"),
                Outcome("g100", "invalid", ago(2)),
                Outcome("e89", "rejected", ago(31)),
                Outcome("b60", "lost", ago(2)),
                Outcome(None, "won", ago(2)),
            )
        ),
    )
    assert bands(tables, facts) == {
        "50-59": (1, 0, 0.0, 0, 0),
        "60-69": (1, 0, 0.0, 0, 0),
        "70-79": (1, 0, 0.0, 0, 0),  # an order of tomorrow is not known yet
        "80-89": (2, 1, 0.5, 0, 0),  # an order on the night of the score came before what it foretold
        "90-100": (2, 1, 0.5, 1, 1),
    }


@pytest.mark.parametrize(
    ("width", "last"), [(10, "90-100"), (20, "80-100"), (30, "90-100"), (100, "0-100"), (1, "99-100")]
)
def test_the_last_band_includes_the_ceiling(tables: Tables, width: int, last: str) -> None:
    policy = scale(calibration={"band_width": width, "after": "7d"})
    found = bands(tables, Facts({"g100": {}}), policy, days=7)
    assert list(found) == [last]


def test_without_scores_of_that_night_there_is_no_figure(tables: Tables) -> None:
    tables.put_facts(Facts({"d80": {}}), night(SCALE))
    tables.put(days_ago(SCORE, 30), [{"business_on": ago(31), "contact_id": "d80", "score": 80}])
    assert tables.rows(calibration(night(SCALE))) == []
