"""`vesper explain TABLE COLUMN`: the bridge sums to the difference, each cause under its own name, first and restated figures both kept."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tasks.bridge import Bridge, Figure, bridged
from tasks.explain_figure import explain_figure
from tasks.night import directly, run_night
from tasks.sql import open_to_read, run_sql
from tests.ops.conftest import NIGHT, edit
from vesper.marts import all_marts

BEFORE = NIGHT - dt.timedelta(days=1)


def bridge_of(root: Path, table: str, column: str, total: bool = False, **where: str) -> Bridge:
    with open_to_read(root) as house:
        return bridged(Figure(house, all_marts()[table], column, where, total), BEFORE, NIGHT)


def whole(found: Bridge) -> bool:
    """Whether the steps lead from one end to the other, key by key."""
    keys = found.starts.keys() | found.ends.keys()
    sums = {key: sum((step.get(key, Decimal(0)) for step in found.steps.values()), Decimal(0)) for key in keys}
    return all(found.starts.get(key, Decimal(0)) + sums[key] == found.ends.get(key, Decimal(0)) for key in keys)


@pytest.mark.requirement("R114")
@pytest.mark.parametrize(
    ("table", "column", "total"),
    [
        ("mart__visibility", "complete_count", False),
        ("mart__visibility_gap", "missing_count", True),
        ("mart__score", "score", True),
        ("mart__score", "is_mql", True),
    ],
)
def test_the_steps_sum_to_the_difference(grocer: Path, table: str, column: str, total: bool) -> None:
    found = bridge_of(grocer, table, column, total)
    assert found.starts and found.ends and whole(found)
    assert not any(found.steps["rule"].values()) and not any(found.steps["market_size"].values())


@pytest.mark.requirement("R114")
def test_a_new_estimate_and_a_new_rule_are_told_apart(own_grocer: Path) -> None:
    market = own_grocer / "definitions" / "markets" / "whole_panel.yml"
    first = bridge_of(own_grocer, "mart__visibility", "visibility_ratio", market_id="whole_panel")
    edit(market, r"(?m)^(\s*value: )\d+", r"\g<1>977")
    edit(market, r"required_fields: \[.*\]", "required_fields: [name]")
    run_night(directly, own_grocer, NIGHT, False, ("measure",))
    again = bridge_of(own_grocer, "mart__visibility", "visibility_ratio", market_id="whole_panel")
    assert whole(again) and again.starts == first.starts and again.ends != first.ends
    assert again.steps["market_size"]["whole_panel"] != 0
    assert again.steps["rule"]["whole_panel"] > 0
    said = explain_figure(own_grocer, "mart__visibility", "visibility_ratio", NIGHT, {"market_id": "whole_panel"})
    as_published, restated = first.ends["whole_panel"] * 100, again.ends["whole_panel"] * 100
    assert f"{as_published:.1f} %" in said and f"{restated:.1f} %" in said
    assert "市场规模" in said and "规则或定义" in said


@pytest.mark.requirement("R114")
def test_the_answer_names_formula_owner_and_inputs(grocer: Path) -> None:
    said = explain_figure(grocer, "mart__visibility", "visibility_ratio", NIGHT)
    for word in ("complete_count / market_size", "marketing", "core__contact", "markets/whole_panel", "2018-01-01"):
        assert word in said


@pytest.mark.requirement("R114")
def test_a_wrong_name_is_answered_with_the_nearest(grocer: Path) -> None:
    with pytest.raises(LookupError, match="mart__visibility"):
        explain_figure(grocer, "mart__visibilty", "visibility_ratio")
    with pytest.raises(LookupError, match="visibility_ratio"):
        explain_figure(grocer, "mart__visibility", "visibilty_ratio")
    with pytest.raises(LookupError, match="2019-05-05"):
        explain_figure(grocer, "mart__visibility", "visibility_ratio", dt.date(2019, 5, 5))


@pytest.mark.requirement("R114", "R122")
def test_personal_texts_are_not_shown(grocer: Path) -> None:
    sql = "select contact_id, value from mart__contact_history where field = 'city' order by all limit 1"
    ((contact_id, city),) = run_sql(grocer, sql)[1]
    said = explain_figure(grocer, "mart__contact_history", "value", where={"contact_id": contact_id, "field": "city"})
    assert city not in said
