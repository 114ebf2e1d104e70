"""Comma-separated text, with or without a byte order mark: pyarrow reads it, the standard reader finds lines where pyarrow cannot say them."""

import csv
import io
from _csv import Reader
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.sources._columns import SOURCE_ROW
from connectors.sources._encoding import text_of
from connectors.sources._unreadable import SourceUnreadable

_BLOCK = 1 << 20


def read(path: Path, encoding: str) -> pa.Table:
    """One CSV file: its first line names the columns, every cell is text, an empty cell is null."""
    text = text_of(path, encoding)
    text += "" if text.endswith("\n") else "\n"
    try:
        names = _header(path, text)
        table = _rows(path, text, len(names))
        lines = _lines(path, text, table.num_rows)
    except csv.Error as error:
        raise SourceUnreadable(path, f"it is not readable as CSV ({error})", "deliver it again as CSV") from error
    return table.rename_columns(names).append_column(SOURCE_ROW, pa.array(lines, pa.int64()))


def _header(path: Path, text: str) -> list[str]:
    names = next(_reader(text), [])
    if not any(name.strip() for name in names):
        raise SourceUnreadable(path, "its first line names no columns", "deliver it with a header line")
    return names


def _rows(path: Path, text: str, width: int) -> pa.Table:
    data = text.encode()
    places = [f"column_{i}" for i in range(width)]
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=places, skip_rows_after_names=1, use_threads=False, block_size=max(_BLOCK, len(data) + 1)
            ),
            parse_options=arrow_csv.ParseOptions(newlines_in_values='"' in text),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        wrong = _ragged(text, width) or f"it is not readable as CSV with {width} columns"
    # Outside the handler: pyarrow's own message quotes the row, which may be personal.
    raise SourceUnreadable(path, wrong, "deliver it again, cells with commas in quotes")


def _ragged(text: str, width: int) -> str | None:
    """Which row, by its line, does not have the header's number of cells."""
    reader = _reader(text)
    start = 1
    for cells in reader:
        if cells and len(cells) != width:
            return f"line {start} has {len(cells)} cells where the header has {width}"
        start = reader.line_num + 1
    return None


def _lines(path: Path, text: str, row_count: int) -> list[int]:
    """The line on which each data row begins. As many line breaks as rows and header: no cell holds one, no line is blank."""
    if text.count("\n") == row_count + 1:
        return list(range(2, row_count + 2))
    reader = _reader(text, strict=True)
    try:
        ends = [(reader.line_num, bool(cells)) for cells in reader]
    except csv.Error as error:
        wrong = f"a quotation mark on or before line {reader.line_num} is never closed, or stands inside a cell"
        raise SourceUnreadable(path, wrong, "deliver it again with cells in quotes and quotes doubled") from error
    return [before + 1 for (before, _), (_, filled) in pairwise(ends) if filled]


def _reader(text: str, *, strict: bool = False) -> Reader:
    return csv.reader(io.StringIO(text, newline=""), strict=strict)
