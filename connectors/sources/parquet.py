"""Parquet files, whose columns carry their types. Nothing is converted here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.sources._columns import SOURCE_ROW
from connectors.sources._unreadable import SourceUnreadable, _

STREAM_ROWS = 65_536


@dataclass(frozen=True)
class Footer:
    """What a Parquet file says of itself."""

    schema: pa.Schema
    row_count: int


def footer(path: Path) -> Footer:
    """The columns and the number of rows, without reading the rows."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _cut_off(path) from error
    with file:
        return Footer(file.schema_arrow.remove_metadata(), file.metadata.num_rows)


def read(path: Path, encoding: str) -> pa.Table:
    """One Parquet file with its own types. `encoding` has no meaning here."""
    try:
        table = pq.ParquetFile(path).read(use_threads=False)  # a day is small: threads cost more than they bring
    except (pa.ArrowInvalid, OSError) as error:
        raise _cut_off(path) from error
    return _numbered(table, 1)


def stream(path: Path, encoding: str) -> Iterator[pa.Table]:
    """The same rows as `read` gives, some thousand at a time."""
    first = 1
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(STREAM_ROWS, use_threads=False):
                yield _numbered(pa.Table.from_batches([batch]), first)
                first += batch.num_rows
            if first == 1:
                yield _numbered(file.schema_arrow.empty_table(), 1)
    except (pa.ArrowInvalid, OSError) as error:
        raise _cut_off(path) from error


def _numbered(table: pa.Table, first: int) -> pa.Table:
    rows = pa.arange(first, first + table.num_rows)
    return table.replace_schema_metadata(None).append_column(SOURCE_ROW, rows)


def _cut_off(path: Path) -> SourceUnreadable:
    return SourceUnreadable(path, _("it is not a whole Parquet file; it may be cut off"), _("deliver it again"))
