"""Comma-separated text, with or without a byte order mark: pyarrow reads it, the standard reader finds lines where pyarrow cannot say them."""

import csv
import io
from _csv import Reader
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.sources._columns import SOURCE_ROW, refuse_nul, text_table
from connectors.sources._encoding import blocks_of, codec_of, text_of
from connectors.sources._unreadable import SourceUnreadable, _

_BLOCK = 1 << 20
STREAM_BLOCK = 8 << 20
# A long cell is judged as a value; by itself it is no reason not to read the others.
csv.field_size_limit(2**31 - 1)


def read(path: Path, encoding: str) -> pa.Table:
    """One CSV file: its first line names the columns, every cell is text, an empty cell is null."""
    text = text_of(path, encoding)
    text += "" if text.endswith("\n") else "\n"
    try:
        names = _header(path, _reader(text))
        table = _rows(path, text, len(names))
        lines = _lines(path, text, table.num_rows)
    except csv.Error as error:
        raise _no_csv(path, error) from error
    return table.rename_columns(names).append_column(SOURCE_ROW, pa.array(lines, pa.int64()))


def stream(path: Path, encoding: str, block: int = STREAM_BLOCK) -> Iterator[pa.Table]:
    """The same rows as `read` gives, as tables of about a block's bytes each, for files that memory should not hold."""
    codec = codec_of(path, encoding)
    seen = _Seen(path, blocks_of(path, codec, encoding), max(block, _BLOCK))
    try:
        names = _header(path, csv.reader(_text_lines(seen)))
        seen.rest()
        # Where a cell holds a line break only the standard reader can say on which line a row begins, and it is slow.
        starts = iter(range(2, seen.lines + 3)) if seen.is_plain else _starts(path, codec, encoding)
        yield text_table(names, [], [])
        if seen.lines == 0:
            return
        for table in _batches(path, codec, encoding, len(names), block):
            lines = pa.array(islice(starts, table.num_rows), pa.int64())
            yield table.rename_columns(names).append_column(SOURCE_ROW, lines)
    except csv.Error as error:
        raise _no_csv(path, error) from error


class _Seen:
    """Text on its way through, with what is asked of the whole of it: line breaks, and whether each row is one line."""

    def __init__(self, path: Path, blocks: Iterator[str], longest: int) -> None:
        self.path = path
        self.blocks = blocks
        self.longest = longest
        self.lines = 0
        self.is_plain = True
        self._begun = ""

    def __iter__(self) -> Iterator[str]:
        for text in self.blocks:
            self.lines += text.count("\n")
            whole, line_break, rest = (self._begun + text).rpartition("\n")
            self._begun = rest
            if len(rest) > self.longest:
                raise _too_long(self.path, self.longest)
            self.is_plain = self.is_plain and _is_plain(whole + line_break)
            yield text
        self.is_plain = self.is_plain and _is_plain(self._begun)

    def rest(self) -> None:
        for _text in self:
            pass


def _is_plain(lines: str) -> bool:
    """Whether each line is a row: none is blank or ends in a lone \\r, and quotes are closed on the line that opens them."""
    if "\n\n" in lines or "\n\r" in lines or lines[:1] in ("\n", "\r") or lines.count("\r") != lines.count("\r\n"):
        return False
    return '"' not in lines or all(line.count('"') % 2 == 0 for line in lines.split("\n"))


def _header(path: Path, reader: Reader) -> list[str]:
    names: list[str] = next(reader, [])
    if not any(name.strip() for name in names):
        raise SourceUnreadable(path, _("its first line names no columns"), _("deliver it with a header line"))
    refuse_nul(names, path)
    return names


def _rows(path: Path, text: str, width: int) -> pa.Table:
    data = text.encode()
    places = [f"column_{i}" for i in range(width)]
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=_reading(places, max(_BLOCK, len(data) + 1)),
            parse_options=arrow_csv.ParseOptions(newlines_in_values='"' in text),
            convert_options=_as_text(places),
        )
    except pa.ArrowInvalid:
        failed = _ragged(path, _reader(text), width)
    # Outside the handler: pyarrow's own message quotes the row, which may be personal.
    raise failed


def _batches(path: Path, codec: str, encoding: str, width: int, block: int) -> Iterator[pa.Table]:
    places = [f"column_{i}" for i in range(width)]
    failed = None
    with pa.OSFile(str(path)) as file:
        utf8 = file if codec == "utf-8" else pa.transcoding_input_stream(file, codec, "utf-8")
        try:
            reader = arrow_csv.open_csv(
                utf8,
                read_options=_reading(places, block),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=_as_text(places),
            )
            for batch in reader:
                yield pa.Table.from_batches([batch])
        except pa.ArrowInvalid as error:
            lines = csv.reader(_text_lines(blocks_of(path, codec, encoding)))
            is_long = str(error).startswith("straddling object")
            failed = _too_long(path, block) if is_long else _ragged(path, lines, width)
    if failed:
        raise failed


def _reading(places: list[str], block: int) -> arrow_csv.ReadOptions:
    return arrow_csv.ReadOptions(column_names=places, skip_rows_after_names=1, use_threads=False, block_size=block)


def _as_text(places: list[str]) -> arrow_csv.ConvertOptions:
    return arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=True, null_values=[""]
    )


def _too_long(path: Path, block: int) -> SourceUnreadable:
    wrong = _("a row in it is longer than {size} MB; a quotation mark may never be closed")
    return SourceUnreadable(path, wrong, _("correct that row and deliver it again"), size=block >> 20)


def _ragged(path: Path, reader: Reader, width: int) -> SourceUnreadable:
    """Which row, by its line, does not have the header's number of cells."""
    remedy = _("deliver it again, cells with commas in quotes")
    start = 1
    for cells in reader:
        if cells and len(cells) != width:
            wrong = _("line {line} has {cells} cells where the header has {width}")
            return SourceUnreadable(path, wrong, remedy, line=start, cells=len(cells), width=width)
        start = reader.line_num + 1
    return SourceUnreadable(path, _("it is not readable as CSV with {width} columns"), remedy, width=width)


def _lines(path: Path, text: str, row_count: int) -> Iterable[int]:
    """The line on which each data row begins. As many line breaks as rows and header: no cell holds one, no line is blank."""
    if text.count("\n") == row_count + 1:
        return range(2, row_count + 2)
    return list(_begins(path, _reader(text, strict=True)))


def _starts(path: Path, codec: str, encoding: str) -> Iterator[int]:
    return _begins(path, csv.reader(_text_lines(blocks_of(path, codec, encoding)), strict=True))


def _begins(path: Path, reader: Reader) -> Iterator[int]:
    """The line on which each row after the header begins."""
    try:
        ends = ((reader.line_num, bool(cells)) for cells in reader)
        for (before, _header), (_end, filled) in pairwise(ends):
            if filled:
                yield before + 1
    except csv.Error as error:
        wrong = _("a quotation mark on or before line {line} is never closed, or stands inside a cell")
        remedy = _("deliver it again with cells in quotes and quotes doubled")
        raise SourceUnreadable(path, wrong, remedy, line=reader.line_num) from error


def _text_lines(blocks: Iterable[str]) -> Iterator[str]:
    """Lines with their breaks, as csv.reader wants them, out of blocks that end anywhere."""
    kept = ""
    for text in blocks:
        lines = io.StringIO(kept + text, newline="").readlines()
        # A block may end between \r and \n.
        kept = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        yield from lines
    yield from io.StringIO(kept, newline="").readlines()


def _no_csv(path: Path, error: csv.Error) -> SourceUnreadable:
    return SourceUnreadable(path, _("it is not readable as CSV ({why})"), _("deliver it again as CSV"), why=str(error))


def _reader(text: str, *, strict: bool = False) -> Reader:
    return csv.reader(io.StringIO(text, newline=""), strict=strict)
