"""How much came: bounds, history, quarantine, repetition, and files of another day."""

from typing import Any

import pytest

from data_quality.volume import judge_changes, judge_quarantine, judge_volume, judge_wrong_day, repeated_content

USUAL = [100, 120, 80, 100, 110]
LEVEL = {"type": "category", "allowed": ("gold",)}


@pytest.mark.parametrize(
    ("received", "history", "rule"),
    [
        (0, [], "rows.min"),
        (1001, [], "rows.max"),
        (49, USUAL, "rows.drop_ratio"),
        (50, USUAL, None),
        (10, USUAL[:2], None),
        (90, [1000] * 20 + [100] * 14, None),
        (40, [10] * 20 + [100] * 14, "rows.drop_ratio"),
    ],
)
def test_the_rows_of_a_file_against_bounds_and_history(
    source: Any, received: int, history: list[int], rule: str | None
) -> None:
    found = judge_volume(source(), received, history, file="a.csv")
    assert (found.rule if found else None) == rule
    if found:
        assert found.is_critical
        assert all(word in found.sentence for word in ("crm_member", "a.csv", str(received), found.rule))


def test_a_drop_ratio_of_zero_asks_nothing_of_history(source: Any) -> None:
    assert judge_volume(source(rows={"min": 0, "max": 10, "drop_ratio": 0}), 0, USUAL) is None


@pytest.mark.parametrize(("broken", "fails"), [({}, False), ({"type:x": 2}, False), ({"type:x": 1, "a": 2}, True)])
def test_more_quarantine_than_declared_is_critical(source: Any, broken: dict[str, int], fails: bool) -> None:
    found = judge_quarantine(source(), broken, 100, file="a.csv")
    assert (found is not None) is fails
    if found:
        assert all(word in found.sentence for word in ("3 of 100", "a.csv", "max_quarantine_ratio", "a, 2"))


def test_one_unknown_category_is_enough_where_it_fails(source: Any) -> None:
    broken = {"category:it": 1}
    found = judge_quarantine(source({**LEVEL, "unknown": "fail"}), broken, 1000)
    assert found and found.is_critical and found.rule == "category:it"
    assert judge_quarantine(source({**LEVEL, "unknown": "quarantine"}), broken, 1000) is None


@pytest.mark.parametrize(("policy", "severity"), [("accept", None), ("warn", "warning"), ("block", "critical")])
def test_rows_of_earlier_nights_that_change(source: Any, policy: str, severity: str | None) -> None:
    found = judge_changes(source(changes=policy), 3)
    assert (found.severity if found else None) == severity
    assert judge_changes(source(changes=policy), 0) is None
    assert found is None or "3 rows of earlier nights" in found.sentence


def test_yesterdays_file_under_todays_name(source: Any) -> None:
    earlier = {"2017-06-01.csv": "aa", "2017-05-31.csv": "bb"}
    found = repeated_content(source(), "aa", earlier, 12, file="2017-06-02.csv")
    assert found and found.is_critical and "2017-06-01.csv" in found.sentence
    assert repeated_content(source(), "cc", earlier, 12, file="2017-06-02.csv") is None
    assert repeated_content(source(), "aa", earlier, 0, file="2017-06-02.csv") is None
    assert repeated_content(source(), "aa", earlier, 12, file="2017-06-01.csv") is None
    seldom = repeated_content(source(cadence={"every": "irregular"}), "aa", earlier, 12, file="b.csv")
    assert seldom and not seldom.is_critical


@pytest.mark.parametrize(("inside", "outside", "fails"), [(9, 1, False), (5, 5, False), (1, 9, True), (0, 0, False)])
def test_a_file_mostly_of_another_day(source: Any, inside: int, outside: int, fails: bool) -> None:
    assert (judge_wrong_day(source(), inside, outside) is not None) is fails
    assert judge_wrong_day(source(cadence={"every": "irregular"}), inside, outside) is None
