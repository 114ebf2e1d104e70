"""Kinds of source system: one file per kind, found by scanning this folder, one small contract.

A system module offers `read(path, encoding) -> pyarrow.Table` and, where its files may be large, `stream`, which gives the same rows in blocks;
a system that is asked instead of delivering offers `pull` as well (`_pulled.py`). Here belongs what is the same for all of them: column names,
row numbers, and one sentence for whatever cannot be read. What columns mean stands in definitions/sources.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol

import pyarrow as pa

from connectors.sources import parquet
from connectors.sources._columns import FILE, SOURCE_ROW, is_tidy, tidied
from connectors.sources._encoding import codec_of
from connectors.sources._landed import Landed, landed, still_written, unchanged
from connectors.sources._pulled import Asked, Cursor, NotFetched, Pulling, Request, asked, land
from connectors.sources._spill import SOURCE_LINE, spill
from connectors.sources._unreadable import SourceUnreadable, _

__all__ = [
    "FILE",
    "PULLED",
    "SOURCE_LINE",
    "SOURCE_ROW",
    "Asked",
    "Cursor",
    "Landed",
    "NotFetched",
    "Opened",
    "Request",
    "SourceLike",
    "SourceUnreadable",
    "asked",
    "first_rows",
    "land",
    "landed",
    "opened",
    "pull",
    "read",
    "read_many",
    "spilled",
    "still_written",
    "systems",
    "told_encoding",
    "unchanged",
]

PULLED = ("http", "sql")
"""Systems that are asked on a live night; what they gave lands as Parquet, and is read as such."""


class SourceLike(Protocol):
    """What a reader must know of a source definition."""

    @property
    def system(self) -> str:
        """The kind of system: the name of a module of this folder."""

    @property
    def encoding(self) -> str:
        """`auto`, or the encoding that the source promises; read by text systems only."""


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
    _there(path)
    table: pa.Table = _system(path, source.system).read(path, source.encoding)
    return tidied(table, path)


@dataclass(frozen=True)
class Opened:
    """One landed file, its columns and number of rows known. Its rows are here as `table`, or stand in a Parquet file: itself or a copy."""

    path: Path
    schema: pa.Schema
    row_count: int
    table: pa.Table | None
    parquet: Path | None = None

    @property
    def is_copy(self) -> bool:
        return self.parquet is not None and self.parquet != self.path


def opened(path: Path, source: SourceLike) -> Opened:
    """A landed file, read only as far as needed: of Parquet with tidy names the footer, of everything else all rows.

    `schema` is that of the file's own columns, without `source_row`. Raises SourceUnreadable like `read`.
    """
    whole = _whole_parquet(path, source)
    if whole:
        return whole
    table = read(path, source)
    return Opened(path, table.schema.remove(table.schema.get_field_index(SOURCE_ROW)), table.num_rows, table)


def spilled(path: Path, source: SourceLike, folder: Path, columns: Sequence[str]) -> Opened:
    """The same for a file that memory should not hold: the wanted columns are copied into a Parquet file below `folder`, block by block.

    The copy has the file's name, so that rows still say where they came from, and their place in the file as `source_line`.
    """
    whole = _whole_parquet(path, source)
    if whole:
        return whole
    _there(path)
    system = _system(path, source.system)
    tables: Iterator[pa.Table] = (
        system.stream(path, source.encoding) if hasattr(system, "stream") else iter([read(path, source)])
    )
    copy = folder / path.stem / path.name
    found = spill(tables, path, copy, columns)
    return Opened(path, found.schema, found.row_count, None, copy)


def pull(system: str, how: Any, request: Request) -> Pulling:
    """Ask a system of PULLED as its part of the definition says; what it gives is for `land`. Raises NotFetched while it is read."""
    pulling: Pulling = import_module(f"{__name__}.{system}").pull(how, request)
    return pulling


def first_rows(path: Path, system: str, rows: int) -> pa.Table:
    """The first rows of a file of a system, as `read` gives them, for those who want to know what it looks like."""
    _there(path)
    module = _system(path, system)
    if not hasattr(module, "stream"):
        return tidied(module.read(path, "auto"), path).slice(0, rows)
    tables: list[pa.Table] = []
    for table in module.stream(path, "auto"):
        tables.append(tidied(table, path))
        if sum(one.num_rows for one in tables) >= rows:
            break
    return pa.concat_tables(tables, promote_options="permissive").slice(0, rows)


def told_encoding(path: Path) -> str:
    """The encoding of a text file in the words of a definition."""
    return {"cp950": "big5", "big5hkscs": "big5", "gb18030": "gb18030"}.get(codec_of(path, "auto"), "auto")


def _whole_parquet(path: Path, source: SourceLike) -> Opened | None:
    """A Parquet file that the engine can read as it stands."""
    if source.system not in ("parquet", *PULLED) or not path.is_file() or not path.stat().st_size:
        return None
    footer = parquet.footer(path)
    return Opened(path, footer.schema, footer.row_count, None, path) if is_tidy(footer.schema.names) else None


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
        wrong = _("its columns do not fit those of {other}: {why}")
        remedy = _("deliver the columns with one type")
        raise SourceUnreadable(paths[-1], wrong, remedy, other=paths[0].name, why=str(error)) from error


def _with_file(table: pa.Table, path: Path) -> pa.Table:
    return table.append_column(FILE, pa.repeat(pa.scalar(path.name), table.num_rows))


def _there(path: Path) -> None:
    if not path.is_file():
        raise SourceUnreadable(path, _("there is no such file"), _("deliver it again"))
    if path.stat().st_size == 0:
        wrong = _("the file is empty (0 bytes)")
        raise SourceUnreadable(path, wrong, _("deliver it again; a day without rows still has a header"))


def _system(path: Path, name: str) -> Any:
    if name not in systems():
        wrong = _("no system is called {system!r}")
        known = ", ".join(systems())
        raise SourceUnreadable(path, wrong, _("declare one of {known}"), system=name, known=known)
    return import_module(f"{__name__}.{name}")
