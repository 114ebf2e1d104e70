"""What the report page shows of markets, goals, groups, scores and sales is what the tables hold, in both languages; nothing of it is personal."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tasks.new_mqls import as_facts, read_new_mqls
from tasks.report import write_report
from tests.measure.shop import TONIGHT, Shop, market, night
from tests.report import rich
from tests.report.page import Page
from vesper.key_figures import goals, leads, personas, tags, tiers
from vesper.language import translator
from vesper.marts.calibration import CALIBRATION
from vesper.marts.follow_up import FOLLOW_UP
from vesper.marts.goal import GOAL
from vesper.marts.score import SCORE
from vesper.marts.visibility import VISIBILITY
from vesper.marts.visibility_gap import VISIBILITY_GAP
from vesper.model.policy import ScoringPolicy
from vesper.sales_figures import new_mqls, reasons_of
from vesper.visibility_figures import best_sources
from vesper.watch import of_tonight


@pytest.fixture(scope="module")
def written(lasting: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rich")
    rich.fill(lasting, rich.company())
    write_report(lasting, rich.company(), [], folder)
    return folder


@pytest.fixture(scope="module")
def english(written: Path) -> Page:
    return Page(written / "index.en.html")


def share(value: float | None, places: int = 1) -> str:
    return "–" if value is None else f"{value:.{places}%}".replace("-", "−")


def tonight(shop: Shop, table: Any) -> list[Any]:
    return shop.rows(of_tonight(table, rich.company()))


@pytest.mark.requirement("R18", "R19", "R22", "R117")
def test_sizes_ranges_and_targets_are_those_of_the_table(english: Page, lasting: Shop) -> None:
    shown = {row[0].split(" | ")[0]: row[1:] for row in english.rows("visibility")}
    everybody, firms = sorted(tonight(lasting, VISIBILITY), key=lambda row: row.market_id)
    assert shown["Everybody"] == [
        f"{everybody.market_size} | {everybody.size_low} – {everybody.size_high}",
        "2017 census | 2017-06-30",
        str(everybody.known_count),
        str(everybody.complete_count),
        "85% | by 2017-12-31 · overdue",
        str(everybody.to_target_count),
        share(everybody.progress_ratio, 0),
    ]
    assert shown["Firms"][2:] == [str(firms.known_count), str(firms.complete_count), "85% | by 2018-06-30", "1", "–"]
    assert f"{firms.complete_count} of {firms.market_size} companies complete" in english.texts["visibility"]
    low, high = everybody.complete_count / everybody.size_high, everybody.complete_count / everybody.size_low
    assert (low, high) == (0.2, 2 / 6)


@pytest.mark.requirement("R21", "R22")
def test_each_cell_of_the_gap_map_is_a_row_of_the_table(english: Page, lasting: Shop) -> None:
    headings, *rows = english.tables["visibility"][1]
    titles = {"Everybody": "everybody", "Firms": "firms"}
    gaps = {(row.market_id, row.field): row for row in tonight(lasting, VISIBILITY_GAP)}
    seen = set()
    for row in rows:
        for field, cell in zip(headings[1:], row[1:], strict=True):
            gap = gaps.get((titles[row[0].split(" | ")[0]], field))
            if gap is None:
                assert cell == "–"
                continue
            seen.add((gap.market_id, gap.field))
            goal = [f"target {share(gap.target_ratio, 0)} by {gap.target_due_on}"] if gap.target_ratio else []
            figures = [share(gap.have_ratio), f"{gap.have_count} have it", f"{gap.missing_count} missing", *goal]
            assert cell == " | ".join(figures)
    assert seen == set(gaps)


@pytest.mark.requirement("R21")
def test_the_more_is_missing_the_darker_the_cell(written: Path) -> None:
    html = (written / "index.en.html").read_text(encoding="utf-8")
    cells = re.findall(r'rgba\(50,70,168,([\d.]+)\)(?:;color:#fff)?"><b>([\d.]+)%', html)
    assert len(cells) == 3
    by_share = sorted(cells, key=lambda cell: float(cell[1]))
    assert [float(shade) for shade, _ in by_share] == sorted((float(shade) for shade, _ in cells), reverse=True)


@pytest.mark.requirement("R20")
def test_the_source_that_would_close_most_of_a_gap_stands_beside_it(english: Page, lasting: Shop) -> None:
    (row,) = lasting.rows(best_sources(rich.company()))
    assert (row.source_id, row.expected_count) == ("hotline", 3)
    figures = [
        "Everybody",
        "phone",
        str(row.missing_count),
        "hotline",
        str(row.absent_count),
        share(row.fill_ratio),
        "3",
    ]
    assert english.rows("visibility", 2) == [figures]


@pytest.mark.requirement("R24", "R25")
def test_goals_stand_under_the_business_goal_they_serve(english: Page, lasting: Shop) -> None:
    business, marketing = lasting.rows(goals(rich.company()))
    assert (business.goal_id, marketing.goal_id) == ("members", "seen")
    first, second = english.rows("goals")
    assert first[1:5] == ["2 | 2016-12-31", "5 | 365 days", "12 | by 2018-06-30", share(business.progress_ratio, 0)]
    assert first[0].startswith("New members | Pain point: Few customers | Expected effect: More customers")
    progress = share(marketing.progress_ratio, 0)
    assert second[1:5] == [
        "10.0% | 2016-12-31",
        f"{share(marketing.current)} | 365 days",
        "50.0% | by 2017-11-30 · overdue",
        progress,
    ]
    assert len(tonight(lasting, GOAL)) == 2


@pytest.mark.requirement("R53", "R58")
def test_new_mqls_are_told_with_reasons_that_sum_to_their_score(english: Page, lasting: Shop) -> None:
    rows = lasting.rows(new_mqls(rich.company()))
    assert [row.contact_id for row in rows] == ["c5", "c1", "c2"]
    points: dict[str, int] = {}
    for reason in lasting.rows(reasons_of([row.contact_id for row in rows], rich.company())):
        points[reason.contact_id] = points.get(reason.contact_id, 0) + reason.points
    assert points == {row.contact_id: row.score for row in rows}
    shown = english.rows("score")
    assert [row[:4] for row in shown] == [
        ["c5", "司**", "100", "60"],
        ["c1", "欧**", "85", "60"],
        ["c2", "李**", "80", "–"],
    ]
    assert [sum(map(int, re.findall(r"[+-]\d+", row[4]))) for row in shown] == [100, 85, 80]
    assert shown[2][4] == "base +60 | · | Clicked +25 | · | limit of the scale -5"
    assert "3 people who were not ready the night before." in english.texts["score"]
    assert "Clicked stands on facts of 2018-01-01: web has a hole." in english.texts["score"]


def test_the_line_of_the_chart_lies_below_the_first_score_that_is_enough(written: Path) -> None:
    html = (written / "index.en.html").read_text(encoding="utf-8")
    bins = re.search(r'"x":(\["60[^]]+\])', html)
    line = re.search(r'"x0":([\d.]+)', html)
    assert bins and line and "ready for sales from 80" in html
    labels = json.loads(bins[1])
    assert labels[int(float(line[1]) - 0.5) : int(float(line[1]) + 1.5)] == ["75\u201379", "80\u201384"]
    assert labels[0] == "60\u201364" and labels[-1] == "100"


@pytest.mark.requirement("R60")
def test_what_became_of_scores_is_the_calibration_table(english: Page, lasting: Shop) -> None:
    (row,) = tonight(lasting, CALIBRATION)
    counts = [
        row.band,
        row.contact_count,
        row.converted_count,
        share(row.conversion_ratio),
        row.accepted_count,
        row.rejected_count,
    ]
    assert english.rows("score", 1) == [[str(each) for each in counts]]


@pytest.mark.requirement("R26", "R28", "R30")
def test_groups_have_the_people_of_their_tables(english: Page, lasting: Shop) -> None:
    company = rich.company()
    (tag,), (persona,) = lasting.rows(tags(company)), lasting.rows(personas(company))
    assert [row[:2] for row in english.rows("groups")] == [["Quiet | Said", str(tag.people)], ["Unused | Said", "0"]]
    assert english.rows("groups", 1)[0][:2] == ["Parents | Said", str(persona.people)]
    assert english.rows("groups")[0][2] == share(tag.people / 5)
    for row in lasting.rows(tiers(company)):
        assert f"{row.tier_id.title()} {row.people}" in english.texts["groups"]


@pytest.mark.requirement("R43", "R46", "R47", "R48")
def test_leads_and_leaks_are_those_of_the_tables(english: Page, lasting: Shop) -> None:
    _, by_status, leaks, buried, lost = (english.rows("sales", place) for place in range(5))
    assert by_status == [["open", "1", "1"], ["with sales", "1", "0"]]
    assert [[row.leads, row.came_back] for row in lasting.rows(leads())] == [[1, 1], [1, 0]]
    assert leaks == [["nobody has spoken to the lead, 2 days after it began", "8", "3", "37.5%"]]
    assert buried == [["c4", "上**", "open", "214"]]
    assert lost == [
        ["refused by sales", "no budget", "4", "80.0%"],
        ["refused by sales", "no reason given", "1", "20.0%"],
    ]


@pytest.mark.requirement("R63", "R68")
def test_hand_overs_and_their_follow_up_are_those_of_the_tables(english: Page, lasting: Shop) -> None:
    assert "Handed over to sales tonight: 1." in english.texts["sales"]
    assert "1 accepted by sales 1 without an answer of sales" in english.texts["sales"]
    assert [row[0] for row in english.rows("sales")] == ["zhang", "nobody yet", "the whole team"]
    (row,) = [row for row in tonight(lasting, FOLLOW_UP) if row.owner == "all"]
    figures = [
        row.open_count,
        row.due_count,
        row.timely_count,
        row.late_count,
        share(row.timely_ratio),
        share(row.target_ratio, 0),
    ]
    assert english.rows("sales")[-1][1:] == [str(figure) for figure in figures]


@pytest.mark.requirement("R111")
def test_the_chinese_page_has_the_same_figures_and_no_english_words(written: Path, english: Page) -> None:
    chinese = Page(written / "index.zh_CN.html")
    assert chinese.tables.keys() == english.tables.keys()
    for section in ("visibility", "goals", "score", "groups", "sales"):
        assert _figures(chinese, section) == _figures(english, section)
        words = set(re.findall(r"[A-Za-z]{3,}", chinese.texts[section]))
        assert words <= {"census", "Excel", "MQL", "marketing", "web", "hotline", "zhang", "budget"}, section


def _figures(page: Page, section: str) -> list[list[list[str]]]:
    """The numbers of every cell; the order in which a sentence names them is the language's own."""
    return [[sorted(re.findall(r"\d[\d,.:-]*", " ".join(row))) for row in rows[1:]] for rows in page.tables[section]]


@pytest.mark.requirement("R122")
def test_names_are_masked_and_numbers_are_not_shown(written: Path) -> None:
    for file in written.glob("*.html"):
        html = file.read_text(encoding="utf-8")
        assert not [personal for personal in (*rich.NAMES, "+861381234567", "1381234567") if personal in html]


@pytest.mark.requirement("R122")
def test_the_stages_page_tells_new_mqls_without_names(lasting: Shop, english: Page) -> None:
    company = rich.company("en")
    facts = as_facts(read_new_mqls(lasting, company), company, str)
    assert [fact["contact_id"] for fact in facts] == [row[0] for row in english.rows("score")]
    assert facts[1] == {"contact_id": "c1", "score": 85, "previous_score": 60, "reasons": "base +60; Clicked +25"}
    assert not [name for name in rich.NAMES if name[0] in str(facts)]


@pytest.mark.requirement("R54")
def test_with_the_strict_preset_a_new_mql_is_one_that_was_none_and_a_bar_has_two_parts(
    shop: Shop, tmp_path: Path
) -> None:
    strict = night(ScoringPolicy.model_validate({"id": "scoring", **rich.WORDS, "mql_preset": "strict"}))
    row = {
        **rich.DAY,
        "score": 85,
        "fit_score": 0,
        "engagement_score": 25,
        "mql_preset": "strict",
        "score_changed_on": TONIGHT,
    }
    for id in ("was", "new", "never"):
        shop.contact(id)
        shop.put(SCORE, {**row, "contact_id": id, "is_mql": id != "never"})
        shop.put_before(SCORE, {**row, "contact_id": id, "is_mql": id == "was"})
    page = Page(write_report(shop, strict, [], tmp_path).with_name("index.en.html"))
    assert [row[0] for row in page.rows("score")] == ["new"]
    html = (tmp_path / "index.en.html").read_text(encoding="utf-8")
    assert re.findall(r'"y":(\[[^]]*\])', html)[-2:] == ["[1]", "[2]"]


@pytest.mark.parametrize("company", [night(), night(market())], ids=["nothing", "a market"])
def test_a_company_without_goals_groups_or_sales_has_no_such_sections(shop: Shop, tmp_path: Path, company: Any) -> None:
    page = Page(write_report(shop, company, [], tmp_path).with_name("index.en.html"))
    assert not {"goals", "groups", "sales"} & page.tables.keys()
    assert not page.tables["visibility"] and not page.tables["score"]


@pytest.mark.requirement("R111")
def test_every_word_of_the_mechanism_on_the_page_has_a_chinese_one() -> None:
    from tasks import new_mqls
    from tasks.report_page import wording

    tables = (
        *wording.WORDS,
        wording.CHANNELS,
        wording.HANDOVERS,
        wording.LEADS,
        wording.OUTCOMES,
        wording.LEAKS,
        new_mqls.OWN_WORDS,
    )
    _ = translator("zh_CN")
    assert [said for words in tables for said in words.values() if _(said) == said] == []
    assert TONIGHT.year == 2018
