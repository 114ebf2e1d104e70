"""The 400 hotline: the same leads by Excel and by interface are the same contacts, each in the series 400Inbound (R3, R4)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from tasks.bench import Bench
from tasks.clean import clean
from tasks.golden import fill_golden_records
from tasks.identity import resolve
from tasks.take_in import TakenIn
from tasks.vendor import events, refusals, vendor_ids
from tests.sources.test_vendor_people import identity_policy
from tests.sources.vendors import ARRIVED, ON, company, taken_in
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD
from vesper.tables.declare import empty

HEADER = ("来电编号", "姓名", "来电号码", "备用号码", "邮箱", "公司", "地区", "来电时间", "需求", "接线员", "同意回访")
LEADS: list[tuple[str, ...]] = [
    ("H001", "王小明", "13900139001", "", "wang@jia.cn", "甲科技有限公司", "上海市", "2026-03-01 09:30:00", "报价", "坐席一", "是"),
    ("H002", "李 雷", "+86 139-0013-9002", "021-62345678", "", "", "广东深圳", "2026-03-01 10:00:00", "维修", "坐席二", "否"),
    ("H003", "韩梅梅", "13900139003", "", "无", "乙公司", "", "2026-03-01 23:59:59", "", "坐席一", ""),
    ("H004", "王小明", "13900139001", "", "", "", "", "2026-03-02 08:00:00", "催单", "坐席二", "是"),
]  # fmt: skip
BY_INTERFACE = dict(
    zip(
        HEADER,
        (
            "call_id",
            "caller",
            "number",
            "second",
            "mail",
            "company",
            "place",
            "called_at",
            "need",
            "agent",
            "call_back",
        ),
        strict=True,
    )
)
INTERFACE = """system: jsonl
path: "hotline_400/{on}.jsonl"
fields:
  member_id: {column: call_id}
  name: {column: caller}
  phone: {column: number}
  other_phone: {column: second}
  email: {column: mail}
  company: {column: company}
  region: {column: place}
  registered_at: {column: called_at}
  need: {column: need}
  owner: {column: agent}
  consent_call: {column: call_back, true_words: ["true"], false_words: ["false"]}
"""
STEWARD = sa.Table(
    "no_steward",
    sa.MetaData(),
    *[sa.Column(name, sa.String()) for name in ("kind", "record_a", "record_b", "field", "value", "rule_id")],
    sa.Column("recorded_on", sa.Date()),
)


def by_excel(root: Path) -> Path:
    path = _landed(company(root, {}, {}), "", "xlsx")
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate([HEADER, *LEADS]):
            sheet.write_row(place, 0, row)
        sheet.write_number(1, HEADER.index("来电号码"), 13900139001)  # typed as a number, as agents do
    return _arrived(root, path)


def by_interface(root: Path) -> Path:
    path = _landed(company(root, {}, {}), INTERFACE, "jsonl")
    words: Mapping[str, Any] = {"是": True, "否": False, "": None}
    with path.open("w", encoding="utf-8") as out:
        for lead in LEADS:
            said = dict(zip(HEADER, lead, strict=True)) | {"同意回访": words[lead[-1]]}
            out.write(
                json.dumps({BY_INTERFACE[name]: value for name, value in said.items()}, ensure_ascii=False) + "\n"
            )
    return _arrived(root, path)


def _landed(root: Path, stated: str, suffix: str) -> Path:
    source = root / "definitions" / "sources" / "hotline_400.yml"
    source.write_text(f"preset: hotline_400\nowner: hotline@example.com\n{stated}", encoding="utf-8")
    path = root / ".vesper" / "landing" / "hotline_400" / f"{ON}.{suffix}"
    path.parent.mkdir(parents=True)
    return path


def _arrived(root: Path, path: Path) -> Path:
    os.utime(path, (ARRIVED.timestamp(),) * 2)
    return root


def golden(bench: Bench, taken: dict[str, TakenIn]) -> dict[str, list[Any]]:
    """What the night knows of people and their events."""
    ids = vendor_ids(bench, taken.values())
    bench.fill(SOURCE_RECORD, clean(bench, taken.values(), ids.excluded))
    resolve(bench, identity_policy())
    fill_golden_records(bench, taken, bench.materialize(empty(STEWARD), STEWARD.name))
    event = sa.union_all(*events(bench, taken.values(), ids)).subquery("event")
    assert refusals(bench, taken.values(), ids) == []
    selects = [sa.select(table).order_by(*table.c) for table in (SOURCE_RECORD, CONTACT_MEMBER, CONTACT, IDENTIFIER)]
    found = {str(select.get_final_froms()[0]): bench.rows(select) for select in selects}
    return {**found, "event": bench.rows(sa.select(event).order_by(event.c.event_id))}


@pytest.mark.requirement("R3", "R4")
def test_leads_by_excel_and_by_interface_are_the_same_golden_rows(tmp_path: Path) -> None:
    with taken_in(by_excel(tmp_path / "excel")) as (bench, taken):
        excel = golden(bench, taken)
    with taken_in(by_interface(tmp_path / "interface")) as (bench, taken):
        interface = golden(bench, taken)
        assert bench.report.quarantined == {}
    assert excel == interface
    assert len(excel["core__source_record"]) == 4
    assert len(excel["core__contact"]) == 3
    assert {(event.kind, event.series_id, event.source) for event in excel["event"]} == {
        ("hotline_called", "400Inbound", "hotline_400")
    }
    assert len(excel["event"]) == 4
