"""From the results of a gate to one sentence."""

from dataclasses import replace

import pytest

from data_quality.verdict import failure_sentence, warning_sentences
from vesper.language import translator
from vesper.stage_report import CheckResult

PASSED = CheckResult("core__contact", "columns", None, True, "critical")
REPEATED = CheckResult("core__contact", "unique", "contact_id", False, "critical", unexpected=12)
OUTSIDE = CheckResult("core__contact", "between", "score", False, "warning", unexpected=3)


def test_passed_checks_and_warnings_let_the_stage_publish() -> None:
    assert failure_sentence([PASSED, OUTSIDE], "data") is None
    assert warning_sentences([PASSED, OUTSIDE, REPEATED]) == [
        "core__contact: score lies outside its declared range in 3 rows."
    ]


@pytest.mark.requirement("R112")
def test_a_failure_names_table_rule_rows_owner_and_what_stands() -> None:
    assert failure_sentence([PASSED, REPEATED], "data") == (
        "core__contact: 12 rows share their key contact_id with another row."
        " Nothing of this stage was published; the last publish stays in force. Owner: data."
    )


def test_further_failures_are_counted_and_a_broken_check_says_so() -> None:
    broken = replace(REPEATED, error="Binder Error: column «…» not found")
    sentence = failure_sentence([broken, REPEATED, REPEATED], "data") or ""
    assert "could not run" in sentence and "2 more checks failed" in sentence


@pytest.mark.requirement("R111", "R112")
def test_the_sentence_is_chinese_by_one_setting() -> None:
    sentence = failure_sentence([REPEATED], "数据组", translator("zh_CN")) or ""
    assert "12 行" in sentence and "上一次发布继续有效" in sentence and "数据组" in sentence
