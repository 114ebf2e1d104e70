"""Workbooks as people fill them in: the first sheet of an .xlsx or .xls, its first row the header, every cell as text."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from connectors.sources._columns import text_table
from connectors.sources._unreadable import SourceUnreadable


def read(path: Path, encoding: str) -> pa.Table:
    """The first sheet. Whole numbers stay whole (13800000000, not 1.38E+10), dates become ISO; blank rows are left out and still counted.

    `encoding` has no meaning here: a workbook declares its own.
    """
    rows = _sheet(path)
    header = [_text(cell) or "" for cell in rows[0]] if rows else []
    if not any(header):
        raise SourceUnreadable(
            path, "row 1 of its first sheet names no columns", "put the header in row 1 of the first sheet"
        )
    cells = [(number, [_text(cell) for cell in row]) for number, row in enumerate(rows[1:], start=2)]
    filled = [(number, row) for number, row in cells if any(row)]
    return text_table(header, [row for _, row in filled], [number for number, _ in filled])


def _sheet(path: Path) -> list[list[Any]]:
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            return workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceUnreadable(
            path, f"it is not a whole Excel workbook ({why}); it may be cut off", "save and deliver it again as .xlsx"
        ) from error


def _text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
