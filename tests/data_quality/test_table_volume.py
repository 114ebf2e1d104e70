"""A table that is empty or halved never passes in silence (R103)."""

import pytest

from data_quality.table_volume import judge_rows
from vesper.marts.score import SCORE
from vesper.tables.contact import CONTACT
from vesper.tables.quality import METRIC


@pytest.mark.requirement("R103")
def test_an_empty_table_fails_its_minimum() -> None:
    assert [(r.check, r.passed, r.severity) for r in judge_rows(CONTACT, 0, None)] == [("row_count", False, "critical")]


@pytest.mark.requirement("R103")
def test_a_core_table_that_lost_more_than_half_is_critical() -> None:
    drop = next(r for r in judge_rows(CONTACT, 499, 1000) if r.check == "row_drop")
    assert (drop.passed, drop.severity, drop.unexpected, drop.observed) == (False, "critical", 501, "1000 -> 499")


def test_exactly_half_passes() -> None:
    assert all(r.passed for r in judge_rows(CONTACT, 500, 1000))


def test_a_mart_that_halved_is_a_warning() -> None:
    assert [r.severity for r in judge_rows(SCORE, 10, 1000) if not r.passed] == ["warning"]


def test_few_rows_and_histories_are_not_compared() -> None:
    assert not [r for r in judge_rows(CONTACT, 1, 99) if r.check == "row_drop"]
    assert judge_rows(METRIC, 1, 1000) == []
