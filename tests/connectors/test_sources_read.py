"""Every kind of source system on files that are as they should be."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from connectors.sources import read, read_many, systems


@dataclass(frozen=True)
class Source:
    system: str
    encoding: str = "auto"


MEMBERS = "会员卡号,姓名,手机\r\n1,王芳,13912345678\r\n2,李伟,\r\n"
MANY = "会员卡号,姓名,地区,授权文本\n" + "".join(f"{i},陈雅欣,浙江省杭州市,二零一七年第二版\n" for i in range(40))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def workbook(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def test_systems_are_the_modules_of_the_folder() -> None:
    assert systems() == ("csv", "excel", "http", "jsonl", "parquet", "sql")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_reads_the_same_text_from_every_encoding(tmp_path: Path, encoding: str) -> None:
    table = read(written(tmp_path / "m.csv", MANY.encode(encoding)), Source("csv"))
    assert table.column_names == ["会员卡号", "姓名", "地区", "授权文本", "source_row"]
    assert table.slice(0, 1).to_pylist() == [
        {"会员卡号": "0", "姓名": "陈雅欣", "地区": "浙江省杭州市", "授权文本": "二零一七年第二版", "source_row": 2}
    ]
    assert table.num_rows == 40


def test_csv_keeps_text_and_turns_empty_cells_into_nulls(tmp_path: Path) -> None:
    table = read(written(tmp_path / "m.csv", MEMBERS.encode()), Source("csv", "utf-8"))
    assert [field.type for field in table.schema] == [pa.string()] * 3 + [pa.int64()]
    assert table["手机"].to_pylist() == ["13912345678", None]


def test_csv_counts_lines_as_an_editor_does(tmp_path: Path) -> None:
    text = 'a,b\n1,"two\nlines"\n\n2,x\n'
    table = read(written(tmp_path / "m.csv", text.encode()), Source("csv"))
    assert table.to_pylist() == [{"a": "1", "b": "two\nlines", "source_row": 2}, {"a": "2", "b": "x", "source_row": 5}]


def test_csv_with_a_header_only_has_columns_and_no_row(tmp_path: Path) -> None:
    for text in ("a,b\n", "a,b"):
        table = read(written(tmp_path / "m.csv", text.encode()), Source("csv"))
        assert (table.column_names, table.num_rows) == (["a", "b", "source_row"], 0)
        assert table.schema.field("a").type == pa.string()


def test_column_names_are_tidied_and_a_trailing_comma_is_no_column(tmp_path: Path) -> None:
    table = read(written(tmp_path / "m.csv", "\ufeff 会员卡号 ,ＣＡＲＤ,\n1,2,\n".encode()), Source("csv"))
    assert table.column_names == ["会员卡号", "CARD", "source_row"]


def test_jsonl_flattens_and_keeps_what_was_written(tmp_path: Path) -> None:
    lines = (
        '{"id": 1, "mobile": 13800000000, "consent": {"email": true, "sms": null}}\n\n{"id": 2.50, "tags": ["新"]}\n'
    )
    table = read(written(tmp_path / "s.jsonl", lines.encode()), Source("jsonl"))
    assert table.to_pylist() == [
        {
            "id": "1",
            "mobile": "13800000000",
            "consent_email": "true",
            "consent_sms": None,
            "tags": None,
            "source_row": 1,
        },
        {"id": "2.50", "mobile": None, "consent_email": None, "consent_sms": None, "tags": '["新"]', "source_row": 3},
    ]


def test_excel_keeps_numbers_whole_and_dates_in_iso(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["号码", "时间", "比"],
        [13912345678, dt.datetime(2017, 12, 31, 9, 30), 0.5],
        [],
        ["0086139 1234", "", True],
    ]
    table = read(workbook(tmp_path / "h.xlsx", rows), Source("excel"))
    assert table.to_pylist() == [
        {"号码": "13912345678", "时间": "2017-12-31 09:30:00", "比": "0.5", "source_row": 2},
        {"号码": "0086139 1234", "时间": None, "比": "true", "source_row": 4},
    ]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "at": [dt.datetime(2017, 1, 1), None]}), tmp_path / "o.parquet")
    table = read(tmp_path / "o.parquet", Source("parquet"))
    assert table.schema.field("id").type == pa.int64()
    assert table["source_row"].to_pylist() == [1, 2]


def test_read_many_names_the_file_and_fills_columns_that_older_files_lack(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": [2], "store": ["x"]}), tmp_path / "b.parquet")
    table = read_many([tmp_path / "a.parquet", tmp_path / "b.parquet"], Source("parquet"))
    assert table.select(["id", "store", "file", "source_row"]).to_pylist() == [
        {"id": 1, "store": None, "file": "a.parquet", "source_row": 1},
        {"id": 2, "store": "x", "file": "b.parquet", "source_row": 1},
    ]
