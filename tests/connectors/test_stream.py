"""Large files: the same rows as from a small one, a block at a time, in every encoding and with every kind of line."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sources import SOURCE_LINE, SourceUnreadable, read, spilled
from connectors.sources import csv as csv_system
from connectors.sources import jsonl as jsonl_system
from tests.connectors.test_sources_read import Source

CELL = st.one_of(
    st.sampled_from(["", "王芳", "a,b", 'say ""', "two\nlines", "\r\n", " x "]), st.text("ab,\"' 王\n", max_size=5)
)
ROWS = st.lists(st.tuples(CELL, CELL), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n"])


def whole(tables: list[pa.Table]) -> list[dict[str, Any]]:
    return [row for table in tables for row in table.to_pylist()]


@settings(max_examples=60)
@given(rows=ROWS, ends=ENDS, blank=st.booleans(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_a_streamed_csv_is_the_read_one(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], ends: str, blank: bool, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("s") / "m.csv"
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=ends)
    writer.writerow(["甲", "乙"])
    writer.writerows(rows)
    text = out.getvalue() + (f"{ends}{ends}1,2{ends}" if blank else "")
    path.write_bytes(text.encode(encoding))
    declared = encoding if encoding == "gb18030" else "auto"
    expected = whole([csv_system.read(path, declared)])
    assert whole(list(csv_system.stream(path, declared, block=256))) == expected
    assert whole(list(csv_system.stream(path, declared))) == expected


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.text(max_size=3), st.integers())), min_size=1
    )
)
def test_streamed_json_lines_are_the_read_ones(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("s") / "m.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in objects), encoding="utf-8")
    read_rows = whole([jsonl_system.read(path, "auto")])
    found = [{**dict.fromkeys(read_rows[0]), **row} for row in whole(list(jsonl_system.stream(path, "auto", rows=2)))]
    assert found == read_rows


@pytest.mark.parametrize("system", ["csv", "jsonl", "parquet"])
def test_a_spilled_file_has_the_columns_asked_for_and_says_which_it_has(tmp_path: Path, system: str) -> None:
    path = tmp_path / f"m.{system}"
    rows = [{"id": str(n), "姓名": "王芳", "多": "x"} for n in range(5)]
    if system == "csv":
        path.write_text("id, 姓名 ,多\n" + "".join(f"{row['id']},王芳,x\n" for row in rows), encoding="utf-8")
    elif system == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    else:
        # An untidy name keeps the engine from reading the file itself.
        pq.write_table(pa.Table.from_pylist(rows).rename_columns(["id", " 姓名 ", "多"]), path)
    found = spilled(path, Source(system), tmp_path / "spill", ["id", "姓名", "无此列"])
    assert (found.schema.names, found.row_count, found.table, found.is_copy) == (["id", "姓名", "多"], 5, None, True)
    assert found.parquet is not None
    assert found.parquet.name == path.name
    copy = pq.ParquetFile(found.parquet).read()
    assert copy.column_names == ["id", "姓名", "无此列", SOURCE_LINE]
    assert copy["姓名"].to_pylist() == ["王芳"] * 5
    assert copy[SOURCE_LINE].to_pylist() == read(path, Source(system))["source_row"].to_pylist()


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "\ufeffa,b\r\n\r\n"])
def test_a_header_alone_has_columns_and_no_row(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(text.encode())
    found = spilled(path, Source("csv"), tmp_path / "spill", ["a", "b"])
    assert (found.schema.names, found.row_count) == (["a", "b"], 0)


def test_whole_parquet_is_not_copied(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "m.parquet")
    found = spilled(tmp_path / "m.parquet", Source("parquet"), tmp_path / "spill", ["id"])
    assert (found.parquet, found.is_copy) == (tmp_path / "m.parquet", False)
    assert not (tmp_path / "spill").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n" + "1,2\n" * 90 + "3\n", "line 92 has 1 cells where the header has 2"),
        ('a,b\n1,"x\ny"\n3,4,5\n', "line 4 has 3 cells"),
        ("a,b\n1," + "x" * 5000 + "\n", "a row in it is longer than"),
        ("\n1,2\n", "names no columns"),
    ],
)
def test_a_streamed_csv_of_a_wrong_shape(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(SourceUnreadable, match=words):
        list(csv_system.stream(path, "auto", block=300))


def test_a_line_that_never_ends_is_not_gathered(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("a,b\n" + "x" * (10 << 20))
    with pytest.raises(SourceUnreadable, match="longer than 8 MB"):
        list(csv_system.stream(path, "auto"))
    path.write_text("[" + "1," * (70 << 20))
    with pytest.raises(SourceUnreadable, match="longer than 128 MB; it may be one JSON list"):
        list(jsonl_system.stream(path, "auto"))


def test_bytes_that_break_late_are_found_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    good = "编号,姓名\n" + "1,王芳\n" * 200_000
    path.write_bytes(b"\xef\xbb\xbf" + good.encode() + b"2,\xff\n")
    size = len(good.encode()) + 3 + 2
    with pytest.raises(SourceUnreadable, match=rf"not valid utf-8 from byte {size + 1} on \(line 200002\)"):
        list(csv_system.stream(path, "auto"))
    with pytest.raises(SourceUnreadable, match=rf"not valid utf-8 from byte {size + 1} on \(line 200002\)"):
        csv_system.read(path, "auto")
