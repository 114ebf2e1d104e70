"""One JSON object a line, as apps and interfaces log them. Nested objects become columns joined by an underscore."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from connectors.sources._columns import text_table
from connectors.sources._encoding import blocks_of, codec_of, text_of
from connectors.sources._json import NoRow, flat_row, parsed
from connectors.sources._unreadable import SourceUnreadable, _

STREAM_ROWS = 20_000
LONGEST_LINE = 128 << 20
Row = tuple[int, dict[str, str | None]]


def read(path: Path, encoding: str) -> pa.Table:
    """One JSONL file: columns in order of first appearance, values as text, `true`/`false` for booleans, null for what an object does not say.

    Numbers stay as they are written (13800000000 whole). The standard reader is used: pyarrow's would guess types and turn times into instants.
    """
    rows = list(_rows(path, text_of(path, encoding).split("\n")))
    if not rows:
        raise _empty(path)
    return _table(rows)


def stream(path: Path, encoding: str, rows: int = STREAM_ROWS) -> Iterator[pa.Table]:
    """The same rows as `read` gives, some thousand at a time, each table with the columns that its own rows have."""
    found = _rows(path, _lines(path, blocks_of(path, codec_of(path, encoding), encoding)))
    some = list(islice(found, rows))
    if not some:
        raise _empty(path)
    while some:
        yield _table(some)
        some = list(islice(found, rows))


def _empty(path: Path) -> SourceUnreadable:
    return SourceUnreadable(path, _("it holds no line"), _("deliver it again"))


def _lines(path: Path, blocks: Iterable[str]) -> Iterator[str]:
    begun: list[str] = []
    for text in blocks:
        first, *others = text.split("\n")
        begun.append(first)
        if others:
            *whole, last = others
            yield "".join(begun)
            yield from whole
            begun = [last]
        if sum(map(len, begun)) > LONGEST_LINE:
            wrong = _("a line in it is longer than {size} MB; it may be one JSON list")
            raise SourceUnreadable(path, wrong, _("deliver one object a line"), size=LONGEST_LINE >> 20)
    yield "".join(begun)


def _rows(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = flat_row(parsed(line))
        except NoRow as error:
            what = error.what
        else:
            yield number, row
            continue
        # Outside the handler: the parser's own error holds the line, which may be personal.
        raise SourceUnreadable(path, _("line {line} {what}"), _("deliver one object a line"), line=number, what=what)


def _table(rows: list[Row]) -> pa.Table:
    names = list(dict.fromkeys(name for _number, flat in rows for name in flat))
    cells = [[flat.get(name) for name in names] for _number, flat in rows]
    return text_table(names, cells, [number for number, _flat in rows])
