"""Workbooks as people fill them in: the first sheet of an .xlsx or .xls, its first row the header, every cell as text."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from connectors.sources._columns import cell_text, text_table
from connectors.sources._unreadable import SourceUnreadable, _
from connectors.sources._workbook import refuse_bomb

ENDINGS = (".xlsx", ".xlsm", ".xls")
_ROWS = 20_000


def read(path: Path, encoding: str) -> pa.Table:
    """The first sheet. Whole numbers stay whole (13800000000, not 1.38E+10), dates become ISO; blank rows are left out and still counted.

    Of a formula the value is taken that Excel kept beside it. `encoding` has no meaning here: a workbook declares its own.
    """
    if path.suffix.lower() not in ENDINGS:
        wrong = _("it is not named as an Excel workbook")
        raise SourceUnreadable(path, wrong, _("name it {endings}"), endings=", ".join(ENDINGS))
    refuse_bomb(path)
    rows = _rows(_sheet(path))
    _number, header = next(rows, (1, []))
    if not any(header):
        wrong = _("row 1 of its first sheet names no columns")
        raise SourceUnreadable(path, wrong, _("put the header in row 1 of the first sheet"))
    names = [name or "" for name in header]
    tables = [text_table(names, [], [])]
    while some := list(islice(rows, _ROWS)):
        filled = [(number, row) for number, row in some if any(row)]
        tables.append(text_table(names, [row for _n, row in filled], [number for number, _r in filled]))
    return pa.concat_tables(tables)


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str | None]]]:
    """Rows as text with their number. The reader begins at the first row, but at the first column that is filled."""
    left: list[Any] = [None] * (sheet.start[1] if sheet.start else 0)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, [cell_text(cell) for cell in left + row]


def _sheet(path: Path) -> CalamineSheet:
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            return workbook.get_sheet_by_index(0)
    except (CalamineError, OSError, IndexError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        wrong = _("it is not a whole Excel workbook ({why}); it may be cut off")
        raise SourceUnreadable(path, wrong, _("save and deliver it again as .xlsx"), why=why) from error
