"""A report in words: what a marketer reads, in both languages, without anything but the report."""

import datetime as dt

import pytest

from tests.flows.reports import SENTENCE, good_report, stopped
from vesper.language import translator
from vesper.stage_report import Balance, StageReport
from vesper.wording import Beside, failure, figure, gate_rows, headline, kpi_tables, summary, to_do

zh, en = translator("zh_CN"), translator("en")


@pytest.mark.requirement("R111")
def test_the_page_of_a_stage_says_everything_in_english() -> None:
    page = summary(good_report(), en)
    for part in (
        "# Score: who is ready for sales · 2018-01-01",
        "mqls: 214",
        "pass ratio: 8.7 %",
        "What changed since yesterday\n\n- mqls: +14",
        "| `mart__score` | 2,469 |  |",
        "| app_signup | email: missing | 30 |\n| crm_member | phone: not a number | 12 |",
        "2 of 3 checks passed.",
        "- warning: mart__score · score: between · 3 rows, 101",
        "shop_mailing came a day late",
    ):
        assert part in page


@pytest.mark.requirement("R111")
def test_the_same_page_in_chinese() -> None:
    page = summary(good_report(), zh)
    for part in (
        "# 评分：谁已经可以转给销售 · 2018-01-01",
        "与昨天相比的变化",
        "被隔离的行",
        "共 3 项检查，通过 2 项。",
        "需要做什么",
        "拒绝",
    ):
        assert part in page


def test_a_stage_that_stopped_opens_with_its_sentence() -> None:
    page = failure("score", stopped(), en)
    assert page.index(SENTENCE) < page.index("What to do") < page.index("The gate")
    assert "Nothing was sent." in page
    assert "failed: mart__score · contact_id: required · 50 rows" in page


def test_a_stage_after_sending_does_not_claim_that_nothing_was_sent() -> None:
    assert "Nothing was sent." not in failure("watch", stopped(), en)


def test_a_line_that_starts_with_a_sign_would_become_a_quotation() -> None:
    lines = [line for language in (zh, en) for line in summary(good_report(), language).splitlines()]
    assert [line for line in lines if line.startswith(">")] == []


def test_what_did_not_pass_stands_first_in_the_gate() -> None:
    report = good_report()
    report.balances.append(Balance("segment loyal", 10, {"previous": 8, "entered": 1, "left": 0}))
    assert [row["Result"] for row in gate_rows(report, en)] == ["failed", "passed", "warning", "passed"]
    assert gate_rows(report, en)[0]["Seen"] == "10 ≠ previous 8 + entered 1 + left 0"


def test_what_changed_is_told_against_the_night_before() -> None:
    before = good_report()
    before.facts["mqls"], before.rows["mart__score"] = 200, 2500
    page = summary(good_report(), en, Beside(before))
    assert "- mqls: +14 (200 → 214)" in page
    assert "| `mart__score` | 2,469 | -31 |" in page
    assert "| `mart__lifecycle` | — | unchanged, kept as it was |" in page


def test_composed_data_is_labelled_on_every_page() -> None:
    beside = Beside(note="names are composed")
    assert summary(good_report(), en, beside).endswith("*names are composed*")
    assert failure("score", stopped(), en, beside).endswith("*names are composed*")


def test_every_row_of_a_table_has_every_column() -> None:
    assert kpi_tables(good_report(), en) == {
        "lifecycle": [
            {"stage": "loyal", "people": "1,200", "pass ratio": "—"},
            {"stage": "at_risk", "people": "80", "pass ratio": "50.0 %"},
        ]
    }


def test_an_empty_report_says_that_nothing_is_to_do() -> None:
    report = StageReport("watch", dt.date(2018, 1, 1))
    assert to_do(report, en) == ["Nothing."]
    assert (
        headline(report, en)
        == "watch 2018-01-01: 0 rows in 0 tables, 0 of 0 checks passed, 0 rows set aside, 0 warnings"
    )


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (1469307, "rows", "1,469,307"),
        (4596039.58, "sales", "4,596,039.58"),
        (None, "band", "—"),
        (True, "is_mql", "true"),
        (1, "pass_ratio", "100.0 %"),
    ],
)
def test_figures_as_people_read_them(value: object, name: str, shown: str) -> None:
    assert figure(value, name) == shown
