"""Landed files rewritten without some rows: what an erasure does to retained copies of sources.

What belongs here: one writer for each kind of file, which leaves every other row as it was and on its line. What does not: which rows
(`vesper/erasure.py`), and putting the new file in the old one's place (`tasks/erase_landing.py`).

A row that goes leaves a blank line behind, so that the rows after it keep their numbers, by which raw tables and quarantine name them.
Only Parquet has no blank rows: there the later rows of the file move up by one.
"""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from connectors.sources import SOURCE_ROW, SourceLike, read
from connectors.sources._columns import tidy_name
from connectors.sources._encoding import text_of

Emptied = Mapping[int, Mapping[str, str | None]]
"""Row -> column -> what stands there now."""

UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile('"\ue000(.*?)\ue001"')
_FORMATS: list[tuple[type, str]] = [
    (dt.datetime, "yyyy-mm-dd hh:mm:ss"),
    (dt.date, "yyyy-mm-dd"),
    (dt.time, "hh:mm:ss"),
    (dt.timedelta, "[h]:mm:ss"),
]


class NotRewritable(Exception):
    """A landed file that cannot be written anew as it was. Its text says why, without a row's content."""


def without(path: Path, source: SourceLike, gone: Collection[int], emptied: Emptied) -> bytes:
    """The bytes of a landed file without the rows `gone`, and with other cells in the rows `emptied`; rows by their `source_row`.

    Raises NotRewritable for a kind of file that nobody here can write.
    """
    writer = _WRITERS.get(source.system, _parquet)
    return writer(path, source, frozenset(gone), emptied)


def same_but(path: Path, new: Path, source: SourceLike, gone: Collection[int], emptied: Emptied) -> bool:
    """Whether a rewritten file reads as the old one, apart from what was to change: the proof that nobody else lost anything."""
    before, after = read(path, source), read(new, source)
    touched = pa.array(sorted({*gone, *emptied}), pa.int64())
    kept = before.filter(pc.invert(pc.is_in(before[SOURCE_ROW], touched)))
    found = after.filter(pc.invert(pc.is_in(after[SOURCE_ROW], touched))) if source.system in _WRITERS else after
    names = [name for name in kept.column_names if name != SOURCE_ROW and name in found.column_names]
    if source.system not in _WRITERS and emptied:
        return bool(before.num_rows - len(gone) == after.num_rows)
    return kept.num_rows == found.num_rows and all(kept[name].equals(found[name]) for name in names)


# text -----------------------------------------------------------------------------------------------------------------


def _csv(path: Path, source: SourceLike, gone: frozenset[int], emptied: Emptied) -> bytes:
    text, encode = _opened(path)
    lines = text.split("\n")
    spans = _spans(read(path, source)[SOURCE_ROW].to_pylist(), len(lines))
    for row in gone:
        _put(lines, spans[row], "")
    header = next(csv.reader(io.StringIO(text_of(path, source.encoding), newline="")), [])
    places = {tidy_name(name): place for place, name in enumerate(header)}
    for row, cells in emptied.items():
        _put(lines, spans[row], _csv_row(lines[slice(*spans[row])], {places[name]: new for name, new in cells.items()}))
    return encode("\n".join(lines))


def _csv_row(lines: list[str], cells: Mapping[int, str | None]) -> str:
    values = next(csv.reader(io.StringIO("\n".join(lines), newline="")))
    for place, new in cells.items():
        values[place] = new or ""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


def _jsonl(path: Path, source: SourceLike, gone: frozenset[int], emptied: Emptied) -> bytes:
    text, encode = _opened(path)
    lines = text.split("\n")
    for row in gone:
        _put(lines, (row - 1, row), "")
    for row, cells in emptied.items():
        as_written = json.loads(
            text_of(path, source.encoding).split("\n")[row - 1], parse_int=_number, parse_float=_number
        )
        for name, new in cells.items():
            _set(as_written, name, new)
        line = _NUMBER.sub(
            r"\1", json.dumps(as_written, ensure_ascii=True).replace("\\ue000", "\ue000").replace("\\ue001", "\ue001")
        )
        _put(lines, (row - 1, row), line)
    return encode("\n".join(lines))


def _number(text: str) -> str:
    """A number keeps its digits: 2.50 stays 2.50."""
    return f"\ue000{text}\ue001"


def _set(value: dict[str, Any], name: str, new: str | None) -> None:
    """Set a column that may be a nested name joined by underscores."""
    if name in value:
        value[name] = new
        return
    for key, inner in value.items():
        if isinstance(inner, dict) and name.startswith(f"{key}_"):
            _set(inner, name.removeprefix(f"{key}_"), new)


def _opened(path: Path) -> tuple[str, Callable[[str], bytes]]:
    """A text file as lines that can be put back byte for byte, whatever its encoding: in none of those we read is a line break part of a character."""
    data = path.read_bytes()
    if data.startswith(UTF16):
        codec = "utf-16-le" if data.startswith(UTF16[0]) else "utf-16-be"
        return data.decode(codec), lambda text: text.encode(codec)
    return data.decode("latin-1"), lambda text: text.encode("latin-1")


def _spans(starts: Sequence[int], line_count: int) -> dict[int, tuple[int, int]]:
    """Of each row the lines that it covers, as indexes."""
    ends = [*[start - 1 for start in starts[1:]], line_count]
    return {start: (start - 1, end) for start, end in zip(starts, ends, strict=True)}


def _put(lines: list[str], span: tuple[int, int], new: str) -> None:
    """Replace the lines of a span by as many lines, with their own line ends."""
    fresh = new.split("\n")
    for place in range(*span):
        old, at = lines[place], place - span[0]
        line = fresh[at].removesuffix("\r") if at < len(fresh) else ""
        lines[place] = line + ("\r" if old.endswith("\r") else "")


# workbooks ------------------------------------------------------------------------------------------------------------


def _excel(path: Path, source: SourceLike, gone: frozenset[int], emptied: Emptied) -> bytes:
    """The first sheet, which is all that anybody reads of it; formats and further sheets are not kept, since they may hold the person, too."""
    if path.suffix.lower() != ".xlsx":
        raise NotRewritable(f"a workbook of the kind {path.suffix} cannot be written")
    import xlsxwriter

    with CalamineWorkbook.from_path(path) as workbook:
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    header = [tidy_name(str(cell)) for cell in rows[0]]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})  # no clock in bytes
        formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS}
        sheet = book.add_worksheet()
        for number, row in enumerate(rows, start=1):
            if number in gone:
                continue
            new = emptied.get(number, {})
            for place, cell in enumerate(row):
                value = new[header[place]] if place < len(header) and header[place] in new else cell
                _write_cell(sheet, number - 1, place, value, formats)
    return out.getvalue()


def _write_cell(sheet: Any, row: int, place: int, value: Any, formats: Mapping[type, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, place, value)
    else:
        sheet.write_datetime(row, place, value, formats[type(value)])


# Parquet --------------------------------------------------------------------------------------------------------------


def _parquet(path: Path, source: SourceLike, gone: frozenset[int], emptied: Emptied) -> bytes:
    """Its own columns, types and metadata; a cell that takes no text becomes empty."""
    table = pq.ParquetFile(path).read(use_threads=False)
    rows = pa.arange(1, table.num_rows + 1)
    for name in sorted({name for cells in emptied.values() for name in cells}):
        place, field = table.column_names.index(name), table.schema.field(name)
        new = {row: cells[name] for row, cells in emptied.items() if name in cells}
        text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        value = pa.scalar(next(iter(new.values())) if text else None, field.type)
        mask = pc.is_in(rows, pa.array(sorted(new), pa.int64()))
        table = table.set_column(place, field, pc.if_else(mask, value, table.column(name).combine_chunks()))
    table = table.filter(pc.invert(pc.is_in(rows, pa.array(sorted(gone), pa.int64()))))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


_WRITERS: dict[str, Callable[[Path, SourceLike, frozenset[int], Emptied], bytes]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "excel": _excel,
}
