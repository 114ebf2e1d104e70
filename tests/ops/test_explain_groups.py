"""`vesper explain` of a person: tags, tiers and personas since when, the MQL preset, hand-overs with owner and reasons, and nobody's address."""

import datetime as dt
import re
from pathlib import Path

import pytest

from tasks.explain import explain
from tasks.explain_asked import Asked
from tasks.explain_handover import handovers
from tasks.sql import run_sql
from tests.handover.world import MONDAY, Company, Person, Said
from tests.ops.test_explain import cells, section
from vesper.language import translator
from warehouse.ledger.handover_acts import close_task
from warehouse.runner import Runner

OF_A_PERSON = (
    "select 'tags', tag_id, null, since_on, contact_id from mart__tag union all "
    "select 'tiers', tiering_id, tier, since_on, contact_id from mart__tier union all "
    "select 'personas', persona_id, null, since_on, contact_id from mart__persona"
)


@pytest.mark.requirement("R26", "R28", "R30")
def test_tags_tiers_and_personas_are_those_of_the_night(grocer: Path) -> None:
    groups = run_sql(grocer, OF_A_PERSON)[1]
    kinds: dict[str, set[str]] = {}
    for folder, _id, _tier, _since, contact_id in groups:
        kinds.setdefault(contact_id, set()).add(folder)
    contact_id = max(sorted(kinds), key=lambda id: len(kinds[id]))
    assert kinds[contact_id] >= {"tags", "tiers"}
    rows = cells(section(explain(grocer, contact_id), "标签、层级与用户画像"))
    words = {"标签": "tags", "层级": "tiers", "用户画像": "personas", "画像": "personas"}
    shown = {(words[row[0]], row[2], None if row[3] == "-" else row[3], row[4]) for row in rows}
    assert shown == {(*group[:3], str(group[3])) for group in groups if group[4] == contact_id}
    assert all(f"`definitions/{words[row[0]]}/{row[2]}.yml`" in row[5] for row in rows)


@pytest.mark.requirement("R54")
def test_the_page_says_by_which_preset_somebody_is_an_mql(grocer: Path) -> None:
    for is_mql, said in ((True, "按预设 score 是 MQL。"), (False, "按预设 score 不是 MQL。")):
        found = run_sql(grocer, f"select contact_id from mart__score where is_mql = {is_mql} order by 1")[1]
        assert found, "the fixture should have both"
        assert said in section(explain(grocer, found[0][0]), "评分")


@pytest.mark.requirement("R66")
def test_a_contact_of_a_real_night_shows_its_hand_over(grocer: Path) -> None:
    for id, owner in run_sql(grocer, "select contact_id, owner from out__handover order by 1")[1][:3]:
        (row,) = cells(section(explain(grocer, id), "移交记录"))
        assert row[5] == (owner or "无人有余量")
    handed = "(select contact_id from out__handover)"
    other = run_sql(grocer, f"select contact_id from core__contact where contact_id not in {handed} order by 1")[1]
    assert "从未移交给销售。" in section(explain(grocer, other[0][0]), "移交记录")


@pytest.mark.requirement("R64", "R66")
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_hand_overs_are_told_with_owner_reasons_and_the_human_task(tmp_path: Path, language: str) -> None:
    company = Company(tmp_path)
    at = dt.datetime(2026, 3, 2, 16)
    company.night({"a": 92, "b": Person(85, name="王小明")})
    mine, other = company.handovers()
    company.night({"a": 92, "b": 85}, MONDAY + dt.timedelta(days=1), said=[Said("b", "rejected", at, other.handover_id, "no_budget")])  # fmt: skip
    pages = {id: told(company, id, language) for id in "abc"}
    (row,) = cells(pages["a"])
    assert row[:1] + row[3:6] == [mine.handover_id, "92", "base +60, form_clicks +32", mine.owner]
    assert row[2] == {"zh_CN": "高分", "en": "high score"}[language]
    assert {"zh_CN": "营销不再发送", "en": "marketing writes nothing to it"}[language] in pages["a"]
    assert cells(pages["b"])[0][7] == {"zh_CN": "拒绝 (no_budget)", "en": "rejected by sales (no_budget)"}[language]
    assert pages["c"] == {"zh_CN": "从未移交给销售。", "en": "Never was handed over to sales."}[language]
    close_task(company.house.engine, company.tasks()[0].task_id, "张经理 13900139001", "已电话联系 13900139001", at)
    after = told(company, "a", language)
    assert {"zh_CN": "至 2026-03-03 00:00 由人跟进", "en": "until 2026-03-03 00:00"}[language] in after
    assert not re.search("王小明|13900139001|13800138000|@", "".join([*pages.values(), after]))


def told(company: Company, id: str, language: str) -> str:
    """The section of one contact; nothing is published, so every table reads as empty and the ledger alone speaks."""
    with Runner(company.house.lake, 1) as runner:
        return handovers(Asked(company.house, runner, {}, translator(language)), id)
