"""The report page: every part from the tables, both languages, nothing from outside, no plain names, a sentence where there are no rows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tasks.report import write_report
from tests.catalogues import translated
from tests.measure.shop import AT, TONIGHT, Shop, market, night
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT, campaign_effect
from vesper.marts.funnel import FUNNEL, funnel
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import MESSAGE
from vesper.marts.monitor import MONITOR, monitor
from vesper.marts.refusal import REFUSAL
from vesper.marts.score import SCORE
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.visibility import VISIBILITY, visibility
from vesper.marts.visibility_gap import VISIBILITY_GAP, visibility_gap
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import MonitorPolicy
from vesper.model.segment import Segment
from vesper.night import Night
from vesper.stage_report import Balance, CheckResult, StageReport
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER
from vesper.tables.quality import QUARANTINE

NAME, PHONE, MAIL = "欧阳小明", "+8613812345678", "ouyang@example.com"
OUTSIDE = re.compile(
    r"""(?:src|href|action|data|srcset|poster)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?https?:|@import"""
)


def company(language: str = "zh_CN") -> Night:
    """A night with two markets (one below its band), a segment, a lifecycle and a monitored target."""
    dormant = {"name": {"zh_CN": "沉睡", "en": "Dormant"}, "says": {"zh_CN": "久未下单", "en": "No order for long"}}
    segment = {"id": "dormant", "owner": "marketing", "members": {"always": {}}, **dormant}
    everyone = {"id": "prospect", "name": {"zh_CN": "潜客", "en": "Prospect"}, "says": "其他", "when": {"always": {}}}
    buyers = {
        "id": "loyal",
        "name": {"zh_CN": "忠诚", "en": "Loyal"},
        "says": "三次",
        "when": {"orders": {"at_least": 3}},
    }
    target = {"flow": "measure", "metric": "visibility_ratio", "period": "day", "target": 0.8, "owner": "marketing"}
    words = {
        "analysis": {"zh_CN": "缺电话", "en": "Phones are missing"},
        "action": {"zh_CN": "去问", "en": "Ask for them"},
    }
    definitions = (
        market("everybody", size=5, fields=("name", "phone"), name={"zh_CN": "全部家庭", "en": "Everybody"}),
        market("named", size=3, fields=("card",), name={"zh_CN": "有卡家庭", "en": "Card holders"}),
        Segment.model_validate(segment),
        Lifecycle.model_validate({"id": "main", "says": "两步", "owner": "marketing", "stages": [buyers, everyone]}),
        MonitorPolicy.model_validate(
            {"id": "monitor", "says": "目标", "owner": "marketing", "targets": [{**target, **words}]}
        ),
    )
    return night(*definitions, language=language, composed="姓名为编造数据 (names are composed)")


def fill(shop: Shop, tonight: Night) -> None:
    """Five people, one campaign of a source, messages of our own, scores, a segment, something set aside."""
    shop.contact("c1", name=NAME, phone=PHONE, email=MAIL, card="1")
    shop.contact("c2", name=NAME, phone=PHONE, email=MAIL, card="2")
    shop.contact("c3", name="李雷", card="3")
    shop.contact("c4", name="=1+1")
    shop.contact("c5", name="韩梅梅")
    day = {"business_on": TONIGHT, "definition_hash": "x"}
    for number in range(1, 6):
        id, score = f"c{number}", 55 + number * 5
        shop.put(
            LIFECYCLE, {**day, "contact_id": id, "stage": "prospect", "entered_at": AT, "rule_id": "main/prospect"}
        )
        points = {
            "score": score,
            "fit_score": 0,
            "engagement_score": 0,
            "is_mql": score >= 80,
            "mql_preset": "score",
            "score_changed_on": TONIGHT,
        }
        shop.put(SCORE, {**day, "contact_id": id, **points})
    shop.put(SEGMENT_MEMBER, {**day, "segment_id": "dormant", "contact_id": "c1", "entered_on": TONIGHT})
    shop.put(SEGMENT_CHANGE, {**day, "segment_id": "dormant", "contact_id": "c1", "change": "entered"})
    shop.put(SEGMENT_CHANGE, {**day, "segment_id": "dormant", "contact_id": "c2", "change": "left"})
    shop.put(
        CAMPAIGN, {"campaign_id": "18", "name": "18", "kind": "Type A", "starts_on": AT.date(), "ends_on": TONIGHT}
    )
    mailed = {"campaign_id": "18", "mailed_on": AT.date()}
    shop.put(CAMPAIGN_MEMBER, {**mailed, "contact_id": "c1", "responded_at": AT}, {**mailed, "contact_id": "c2"})
    intent = {"campaign_id": "winback", "step_id": "send", "occurrence": 1, "channel": "email", "purpose": "marketing"}
    times = {"business_on": TONIGHT, "planned_at": AT}
    shop.put(MESSAGE, {**intent, **times, "message_id": "m1", "contact_id": "c1", "state": "accepted", "sent_at": AT})
    waiting = {"message_id": "m2", "contact_id": "c2", "state": "planned", "waits_until_at": AT}
    shop.put(MESSAGE, {**intent, **times, **waiting})
    refusal = {"campaign_id": "winback", "step_id": "send", "occurrence": 1, "business_on": TONIGHT}
    shop.put(REFUSAL, *[{**refusal, "contact_id": f"c{number}", "reason": "no_consent"} for number in range(3, 10)])
    shop.put(REFUSAL, {**refusal, "contact_id": "c1", "reason": "already_planned"})
    row = {"business_on": TONIGHT, "stage": "consolidate", "source": "crm_member", "row_key": "a.csv:3"}
    shop.put(QUARANTINE, {**row, "rule_id": "required:phone", "row_json": f'{{"name": "{NAME}"}}'})
    for table, mart in ((VISIBILITY, visibility), (VISIBILITY_GAP, visibility_gap), (CAMPAIGN_EFFECT, campaign_effect)):
        shop.fill(table, mart(tonight))
    shop.fill(FUNNEL, funnel(tonight))
    shop.fill(MONITOR, monitor(tonight))


def reports() -> list[StageReport]:
    check = CheckResult("core__contact", "between", "source_count", False, "warning", 2)
    passed = CheckResult("core__contact", "required", "contact_id", True, "critical")
    balance = Balance("consolidate crm_member", 3, {"new": 3})
    return [StageReport("consolidate", TONIGHT, {"core__contact": 5}, checks=[check, passed], balances=[balance])]


@pytest.fixture(scope="module")
def written(lasting: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("report")
    tonight = company()
    fill(lasting, tonight)
    assert write_report(lasting, tonight, reports(), folder) == folder / "index.html"
    yield folder


def text_of(page: Path) -> str:
    """What a reader sees: no scripts, no styles, no tags, one space between words."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.requirement("R111")
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("index.zh_CN.html", ["市场可见度", "40.0%", "全部家庭", "低于区间", "向 2 人补全电话", "没有授权", "沉睡", "去问", "潜客"]),
        ("index.en.html", ["Market visibility", "40.0%", "Everybody", "below the band", "Collect phone from 2 people", "no consent",
                           "Dormant", "Ask for them", "Prospect"]),
    ],
)  # fmt: skip
def test_each_language_says_the_night(written: Path, page: str, said: list[str]) -> None:
    text = text_of(written / page)
    assert [word for word in said if word not in text] == []


@pytest.mark.requirement("R111")
def test_the_start_page_is_in_the_companys_language_and_links_the_other(written: Path) -> None:
    start = (written / "index.html").read_text(encoding="utf-8")
    assert start == (written / "index.zh_CN.html").read_text(encoding="utf-8")
    assert 'href="index.en.html"' in start
    assert 'href="index.zh_CN.html"' in (written / "index.en.html").read_text(encoding="utf-8")


@pytest.mark.requirement("R19", "R21")
def test_markets_stand_against_their_band_with_what_is_missing(written: Path) -> None:
    text = text_of(written / "index.en.html")
    assert "2 of 5 complete" in text
    assert "Card holders" in text and "above the band" in text
    assert "3 missing" in text


def test_nothing_is_loaded_from_outside(written: Path) -> None:
    for page in written.glob("*.html"):
        html = page.read_text(encoding="utf-8")
        markup = re.sub(r"(<script>).*?(</script>)", r"\1\2", html, flags=re.DOTALL)
        assert OUTSIDE.findall(markup) == []
        assert "default-src 'none'" in html  # the browser itself refuses whatever a script would fetch


def test_plotly_stands_in_the_page_once(written: Path) -> None:
    html = (written / "index.en.html").read_text(encoding="utf-8")
    assert len(re.findall(r"plotly\.js v\d", html)) == 1
    assert html.count('id="chart-scores"') == html.count('id="chart-responses"') == 1


@pytest.mark.requirement("R122")
def test_no_plain_name_number_or_address_is_in_any_file(written: Path) -> None:
    for page in written.glob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert not any(personal in html for personal in (NAME, PHONE, MAIL, "李雷", "韩梅梅"))
    for book in written.glob("*.xlsx"):
        cells = {str(cell) for row in rows_of(book) for cell in row}
        assert not any(personal in cell for cell in cells for personal in (NAME, PHONE, MAIL, "李雷", "韩梅梅"))


def rows_of(book: Path) -> list[tuple[Any, ...]]:
    sheets = load_workbook(book).worksheets
    return [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]


@pytest.mark.requirement("R111", "R122")
@pytest.mark.parametrize(
    ("book", "heading", "missing", "channel"),
    [
        ("people_to_ask.zh_CN.xlsx", ("询问次序", "联系人编号", "姓名（脱敏）", "缺少的信息", "最好的询问方式"), "电话", "没有已知的方式"),
        ("people_to_ask.en.xlsx", ("order to ask", "contact", "masked name", "what is missing", "best way to ask"), "phone", "no way known"),
    ],
)  # fmt: skip
def test_the_excel_lists_whom_to_ask_for_what(
    written: Path, book: str, heading: Any, missing: str, channel: str
) -> None:
    rows = rows_of(written / book)
    assert rows == [heading, (1, "c3", "李**", missing, channel), (2, "c4", "=**", missing, channel)]


def test_the_list_beside_the_page_holds_the_same_people(written: Path) -> None:
    text = text_of(written / "people_to_ask.en.html")
    assert "c3" in text and "c4" in text and "c5" not in text


def test_composed_records_are_labelled_wherever_they_are_shown(written: Path) -> None:
    for page in written.glob("*.html"):
        assert "姓名为编造数据" in text_of(page)


def test_what_the_gate_and_the_plan_left_out_is_on_the_page(written: Path) -> None:
    text = text_of(written / "index.en.html")
    assert "2 / 3" in text and "core__contact.source_count" in text
    assert "crm_member required:phone 1" in text
    assert "1 accepted by the mail server" in text and "7 refused, each with a reason" in text


def test_the_same_night_gives_the_same_files(written: Path, lasting: Shop, tmp_path: Path) -> None:
    write_report(lasting, company(), reports(), tmp_path)
    for file in written.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.parametrize("tonight", [night(), company()], ids=["nothing defined", "nothing in the tables"])
def test_a_night_without_rows_says_so_part_by_part(shop: Shop, tmp_path: Path, tonight: Night) -> None:
    page = text_of(write_report(shop, replace(tonight), [], tmp_path).with_name("index.en.html"))
    for sentence in ("No market was measured tonight", "Nobody was scored tonight", "No campaign planned a message",
                     "No campaign has reached anybody yet", "Nobody has entered the funnel yet", "No stage reported tonight",
                     "No row was set aside tonight"):  # fmt: skip
        assert sentence in page
    assert not list(tmp_path.glob("*.xlsx"))


def test_the_list_of_an_earlier_night_goes_when_nobody_is_to_be_asked(shop: Shop, tmp_path: Path) -> None:
    stale = tmp_path / "people_to_ask.en.xlsx"
    stale.write_bytes(b"yesterday")
    write_report(shop, night(), [], tmp_path)
    assert not stale.exists()


@pytest.mark.requirement("R111")
def test_every_message_of_the_page_has_a_chinese_text(repository: Path) -> None:
    known = translated(repository)
    parts = repository / "tasks" / "report_page"
    said = {
        found
        for page in parts.glob("*.j2")
        for found in re.findall(r'_\("([^"]+)"\)', page.read_text(encoding="utf-8"))
    }
    said |= {
        found
        for module in [*parts.glob("*.py"), repository / "tasks" / "report.py"]
        for found in re.findall(r'\bsay\(\s*"([^"]+)"\s*\)', module.read_text(encoding="utf-8"))
    }
    assert said - known == set()
