"""Workbooks that would kill the process if they were opened, and those that only look strange."""

import zipfile
import zlib
from pathlib import Path

import pytest
import xlsxwriter

from connectors.sources import SourceUnreadable, _workbook, read
from tests.connectors.test_sources_read import Source, workbook

EXCEL = Source("excel")
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def altered(tmp_path: Path, **parts: bytes) -> Path:
    """A small workbook with other parts: `sheet` and `texts`."""
    small = workbook(tmp_path / "small.xlsx", [["编号", "姓名"], ["1", "王芳"]])
    path = tmp_path / "odd.xlsx"
    names = {SHEET: parts.get("sheet"), "xl/sharedStrings.xml": parts.get("texts")}
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, names.get(part.filename) or old.read(part))
    return path


def said(path: Path) -> str:
    """The sentence that a workbook is refused with."""
    with pytest.raises(SourceUnreadable) as caught:
        read(path, EXCEL)
    assert str(caught.value).startswith(f"{path.parent.name}/{path.name}: ")
    return str(caught.value)


@pytest.mark.requirement("R2")
def test_two_cells_far_apart_span_terabytes(tmp_path: Path) -> None:
    far = HEAD + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + TAIL
    assert "its cells span 17,179,869,184" in said(altered(tmp_path, sheet=far))
    odd = (
        HEAD
        + b"<x:row r='1'><x:c t='n' r = 'A1'><x:v>1</x:v></x:c><x:c\nr='xfd1048576'><x:v>1</x:v></x:c></x:row>"
        + TAIL
    )
    assert "its cells span 17,179,869,184" in said(altered(tmp_path, sheet=odd))


def test_formats_without_content_span_nothing(tmp_path: Path) -> None:
    styled = HEAD + b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    styled += b'<row r="1048576"><c r="XFD1048576" s="1"/></row>' + TAIL
    assert read(altered(tmp_path, sheet=styled), EXCEL).num_rows == 0


def test_a_zip_bomb_is_found_by_what_it_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workbook, "LARGEST_XLSX", 8 << 20)
    bomb = altered(tmp_path, sheet=HEAD + b" " * (9 << 20) + TAIL)
    assert bomb.stat().st_size < 100_000
    assert "unpacks to more than 8 MB" in said(bomb)


def test_a_zip_that_lies_about_its_size_is_read_to_its_real_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_workbook, "LARGEST_XLSX", 8 << 20)
    content = HEAD + b" " * (9 << 20) + TAIL
    bomb = altered(tmp_path, sheet=content)
    data = bytearray(bomb.read_bytes())
    real = len(content).to_bytes(4, "little")
    small, sum_of_beginning = (100).to_bytes(4, "little"), zlib.crc32(content[:100]).to_bytes(4, "little")
    place = data.find(real)
    while place >= 0:
        data[place : place + 4] = small
        data[place - 8 : place - 4] = sum_of_beginning
        place = data.find(real)
    bomb.write_bytes(data)
    with zipfile.ZipFile(bomb) as archive:
        assert len(archive.read(SHEET)) == 100
    assert "unpacks to more than 8 MB" in said(bomb)


def test_one_long_text_in_a_million_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workbook, "MOST_TEXT", 10_000_000)
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si><si><t>'
    texts += b"x" * 30_000 + b"</t></si></sst>"
    rows = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>1</v></c></row>' % (n, n) for n in range(1, 1001))
    assert "hold 28 MB of text" in said(altered(tmp_path, sheet=HEAD + rows + TAIL, texts=texts))
    few = rows.replace(b"<v>1<", b"<v>0<")
    assert read(altered(tmp_path, sheet=HEAD + few + TAIL, texts=texts), EXCEL).num_rows == 999


def test_the_value_of_a_formula_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["编号", "链接", "和", "无"])
        sheet.write_formula(1, 0, "=40+2", None, 42)
        sheet.write_formula(1, 1, '=HYPERLINK("http://x.example","点")', None, "点")
        sheet.write_formula(1, 2, "=NA()", None, "#N/A")
        sheet.write_string(1, 3, "=1+1")
    (row,) = read(path, EXCEL).to_pylist()
    assert row == {"编号": "42", "链接": "点", "和": None, "无": "=1+1", "source_row": 2}


def test_a_sheet_that_begins_at_another_column_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, ["编号", "姓名"])
        sheet.write_row(2, 1, ["1", "王芳"])
    assert read(path, EXCEL).to_pylist() == [{"编号": "1", "姓名": "王芳", "source_row": 3}]


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"<html><table></table></html>", "m.xls", "not a whole Excel workbook"),
        (b"PK\x03\x04" + b"\0" * 100, "m.xlsx", "not a whole Excel workbook"),
        (b"id,name\n1,x\n", "m.xlsx", "not a whole Excel workbook"),
        (b"PK\x03\x04", "m.ods", "not named as an Excel workbook"),
    ],
)
def test_other_files_under_a_workbooks_name(tmp_path: Path, data: bytes, name: str, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert words in said(path)


def test_a_large_old_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workbook, "LARGEST_XLS", 10)
    path = tmp_path / "m.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0" * 10)
    assert "deliver it as CSV" in said(path)
