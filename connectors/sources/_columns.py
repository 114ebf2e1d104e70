"""Columns of a read file: tidy names, cells as text, and tables built from rows of text. What the columns mean is not known here."""

import datetime as dt
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.sources._unreadable import SourceUnreadable, _

SOURCE_ROW = "source_row"
FILE = "file"


def tidy_name(name: str) -> str:
    """A column name without the accidents of its export: NFKC, no byte order mark, no outer spaces."""
    return unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip()


def is_tidy(names: Sequence[str]) -> bool:
    """Whether columns can be used under the names that they have."""
    tidy = all(name and "\0" not in name and name == tidy_name(name) for name in names)
    return tidy and len(set(names)) == len(names) and not {SOURCE_ROW, FILE} & set(names)


def tidied(table: pa.Table, path: Path) -> pa.Table:
    """The table under tidy names, after checking that each is there once and none is ours.

    A column without a name and without a value is a trailing comma, not data: it is left out.
    """
    names = [tidy_name(name) for name in table.column_names]
    kept = [i for i, name in enumerate(names) if name or table.column(i).null_count < table.num_rows]
    _check([names[i] for i in kept if names[i] != SOURCE_ROW or i != len(names) - 1], path)
    return table.select(kept).rename_columns([names[i] for i in kept])


def text_table(names: Sequence[str], rows: Sequence[Sequence[str | None]], source_rows: Sequence[int]) -> pa.Table:
    """Rows of text as a table, an empty cell as null, with `source_row` last."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = [pa.array([cell or None for cell in column], pa.string()) for column in columns]
    return pa.Table.from_arrays([*arrays, pa.array(source_rows, pa.int64())], names=[*names, SOURCE_ROW])


def cell_text(value: Any) -> str | None:
    """A value of a workbook, a JSON object or a database as text: whole numbers whole (13800000000), times as ISO, nothing as None."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return _other_text(value)


def _other_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def refuse_nul(names: Sequence[str], path: Path) -> None:
    """Raise SourceUnreadable for a header that is no text."""
    if any("\0" in name for name in names):
        wrong = _("its header holds NUL bytes; it may be UTF-16 without a byte order mark, or damaged")
        raise SourceUnreadable(path, wrong, _("deliver it again as UTF-8"))


def _check(names: Sequence[str], path: Path) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        wrong = _("column {column!r} stands there more than once")
        raise SourceUnreadable(path, wrong, _("rename one of them"), column=twice[0])
    if "" in names:
        wrong = _("column {number} holds values but has no name")
        raise SourceUnreadable(path, wrong, _("name it in the header"), number=names.index("") + 1)
    refuse_nul(names, path)
    for reserved in (SOURCE_ROW, FILE):
        if reserved in names:
            wrong = _("column {column!r} is a name that Vesper uses itself")
            raise SourceUnreadable(path, wrong, _("rename it in the export"), column=reserved)
