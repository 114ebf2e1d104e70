"""A report in words: what a marketer reads, in both languages, without anything but the report."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests.flows.reports import SENTENCE, good_report, stopped
from tests.measure.shop import night
from vesper import key_figures
from vesper.language import translator
from vesper.model.policy import ScoringPolicy
from vesper.sales_figures import handover_states, lost_reasons, new_mqls
from vesper.stage_report import Balance, StageReport
from vesper.visibility_figures import best_sources, gaps
from vesper.wording import MOST_ROWS, Beside, failure, figure, gate_rows, headline, kpi_tables, summary, to_do

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


def test_a_table_stands_on_the_page_in_short_with_titles_for_ids() -> None:
    report = good_report()
    row = {
        "market_id": "north",
        "market": "华北|东北",
        "name": "王**",
        "is_overdue": True,
        "size_low": None,
        "field": "company.city",
    }
    report.facts = {"visibility_gaps": [row] * (MOST_ROWS + 2), "empty": [{"size_low": None}]}
    assert kpi_tables(report, zh).keys() == {"visibility_gaps"}
    page = summary(report, zh)
    assert page.count("| 华北\\|东北 | 王\\*\\* | 是 | 公司城市 |") == MOST_ROWS
    assert "| 市场 | name | 是否逾期 | 字段 |" in page.replace("姓名", "name")
    assert "另有 2 行" in page and "north" not in page


@pytest.mark.requirement("R24")
def test_a_row_may_name_the_unit_of_its_figures() -> None:
    report = good_report()
    row = {"goal_id": "open_rate", "goal": "打开率", "unit": "share", "target": 0.25, "progress_ratio": 0.5}
    report.facts = {"goals": [row, {**row, "unit": "number", "target": 1300.0}]}
    shown = kpi_tables(report, en)["goals"]
    assert [(each["target"], each["progress ratio"]) for each in shown] == [("25.0 %", "50.0 %"), ("1,300", "50.0 %")]


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("said", [zh, en], ids=["zh", "en"])
def test_rows_that_were_set_aside_name_the_commands_that_bring_them_back(said: Callable[[str], str]) -> None:
    lines = to_do(good_report(), said)
    assert "`vesper quarantine list`" in lines[0] and "`vesper quarantine replay SOURCE --reason WHY`" in lines[0]


FIGURES = (
    key_figures.visibility, gaps, best_sources, key_figures.goals, key_figures.tags, key_figures.tiers, key_figures.personas,
    new_mqls, key_figures.segments, key_figures.leakage, lost_reasons, handover_states,
)  # fmt: skip
FACTS = (
    "visibility", "visibility_gaps", "sources_for_gaps", "tiers", "tags", "personas", "newly_ready_for_sales", "reasons", "score_bands",
    "lifecycle", "refused_transitions", "leads", "segments", "goals", "lost_reasons", "buried_leads", "leakage", "handovers", "team",
)  # fmt: skip


@pytest.mark.requirement("R111")
def test_every_figure_of_the_stages_has_a_chinese_heading() -> None:
    tonight = night(ScoringPolicy.model_validate({"id": "scoring", "says": "评分", "owner": "marketing"}))
    columns = {column.name for select in FIGURES for column in select(tonight).selected_columns}
    columns |= {column.name for column in key_figures.leads().selected_columns}
    shown = {name for name in columns if name.removesuffix("_id") == name or name.removesuffix("_id") not in columns}
    labels = {name.replace("_", " ") for name in shown | set(FACTS)}
    assert sorted(label for label in labels if zh(label) == label) == []


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
