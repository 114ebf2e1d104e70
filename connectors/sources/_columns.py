"""Columns of a read file: tidy names, and tables built from rows of text. What the columns mean is not known here."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from connectors.sources._unreadable import SourceUnreadable

SOURCE_ROW = "source_row"
FILE = "file"


def tidy_name(name: str) -> str:
    """A column name without the accidents of its export: NFKC, no byte order mark, no outer spaces."""
    return unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip()


def is_tidy(names: Sequence[str]) -> bool:
    """Whether columns can be used under the names that they have."""
    tidy = all(name and name == tidy_name(name) for name in names)
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


def _check(names: Sequence[str], path: Path) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise SourceUnreadable(path, f"column {twice[0]!r} stands there more than once", "rename one of them")
    if "" in names:
        raise SourceUnreadable(
            path, f"column {names.index('') + 1} holds values but has no name", "name it in the header"
        )
    for reserved in (SOURCE_ROW, FILE):
        if reserved in names:
            raise SourceUnreadable(
                path, f"column {reserved!r} is a name that Vesper uses itself", "rename it in the export"
            )
