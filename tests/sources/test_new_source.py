"""A definition drafted from a file: it passes `check`, says nothing personal, and a night takes the file in with it."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.column_profile import looks
from tasks.new_source import new_source
from tasks.sql import Unanswered
from tests.connectors.test_sources_read import workbook
from tests.sources.night_of import OneSource, csv_source, day
from vesper.check import check
from vesper.load import load_definitions
from vesper.model.source import Source

CRM = "会员卡号,姓名,手机号（必填）,邮箱,所在地区,注册时间,邮件授权,消费金额,空列\n" + "".join(
    f"{1000 + n},王小{n},1380013{n:04},w{n}@example.com,浙江省杭州市,2017年{n % 12 + 1}月3日 09:{n % 60:02},{'是' if n % 2 else '否'},{n}.50,\n"
    for n in range(60)
)
LEADS = "Lead ID,Full Name,Mobile Phone,E-mail Address,Company,Job Title,Created Date,Do Not Email\n" + "".join(
    f"L{n},Li Lei {n},+86 138-0013-{n:04},l{n}@example.com,Acme,Select,{n % 28 + 1:02}/03/2017 10:00,No\n"
    for n in range(60)
)
APP = "".join(
    json.dumps(
        {
            "id": n,
            "联系": f"1390013{n:04}",
            "信箱": f"a{n}@example.com",
            "地方": "广东省深圳市",
            "created_at": 1_500_000_000 + n,
        }
    )
    + "\n"
    for n in range(60)
)


@pytest.fixture
def company(tmp_path: Path) -> OneSource:
    one = OneSource(tmp_path / "company", csv_source())
    (one.root / "definitions" / "sources" / "crm_lead.yml").unlink()
    return one


def drafted(company: OneSource, file: Path, feeds: str | None = None) -> tuple[Source, str]:
    path = new_source(company.root, "crm_lead", file, feeds)
    assert check(company.root) == []
    return load_definitions(company.root).of(Source)["crm_lead"], path.read_text(encoding="utf-8")


def mapped(source: Source) -> dict[str, tuple[str, str]]:
    return {name: (field.column, field.type) for name, field in source.fields.items()}


def taken_in(company: OneSource, file: Path) -> dict[str, int]:
    path = company.path(day(0), file.suffix[1:])
    path.parent.mkdir(parents=True)
    path.write_bytes(file.read_bytes())
    company.arrived(path, day(0))
    return dict(company.night(day(0)).counts)


@pytest.mark.requirement("R2")
def test_a_chinese_export_is_drafted_and_taken_in_whole(company: OneSource, tmp_path: Path) -> None:
    file = tmp_path / "会员.csv"
    file.write_bytes(CRM.encode("gb18030"))
    source, text = drafted(company, file)
    assert mapped(source) == {
        "card": ("会员卡号", "text"),
        "name": ("姓名", "text"),
        "phone": ("手机号(必填)", "text"),
        "email": ("邮箱", "text"),
        "region": ("所在地区", "text"),
        "registered_at": ("注册时间", "instant"),
        "consent_email": ("邮件授权", "flag"),
    }
    assert (source.encoding, source.key, source.feeds) == ("gb18030", ("card",), "contact")
    assert source.fields["consent_email"].true_words == ("是",)
    assert "# not taken in: 消费金额\n" in text
    assert "# not taken in: 空列 (empty)" in text
    counts = taken_in(company, file)
    assert (counts["new"], counts["quarantined"]) == (60, 0)


def test_an_english_workbook_is_drafted_and_taken_in_whole(company: OneSource, tmp_path: Path) -> None:
    rows: list[list[Any]] = [line.split(",") for line in LEADS.splitlines()]
    file = workbook(tmp_path / "leads.xlsx", rows)
    source, _text = drafted(company, file)
    assert mapped(source) == {
        "member_id": ("Lead ID", "text"),
        "name": ("Full Name", "text"),
        "phone": ("Mobile Phone", "text"),
        "email": ("E-mail Address", "text"),
        "company": ("Company", "text"),
        "registered_at": ("Created Date", "instant"),
        "is_do_not_email": ("Do Not Email", "flag"),
    }
    assert source.fields["registered_at"].format == "%d/%m/%Y %H:%M"
    assert source.null_words == ("", "Select")
    counts = taken_in(company, file)
    assert (counts["new"], counts["quarantined"]) == (60, 0)


def test_columns_with_strange_names_are_told_by_their_values(company: OneSource, tmp_path: Path) -> None:
    file = tmp_path / "app.jsonl"
    file.write_text(APP, encoding="utf-8")
    source, text = drafted(company, file)
    assert {name: column for name, (column, _) in mapped(source).items()} == {
        "member_id": "id",
        "phone": "联系",
        "email": "信箱",
        "region": "地方",
        "registered_at": "created_at",
    }
    assert source.fields["registered_at"].format == "epoch"
    assert "told by its values" in text
    assert taken_in(company, file)["quarantined"] == 0


def test_order_lines_and_rows_for_analysts(company: OneSource, tmp_path: Path) -> None:
    file = tmp_path / "orders.parquet"
    columns = {
        "订单号": ["a", "a"],
        "商品编码": ["1", "2"],
        "数量": [1, 2],
        "金额": ["1.50", "2.00"],
        "下单时间": ["2018-01-01 10:00"] * 2,
    }
    pq.write_table(pa.table(columns), file)
    source, _text = drafted(company, file)
    assert (source.feeds, source.key) == ("order_line", ("order_id", "product_code"))
    assert taken_in(company, file)["new"] == 2
    (company.root / "definitions/sources/crm_lead.yml").unlink()
    other, _text = drafted(company, file, "other")
    assert mapped(other)["column_3"] == ("数量", "integer")


@pytest.mark.requirement("R122")
def test_a_draft_holds_nothing_personal(company: OneSource, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("姓名,手机,行业\n王芳,13800138000,零售\n", encoding="utf-8")
    _source, text = drafted(company, file)
    assert "王芳" not in text
    assert "138" not in text
    assert "零售" in text


def test_what_cannot_be_drafted_is_one_sentence(company: OneSource, tmp_path: Path) -> None:
    good, odd, empty = tmp_path / "m.csv", tmp_path / "m.pdf", tmp_path / "e.csv"
    good.write_text("姓名,手机\n王芳,13800138000\n", encoding="utf-8")
    odd.write_bytes(b"%PDF")
    empty.write_text("姓名,手机\n", encoding="utf-8")
    wrong: list[tuple[str, Path, str | None, str]] = [
        ("crm", good, None, "does not name a source"),
        ("../crm_x", good, None, "does not name a source"),
        ("crm_lead", odd, None, "of no kind that is read"),
        ("crm_lead", tmp_path / "no.csv", None, "there is no such file"),
        ("crm_lead", empty, None, "no column with a value"),
        ("crm_lead", good, "people", "nothing that a source may feed"),
        ("crm_lead", good, "order_line", "no column that looks like order_id"),
    ]
    for id, file, feeds, words in wrong:
        with pytest.raises(Unanswered, match=words):
            new_source(company.root, id, file, feeds)
    new_source(company.root, "crm_lead", good)
    with pytest.raises(Unanswered, match="already"):
        new_source(company.root, "crm_lead", good)


@pytest.mark.parametrize(
    ("column", "values", "kind", "format"),
    [
        ("x", ["1/2/2025", "3/4/2025"], "unclear", None),
        ("x", ["13/2/2025", "3/4/2025"], "moment", "%d/%m/%Y"),
        ("x", ["1/23/2025 10:00", "3/4/2025 11:00"], "moment", "%m/%d/%Y %H:%M"),
        ("开始日期", ["45717", "45718.5"], "moment", "excel"),
        ("数字", ["45717", "45718"], "integer", None),
        ("updated_at", ["1740000000000"], "moment", "epoch_ms"),
        ("x", ["2025-03-01T10:00:00Z", "无"], "moment", None),
        ("x", ["20250301"], "moment", None),
        ("x", ["是", "否", "无"], "flag", None),
        ("x", ["￥1,234.50", "3"], "money", None),
        ("x", ["021-62345678", "400-820-1234", "138 0013 8000"], "phone", None),
        ("x", ["", None], "empty", None),
        ("x", ["王芳", "李雷"], "text", None),
    ],
)
def test_values_tell_what_a_column_is(column: str, values: list[str | None], kind: str, format: str | None) -> None:
    found = looks(column, values)
    assert (found.kind, found.format) == (kind, format)
