"""Every kind of source system on files that are broken: one sentence with the file, what is wrong and what to do."""

import traceback
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.sources import SourceUnreadable, read, read_many

GOOD = "卡,名\n1,王芳\n2,李伟\n3,陈雅欣\n"


@dataclass(frozen=True)
class Source:
    system: str
    encoding: str = "auto"


def said(path: Path, system: str, encoding: str = "auto") -> str:
    with pytest.raises(SourceUnreadable) as caught:
        read(path, Source(system, encoding))
    assert str(caught.value).startswith(f"{path.parent.name}/{path.name}: ")
    assert "; " in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("system", ["csv", "jsonl", "excel", "parquet"])
def test_an_empty_or_a_missing_file(tmp_path: Path, system: str) -> None:
    path = tmp_path / f"x.{system}"
    assert "no such file" in said(path, system)
    path.touch()
    assert "0 bytes" in said(path, system)


def test_an_unknown_system_lists_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(GOOD)
    assert "csv, excel, http, jsonl, parquet, sql" in said(path, "_columns")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 cells where the header has 2"),
        ('a,b\n1,"x\ny"\n3,4,5\n', "line 4 has 3 cells where the header has 2"),
        ("a,a\n1,2\n", "column 'a' stands there more than once"),
        ("a,\n1,2\n", "column 2 holds values but has no name"),
        ("a,source_row\n1,2\n", "a name that Vesper uses itself"),
        ("\n1,2\n", "its first line names no columns"),
        ('a,b\n1,"2\n3,4\n', "quotation mark"),
    ],
)
def test_csv_of_a_wrong_shape(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    assert words in said(path, "csv")


def test_csv_whose_encoding_changes_half_way_names_byte_and_line(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "卡,名\n1,王\n".encode() + "2,李\n".encode("gb18030"))
    assert "not valid utf-8 from byte 20 on (line 3)" in said(path, "csv")


def test_csv_of_a_declared_encoding_that_it_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(GOOD.encode("gb18030"))
    assert "not valid utf-8 from byte 1 on" in said(path, "csv", "utf-8")
    assert "does not exist" in said(path, "csv", "gb1803")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("euc_kr", "회원번호,이름,지역\n1,김민수,서울특별시\n"),
        ("shift_jis", "会員番号,氏名,メール\n1,やまだ,とうきょう\n"),
        ("euc_jp", "会員番号,氏名,メール\n1,やまだ,とうきょう\n"),
        ("cp1252", "numéro,prénom,été\n1,Zoë,à côté\n"),
    ],
)
def test_bytes_of_another_encoding_are_refused_not_guessed(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes((text * 30).encode(encoding))
    assert "declare its encoding" in said(path, "csv")
    assert read(path, Source("csv", encoding)).num_rows > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"id": 1}\n{"id": \n', "line 2 is not valid JSON"),
        ('{"id": 1}\n[1]\n', "line 2 is not a JSON object"),
        ('{"a_b": 1, "a": {"b": 2}}\n', "line 1 names one column twice"),
        (" \n", "holds no line"),
    ],
)
def test_jsonl_says_the_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(text)
    assert words in said(path, "jsonl")


@pytest.mark.parametrize("system", ["excel", "parquet"])
def test_bytes_that_are_no_workbook_and_no_parquet(tmp_path: Path, system: str) -> None:
    path = tmp_path / ("x.xlsx" if system == "excel" else "x")
    path.write_bytes(b"PK\x03\x04 cut off")
    assert "cut off" in said(path, system)


def test_columns_of_two_files_that_do_not_fit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": ["one"]}), tmp_path / "b.parquet")
    with pytest.raises(SourceUnreadable, match=r"do not fit those of a\.parquet"):
        read_many([tmp_path / "a.parquet", tmp_path / "b.parquet"], Source("parquet"))


@pytest.mark.requirement("R122")
def test_a_sentence_does_not_quote_what_stands_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("name,phone\n王芳,13912345678,多余\n")
    with pytest.raises(SourceUnreadable) as caught:
        read(path, Source("csv"))
    told = "".join(traceback.format_exception(caught.value))
    assert "line 2 has 3 cells" in told
    assert "139" not in told
    assert "王芳" not in told
