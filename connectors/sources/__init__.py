"""Kinds of source system: one file per kind, found by scanning this folder, one small contract.

A system module offers `read(path, encoding) -> pyarrow.Table` and nothing else that others use. Here belongs what is the same for all of them: column names,
row numbers, and one sentence for whatever cannot be read. What columns mean stands in definitions/sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast

import pyarrow as pa

from connectors.sources import parquet
from connectors.sources._columns import FILE, SOURCE_ROW, is_tidy, tidied
from connectors.sources._landed import Landed, landed
from connectors.sources._unreadable import SourceUnreadable

__all__ = [
    "FILE",
    "SOURCE_ROW",
    "Landed",
    "Opened",
    "SourceLike",
    "SourceUnreadable",
    "landed",
    "opened",
    "read",
    "read_many",
    "systems",
]


class SourceLike(Protocol):
    """What a reader must know of a source definition."""

    @property
    def system(self) -> str:
        """The kind of system: the name of a module of this folder."""

    @property
    def encoding(self) -> str:
        """`auto`, or the encoding that the source promises; read by text systems only."""


class System(Protocol):
    """What a module of this folder offers: the columns as in the file, and `source_row`."""

    def read(self, path: Path, encoding: str) -> pa.Table:
        """One file as a table, or SourceUnreadable."""


@cache
def systems() -> tuple[str, ...]:
    """The kinds of system that can be read: every module here whose name does not begin with an underscore."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def read(path: Path, source: SourceLike) -> pa.Table:
    """One landed file as a table, one row per data row, in the order of the file.

    Every column arrives as text, an empty cell as null; Parquet keeps its types. Column names are those of the file (NFKC, stripped). `source_row` counts as a
    person would: the line of the file for text and Excel (the header is line 1), the data row from 1 for Parquet.

    Raises:
        SourceUnreadable: a sentence with the file, what is wrong and what to do.
    """
    if not path.is_file():
        raise SourceUnreadable(path, "there is no such file", "deliver it again")
    if path.stat().st_size == 0:
        raise SourceUnreadable(
            path, "the file is empty (0 bytes)", "deliver it again; a day without rows still has a header"
        )
    return tidied(_system(path, source.system).read(path, source.encoding), path)


@dataclass(frozen=True)
class Opened:
    """One landed file, its columns and number of rows known. `table` holds the rows, or is None where they stay in the Parquet file."""

    path: Path
    schema: pa.Schema
    row_count: int
    table: pa.Table | None


def opened(path: Path, source: SourceLike) -> Opened:
    """A landed file, read only as far as needed: of Parquet with tidy names the footer, of everything else all rows.

    `schema` is that of the file's own columns, without `source_row`. Raises SourceUnreadable like `read`.
    """
    footer = parquet.footer(path) if source.system == "parquet" and path.is_file() and path.stat().st_size else None
    if footer is not None and is_tidy(footer.schema.names):
        return Opened(path, footer.schema, footer.row_count, None)
    table = read(path, source)
    return Opened(path, table.schema.remove(table.schema.get_field_index(SOURCE_ROW)), table.num_rows, table)


def read_many(paths: Sequence[Path], source: SourceLike) -> pa.Table:
    """Several files of one source as one table, with the file's name in `file`.

    A column that an older file does not have is null there.
    """
    if not paths:
        raise ValueError("read_many needs at least one file")
    tables = [_with_file(read(path, source), path) for path in paths]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SourceUnreadable(
            paths[-1], f"its columns do not fit those of {paths[0].name}: {error}", "deliver the columns with one type"
        ) from error


def _with_file(table: pa.Table, path: Path) -> pa.Table:
    return table.append_column(FILE, pa.repeat(pa.scalar(path.name), table.num_rows))


def _system(path: Path, name: str) -> System:
    if name not in systems():
        raise SourceUnreadable(path, f"no system is called {name!r}", f"declare one of {', '.join(systems())}")
    return cast(System, import_module(f"{__name__}.{name}"))
