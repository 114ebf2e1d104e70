"""Files too large to hold in memory: their rows copied, block by block, into a Parquet file that the engine reads.

What belongs here: the copying. What does not: when it is done and when the copy goes (tasks/incoming.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.sources._columns import SOURCE_ROW, tidied

SOURCE_LINE = "source_line"


@dataclass(frozen=True)
class Spilled:
    """What was copied: the file's columns (not only those that were kept) and its number of rows."""

    schema: pa.Schema
    row_count: int


def spill(tables: Iterator[pa.Table], path: Path, target: Path, columns: Sequence[str]) -> Spilled:
    """Copy the wanted columns of a file's rows to `target`, with the row's place in its file as `source_line`.

    Tables may differ in their columns, as those of JSON lines do; a wanted column that none of the first ones has is null until it comes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    seen: dict[str, pa.Field] = {}
    writer, count = None, 0
    try:
        for table in tables:
            table = tidied(table, path)
            seen |= {field.name: field for field in table.schema if field.name not in (SOURCE_ROW, *seen)}
            schema = writer.schema if writer else _schema(table.schema, columns)
            writer = writer or pq.ParquetWriter(target, schema, compression="zstd")
            writer.write_table(_shaped(table, schema))
            count += table.num_rows
    finally:
        if writer:
            writer.close()
    return Spilled(pa.schema(list(seen.values())), count)


def _schema(found: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    kinds = {name: found.field(name).type if name in found.names else pa.string() for name in dict.fromkeys(columns)}
    return pa.schema([*kinds.items(), (SOURCE_LINE, pa.int64())])


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    rows = table.num_rows
    table = table.rename_columns([SOURCE_LINE if name == SOURCE_ROW else name for name in table.column_names])
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
