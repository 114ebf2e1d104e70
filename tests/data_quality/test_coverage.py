"""How far a source reaches, holes in its days, and its late policy."""

import datetime as dt
from typing import Any

import pytest

from data_quality.coverage import expected_through, judge_coverage

NIGHT = dt.date(2017, 6, 10)


def days(*numbers: int) -> set[dt.date]:
    return {dt.date(2017, 6, number) for number in numbers}


@pytest.mark.parametrize(("due", "expected"), [("06:00", 9), ("20:00", 9), ("20:01", 8), (None, 9)])
def test_a_day_is_expected_once_its_file_is_due_by_the_cut_off(source: Any, due: str | None, expected: int) -> None:
    assert expected_through(source(cadence={"every": "day", "due": due}), NIGHT) == dt.date(2017, 6, expected)


def test_all_days_here(source: Any) -> None:
    reach = judge_coverage(source(), days(*range(1, 10)), NIGHT)
    assert (reach.missing, reach.is_held, reach.finding) == ((), False, None)
    assert reach.covered_through_on == reach.expected_through_on == dt.date(2017, 6, 9)


def test_a_closed_day_is_no_hole(source: Any) -> None:
    closed = source(cadence={"every": "day", "due": "06:00", "closed_on": [dt.date(2017, 6, 9)]})
    reach = judge_coverage(closed, days(7, 8), NIGHT)
    assert (reach.is_held, reach.covered_through_on) == (False, dt.date(2017, 6, 9))


def test_a_file_ahead_of_time_counts_and_one_after_the_night_does_not(source: Any) -> None:
    reach = judge_coverage(source(), days(8, 9, 10, 11), NIGHT)
    assert (reach.covered_through_on, reach.is_held) == (dt.date(2017, 6, 10), False)


@pytest.mark.requirement("R105", "R106")
@pytest.mark.parametrize(
    ("late", "received", "severity"),
    [
        ("block", (7, 8), "critical"),
        ("warn", (1, 2), "warning"),
        ({"carry_forward": 2}, (6, 7, 8), "warning"),
        ({"carry_forward": 2}, (6, 7), "warning"),
        ({"carry_forward": 2}, (5, 6), "critical"),
        ({"carry_forward": 2}, (6, 8, 9), "critical"),
        ({"carry_forward": 2}, (), "critical"),
        ("warn", (), "warning"),
    ],
)
def test_a_late_source_is_held_and_its_policy_decides(
    source: Any, late: Any, received: tuple[int, ...], severity: str
) -> None:
    reach = judge_coverage(source(late=late), days(*received), NIGHT)
    assert reach.is_held
    assert reach.finding and reach.finding.severity == severity
    assert "crm_member" in reach.finding.sentence


@pytest.mark.requirement("R106")
def test_a_hole_in_the_middle_ends_what_is_covered(source: Any) -> None:
    reach = judge_coverage(source(), days(5, 6, 8, 9), NIGHT)
    assert (reach.missing, reach.covered_through_on) == ((dt.date(2017, 6, 7),), dt.date(2017, 6, 6))
    assert reach.finding and "2017-06-07" in reach.finding.sentence


def test_since_says_where_the_days_begin(source: Any) -> None:
    reach = judge_coverage(source(), days(8, 9), NIGHT, since=dt.date(2017, 6, 7))
    assert (reach.missing, reach.covered_through_on) == ((dt.date(2017, 6, 7),), None)


@pytest.mark.parametrize(
    ("late", "last", "severity"),
    [
        ("warn", 3, None),
        ("warn", 2, "warning"),
        ("block", 2, "critical"),
        ({"carry_forward": 1}, 2, "warning"),
        ({"carry_forward": 1}, 1, "critical"),
    ],
)
def test_a_file_that_comes_now_and_then_may_have_to_be_fresh(
    source: Any, late: Any, last: int, severity: str | None
) -> None:
    fresh = source(cadence={"every": "irregular", "fresh_within": "7d"}, late=late)
    reach = judge_coverage(fresh, days(last), NIGHT)
    assert (reach.finding.severity if reach.finding else None) == severity
    assert reach.is_held is bool(severity)
    assert not judge_coverage(fresh, (), NIGHT).is_held


@pytest.mark.requirement("R105")
@pytest.mark.parametrize(
    ("received", "missing", "severity"),
    [((5, 10), 0, None), ((5, 9), 1, "warning"), ((5,), 5, "warning"), ((), 1, "warning")],
)
def test_a_source_that_is_asked_owes_tonights_answer_and_no_other(
    source: Any, received: tuple[int, ...], missing: int, severity: str | None
) -> None:
    asked = source(system="sql", sql={"url": "${CRM_URL}", "table": "lead"}, path="crm/{on}.parquet", late="warn")
    reach = judge_coverage(asked, days(*received), NIGHT)
    assert (len(reach.missing), reach.is_held) == (missing, bool(missing))
    assert (reach.finding.severity if reach.finding else None) == severity
    assert reach.covered_through_on == (dt.date(2017, 6, received[-1]) if received else None)


def test_sources_that_come_seldom_owe_no_day_but_once_must_have_come(source: Any) -> None:
    irregular = source(cadence={"every": "irregular"})
    assert not judge_coverage(irregular, (), NIGHT).is_held
    once = source(cadence={"every": "once"})
    assert judge_coverage(once, days(1), NIGHT).covered_through_on == dt.date(2017, 6, 1)
    missing = judge_coverage(once, (), NIGHT)
    assert missing.is_held and missing.finding and missing.finding.is_critical
