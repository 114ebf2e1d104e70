"""A landed file without one row: every other row as it was, byte for byte where the format lets it, and on its line."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from connectors.landing_rewrite import NotRewritable, same_but, without
from connectors.sources import SOURCE_ROW, read


@dataclass(frozen=True)
class Sent:
    """What a reader must know of a source."""

    system: str
    encoding: str = "auto"


def rewritten(
    path: Path, system: str, gone: set[int], emptied: dict[int, dict[str, str | None]] | None = None
) -> bytes:
    data = without(path, Sent(system), gone, emptied or {})
    new = path.with_name(f".new__{path.name}")
    new.write_bytes(data)
    assert same_but(path, new, Sent(system), gone, emptied or {})
    return data


LINES = '会员卡号,姓名,备注\r\n1,王小明,"两行\r\n备注, 有逗号"\r\n2,李雷,无\r\n3,韩梅梅,"""引号"""\r\n'


@pytest.mark.requirement("R90")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_keeps_its_bytes_its_encoding_and_its_lines(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(LINES.encode(encoding))
    data = rewritten(path, "csv", {2})
    assert data == LINES.replace('1,王小明,"两行\r\n备注, 有逗号"\r\n', "\r\n\r\n").encode(encoding)
    (tmp_path / "again.csv").write_bytes(data)
    assert read(tmp_path / "again.csv", Sent("csv"))[SOURCE_ROW].to_pylist() == [4, 5]


def test_csv_cells_are_emptied_where_the_row_stays(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(LINES.encode("gb18030"))
    data = rewritten(path, "csv", set(), {2: {"姓名": None}, 5: {"备注": "erased:e1"}})
    assert data.decode("gb18030").replace("\r", "").split("\n")[1:5] == [
        '1,,"两行',
        '备注, 有逗号"',
        "2,李雷,无",
        "3,韩梅梅,erased:e1",
    ]


cell = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters='\n,"'), max_size=8)


@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=6), data=st.data())
def test_of_any_csv_the_other_rows_stay(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    import csv

    path = tmp_path_factory.mktemp("csv") / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *(("x" + one, two) for one, two in rows)])
    numbers = read(path, Sent("csv"))[SOURCE_ROW].to_pylist()
    rewritten(path, "csv", set(data.draw(st.sets(st.sampled_from(numbers)))))


@pytest.mark.requirement("R90")
def test_jsonl_keeps_every_other_line_and_numbers_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "signups.jsonl"
    lines = ['{"id": 1, "who": {"phone": 13800138000, "name": "王"}, "amount": 2.50}', '{"id": 2}', "", '{"id": 3}']
    path.write_text("\n".join(lines), encoding="utf-8")
    assert rewritten(path, "jsonl", {2}).decode() == "\n".join([lines[0], "", "", lines[3]])
    data = rewritten(path, "jsonl", set(), {1: {"who_phone": None}})
    assert data.split(b"\n")[1:] == [line.encode() for line in lines[1:]]
    first = data.split(b"\n")[0].decode()
    assert json.loads(first) == {"id": 1, "who": {"phone": None, "name": "王"}, "amount": 2.5} and "2.50" in first


@pytest.mark.requirement("R90")
def test_a_workbook_keeps_every_other_row_on_its_line_and_no_word_of_the_one(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        date, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for number, name in enumerate(["王小明", "李雷", "", "韩梅梅"], start=1):
            sheet.write_row(number, 0, [name, 13800138000 + number, True] if name else [])
            if name:
                sheet.write_datetime(number, 3, dt.datetime(2018, 1, number), date)
                sheet.write_datetime(number, 4, dt.datetime(2018, 1, number, 9, 30), moment)
        sheet.write_row(0, 0, ["姓名", "电话", "同意", "日期", "时间"])
    data = rewritten(path, "excel", {3}, {2: {"电话": None}})
    (tmp_path / "again.xlsx").write_bytes(data)
    again = read(tmp_path / "again.xlsx", Sent("excel")).to_pylist()
    assert [(row[SOURCE_ROW], row["姓名"], row["电话"]) for row in again] == [
        (2, "王小明", None),
        (5, "韩梅梅", "13800138004"),
    ]
    import zipfile

    with zipfile.ZipFile(tmp_path / "again.xlsx") as whole:
        assert not [name for name in whole.namelist() if "李雷".encode() in whole.read(name)]
    assert without(path, Sent("excel"), {3}, {}) == without(path, Sent("excel"), {3}, {})


def test_an_old_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRewritable, match=r"\.xls"):
        without(tmp_path / "old.xls", Sent("excel"), {2}, {})


@pytest.mark.requirement("R90")
def test_parquet_keeps_its_types_and_what_it_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    schema = pa.schema(
        [("id", pa.int64()), ("card", pa.string()), ("sum", pa.decimal128(8, 2))], metadata={"cursor": "7"}
    )
    pq.write_table(pa.table({"id": [1, 2, 3], "card": ["48", "49", "48"], "sum": [1, 2, 3]}, schema=schema), path)
    data = rewritten(path, "parquet", {1}, {3: {"card": "erased:e1", "id": "erased:e1"}})
    (tmp_path / "again.parquet").write_bytes(data)
    again = pq.read_table(tmp_path / "again.parquet")
    assert again.schema.equals(schema) and again.schema.metadata == {b"cursor": b"7"}
    assert again["id"].to_pylist() == [2, None] and again["card"].to_pylist() == ["49", "erased:e1"]
