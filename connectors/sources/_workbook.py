"""Whether a workbook may be opened: its real size, the cells its sheets span and their text, all found before the reader allocates anything.

An .xlsx is a ZIP archive, and the reader lays a sheet out as a full grid. So a few kilobytes can ask for terabytes, and the process would die.
"""

import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from connectors.sources._unreadable import SourceUnreadable, _

MEGABYTE = 1 << 20
LARGEST_XLSX = 1024 * MEGABYTE
LARGEST_XLS = 32 * MEGABYTE
MOST_CELLS = 20_000_000
MOST_TEXT = 1024 * MEGABYTE
_BLOCK = MEGABYTE
# Where a cell is that holds something; a cell with nothing but a format is closed at once and costs nothing.
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["'][^>]*(?<!/)>""")
_SHARED = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>\s*([0-9]+)""")
_ITEM = re.compile(rb"</(?:\w+:)?si>")
_AS_CSV = _("deliver it as CSV")


@dataclass
class _Extent:
    """The grid that cells span. Columns are kept as letters, since few differ."""

    rows: int = 0
    letters: set[bytes] = field(default_factory=set)

    def see(self, block: bytes) -> None:
        filled = _CELL.findall(block)
        self.letters.update({letters for letters, _row in filled})
        self.rows = max(self.rows, max(map(int, {row for _letters, row in filled}), default=0))

    @property
    def cells(self) -> int:
        return self.rows * max((_number(each) for each in self.letters), default=0)


def refuse_bomb(path: Path) -> None:
    """Raise SourceUnreadable for a workbook whose content would not fit in memory, whatever its own directory says of it."""
    if path.suffix.lower() == ".xls":
        if path.stat().st_size > LARGEST_XLS:
            raise _too_large(path, LARGEST_XLS)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _judge(path, archive)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        wrong = _("it is not a whole Excel workbook ({why}); it may be cut off")
        why = type(error).__name__
        raise SourceUnreadable(path, wrong, _("save and deliver it again as .xlsx"), why=why) from error


def _judge(path: Path, archive: zipfile.ZipFile) -> None:
    if sum(part.file_size for part in archive.infolist()) > LARGEST_XLSX:
        raise _too_large(path, LARGEST_XLSX)
    parts = [_to_its_end(part) for part in archive.infolist() if not part.is_dir()]
    size = most = 0
    for part in parts:
        extent = _Extent()
        for block in _blocks(archive, part):
            size += len(block)
            if size > LARGEST_XLSX:
                raise _too_large(path, LARGEST_XLSX)
            extent.see(block)
        most = max(most, extent.cells)
        if most > MOST_CELLS:
            wrong = _("its cells span {cells:,}, more than the {most:,} that are read from a workbook")
            remedy = _("delete the empty rows and columns between them, or deliver it as CSV")
            raise SourceUnreadable(path, wrong, remedy, cells=most, most=MOST_CELLS)
    _judge_text(path, archive, parts, most)


def _to_its_end(part: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The part as it really is: without its declared size and sum, at which zipfile would stop reading and the workbook's reader does not."""
    real = copy(part)
    real.file_size = sys.maxsize
    real.CRC = None  # type: ignore[assignment]
    return real


def _judge_text(path: Path, archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], cells: int) -> None:
    """One long text may be named by a million cells, and each gets a copy."""
    lengths = [each for part in parts if "sharedstrings" in part.filename.lower() for each in _lengths(archive, part)]
    if max(lengths, default=0) * cells <= MOST_TEXT:
        return
    named = (int(place) for part in parts for block in _blocks(archive, part) for place in _SHARED.findall(block))
    total = sum(lengths[place] for place in named if place < len(lengths))
    if total > MOST_TEXT:
        wrong = _("its cells hold {size:,} MB of text, more than the {most:,} MB that are read from a workbook")
        raise SourceUnreadable(path, wrong, _AS_CSV, size=total // MEGABYTE, most=MOST_TEXT // MEGABYTE)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _lengths(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[int]:
    """Bytes of each shared text, its markup included."""
    begun = 0
    for block in _blocks(archive, part):
        at = 0
        for end in _ITEM.finditer(block):
            yield begun + end.end() - at
            begun, at = 0, end.end()
        begun += len(block) - at


def _blocks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's content in blocks that end with a row, else before an element, so that few cells are cut in two."""
    kept = b""
    with archive.open(part) as file:
        while data := file.read(_BLOCK):
            data = kept + data
            ends = [data.rfind(b"row>") + 4, data.rfind(b"<"), len(data)]
            cut = next(end for end in ends if end > 4 or end == len(data))
            yield data[:cut]
            kept = data[cut:]
    yield kept


def _too_large(path: Path, most: int) -> SourceUnreadable:
    wrong = _("it unpacks to more than {most:,} MB")
    return SourceUnreadable(path, wrong, _AS_CSV, most=most // MEGABYTE)
