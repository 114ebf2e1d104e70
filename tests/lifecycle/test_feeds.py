"""What sales say comes in by files: BANT notes in either form, call results, sheets that name a contact's id (R45, R55)."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.clean import clean
from tasks.golden import fill_golden_records
from tasks.identity import resolve
from tasks.sales import write_sales
from tasks.vendor import vendor_ids
from tests.sources.test_hotline import STEWARD
from tests.sources.test_vendor_people import identity_policy
from tests.sources.vendors import ARRIVED, ON, company, taken_in
from vesper.check import check
from vesper.erasure import Person, cut_of_rows
from vesper.tables.contact import CONTACT, SOURCE_RECORD
from vesper.tables.declare import empty
from vesper.tables.sales import BANT, LEAD_OUTCOME

HEAD = """says: 测试
owner: sales@example.com
system: csv
path: "{id}/{{on}}.csv"
cadence: {{every: day, due: "06:00"}}
late: warn
rows: {{min: 0, max: 100}}
max_quarantine_ratio: 1
"""
CALLS = "allowed: [accepted, recycle, invalid], map: {转销售: accepted, 返回: recycle, 作废: invalid}"
SOURCES = {
    "crm_contact": """feeds: contact
key: [crm_id]
fields:
  crm_id: {column: 编号, type: text, required: true}
  name: {column: 姓名, type: text}
  phone: {column: 手机, type: text}
""",
    "crm_bant": """feeds: bant
key: [bant_id]
fields:
  bant_id: {column: 编号, type: text, required: true}
  crm_id: {column: 客户, type: text}
  budget: {column: 预算, type: text}
  authority: {column: 决策人, type: text}
  at: {column: 日期, type: date, required: true}
""",
    "hotline_bant": """feeds: bant
key: [bant_id]
fields:
  bant_id: {column: 编号, type: text, required: true}
  phone: {column: 电话, type: text}
  dimension: {column: 维度, type: category, allowed: [budget, need], map: {预算: budget, 需求: need}, unknown: quarantine}
  value: {column: 内容, type: text}
  at: {column: 时间, type: instant, required: true}
""",
    "call_result": """feeds: lead_outcome
key: [outcome_id]
fields:
  outcome_id: {column: 编号, type: text, required: true}
  contact_id: {column: 联系人, type: text}
  phone: {column: 电话, type: text}
  outcome: {column: 结果, type: category, CALLS}
  reason_code: {column: 原因, type: text}
  handover_id: {column: 交接, type: text}
  owner: {column: 销售, type: text}
  at: {column: 时间, type: instant, required: true}
""",
}
FILES = {
    "crm_contact": ["编号,姓名,手机", "1,王小明,13900139001", "2,李雷,13900139002"],
    "crm_bant": ["编号,客户,预算,决策人,日期", "a,1,明确,,2026-02-20", "b,9,,总经理,2026-02-21"],
    "hotline_bant": [
        "编号,电话,维度,内容,时间",
        "x,139 0013 9001,预算, 已批准 ,2026-03-01 09:30:00",
        "y,13900139002,心情,好,2026-03-01 09:30:00",
    ],
    "call_result": [
        "编号,联系人,电话,结果,原因,交接,销售,时间",
        "r1,,13900139002,返回,暂无预算,h7,销售一,2026-03-02 00:30:00",
        "r2,{id},,转销售,,,销售一,2026-03-01 10:00:00",
        "r3,nobody,,作废,号码错误,,,2026-03-01 10:00:00",
    ],
}


def landed(root: Path, contact_id: str = "") -> Path:
    root = company(root, {}, {})
    for id, stated in SOURCES.items():
        (root / "definitions" / "sources" / f"{id}.yml").write_text(
            HEAD.format(id=id) + stated.replace("CALLS", CALLS), encoding="utf-8"
        )
        file = root / ".vesper" / "landing" / id / f"{ON}.csv"
        file.parent.mkdir(parents=True)
        file.write_text("\n".join(FILES[id]).format(id=contact_id) + "\n", encoding="utf-8")
        os.utime(file, (ARRIVED.timestamp(),) * 2)
    return root


def consolidated(root: Path) -> Iterator[Bench]:
    """A bench on which people and what sales say of them stand."""
    with taken_in(root) as (bench, taken):
        ids = vendor_ids(bench, taken.values())
        bench.fill(SOURCE_RECORD, clean(bench, taken.values(), ids.excluded))
        resolve(bench, identity_policy())
        fill_golden_records(bench, taken, bench.materialize(empty(STEWARD), STEWARD.name))
        write_sales(bench, taken.values(), ids)
        yield bench


def rows(bench: Bench, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    grain = [table.c[name] for name in table.info["grain"]]
    return [tuple(row) for row in bench.rows(sa.select(*[table.c[name] for name in columns]).order_by(*grain))]


@pytest.mark.requirement("R45", "R55")
def test_statements_and_outcomes_find_their_contacts_whatever_names_them(tmp_path: Path) -> None:
    for bench in consolidated(landed(tmp_path / "first")):
        by_name = {row.name: row.contact_id for row in bench.rows(sa.select(CONTACT.c.name, CONTACT.c.contact_id))}
    wang, li = by_name["王小明"], by_name["李雷"]
    for bench in consolidated(landed(tmp_path / "second", wang)):
        assert rows(bench, BANT, "source", "record_key", "dimension", "contact_id", "value", "at") == [
            ("crm_bant", "a", "budget", wang, "明确", dt.datetime(2026, 2, 19, 16)),
            ("crm_bant", "b", "authority", None, "总经理", dt.datetime(2026, 2, 20, 16)),
            ("hotline_bant", "x", "budget", wang, "已批准", dt.datetime(2026, 3, 1, 1, 30)),
        ]
        assert bench.report.quarantined == {("hotline_bant", "category:dimension"): 1}
        assert rows(bench, LEAD_OUTCOME, "record_key", "contact_id", "outcome", "reason_code", "handover_id", "on") == [
            ("r1", li, "recycle", "暂无预算", "h7", dt.date(2026, 3, 2)),
            ("r2", wang, "accepted", None, None, dt.date(2026, 3, 1)),
            ("r3", None, "invalid", "号码错误", None, dt.date(2026, 3, 1)),
        ]


def test_an_erasure_finds_the_row_that_names_nothing_but_the_contacts_id(tmp_path: Path) -> None:
    with taken_in(landed(tmp_path / "company", "c0000000000000001")) as (bench, taken):
        calls = taken["call_result"]
        cut = cut_of_rows(calls.raw, Person(contact_ids=("c0000000000000001",)), calls.source)
        assert [row[0] for row in bench.rows(sa.select(calls.raw.c.outcome_id).where(cut.gone))] == ["r2"]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("sources/call_result.yml", "allowed: [accepted, recycle, invalid]", "allowed: [accepted, recycle, invalid, wonn]", "won"),
        ("sources/hotline_bant.yml", "allowed: [budget, need]", "allowed: [budget, need, timming]", "timing"),
        ("sources/call_result.yml", f"type: category, {CALLS}", "type: text", "category"),
        ("lifecycle/main.yml", "from: [mql]", "from: [mqll]", "mql"),
        ("policy/lead.yml", "opened_by: [hotline_called]", "opened_by: [hotline_caled]", "hotline_caled"),
        ("policy/lead.yml", "buried_after: 180d", "buried_after: 6 weeks", "6 weeks"),
        ("lifecycle/main.yml", "{lead: {status: [to_sales]}}", "{lead: {}}", "status"),
        ("lifecycle/main.yml", "{bant: {dimension: budget, is: known}}", "{bant: {dimension: budjet, is: known}}", "budget"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_refused_with_its_line_and_the_nearest_word(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    root = landed(tmp_path / "company")
    definitions = root / "definitions"
    for folder in ("lifecycle", "policy"):
        (definitions / folder).mkdir()
    contact = definitions / "sources" / "crm_contact.yml"
    contact.write_text(contact.read_text(encoding="utf-8") + "event_kind: hotline_called\n", encoding="utf-8")
    (definitions / "lifecycle" / "main.yml").write_text(MAIN, encoding="utf-8")
    (definitions / "policy" / "lead.yml").write_text(POLICY, encoding="utf-8")
    assert check(root) == []
    text = (definitions / file).read_text(encoding="utf-8")
    assert old in text
    (definitions / file).write_text(text.replace(old, new), encoding="utf-8")
    [problem] = check(root)
    assert problem.file == f"definitions/{file}"
    assert new.splitlines()[0] in (definitions / file).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert said in f"{problem.what} {problem.instead}"


MAIN = """says: 测试
owner: sales
stages:
  - {id: sql, says: 销售, from: [mql], when: {lead: {status: [to_sales]}}}
  - {id: mql, says: 预算明确, when: {bant: {dimension: budget, is: known}}}
  - {id: rest, says: 其他, when: {always: {}}}
"""
POLICY = """says: 线索
owner: sales
opened_by: [hotline_called]
buried_after: 180d
icp: {always: {}}
"""
