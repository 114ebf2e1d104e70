"""A batch of landed files on its way in: opened, and bound so that Selects can read them as one table.

What belongs here: files becoming one readable table. What does not: judging them (`take_in.py`), reading one kind of file (connectors).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.sources import SOURCE_LINE, Landed, Opened, opened, read, spilled
from tasks.bench import Bench
from vesper.model.source import Source

SPILL_ABOVE = 64 << 20
"""Bytes of a batch from which on its rows are copied to disk instead of being held."""
WEIGHT = {"excel": 8}
"""How many times its size a file of a system unpacks to."""


def incoming_name(source: Source) -> str:
    """The name under which a source's batch is readable."""
    return f"incoming_{source.id}"


def open_files(bench: Bench, source: Source, files: Sequence[Landed]) -> list[Opened]:
    """A source's batch, opened: held in memory while it is small, else copied to disk block by block. Raises SourceUnreadable."""
    shutil.rmtree(_spill(bench, source), ignore_errors=True)  # a night that was killed left its copies
    if sum(one.size for one in files) * WEIGHT.get(source.system, 1) <= SPILL_ABOVE:
        return [opened(one.path, source) for one in files]
    return [spilled(one.path, source, _spill(bench, source), list(source.columns)) for one in files]


def _spill(bench: Bench, source: Source) -> Path:
    return bench.house.workspace.store / "spill" / incoming_name(source)


def bind(
    bench: Bench, source: Source, files: Sequence[Landed], rows: Sequence[Opened]
) -> tuple[sa.FromClause, dict[str, str]]:
    """All files as one table, each row with its `file`, `source_row` and the file's arrival as `received_at`; and its columns' types.

    Rows that stand in Parquet files are read by the engine when it needs them; all others are here already.
    """
    whole = pa.unify_schemas([one.schema for one in rows], promote_options="permissive")
    declared = set(source.columns)
    columns = [sa.Column(each.name, _sql_type(each.type)) for each in whole if each.name in declared]
    types = {each.name: str(each.type) for each in whole}
    if all(one.table is None for one in rows):
        return _bind_parquet(bench, source, files, rows, columns), types
    return _bind_rows(bench, source, files, rows, columns), types


def _bind_parquet(
    bench: Bench, source: Source, files: Sequence[Landed], rows: Sequence[Opened], columns: list[sa.Column[Any]]
) -> sa.FromClause:
    name = incoming_name(source)
    copies = [one.is_copy for one in rows]
    ours: list[sa.Column[Any]] = [sa.Column("file", sa.String()), sa.Column("source_row", sa.BigInteger())]
    line = [sa.Column(SOURCE_LINE, sa.BigInteger())] if any(copies) else []
    table = sa.Table(name, sa.MetaData(), *columns, *ours, *line)
    uneven = any(not one.schema.equals(rows[0].schema) for one in rows) or len(set(copies)) > 1
    paths = [one.parquet or one.path for one in rows]
    bench.runner.bind_parquet(table, paths, repr([one.sha256 for one in files]), uneven)
    arrived = pa.table(
        {
            "file": pa.array([one.path.name for one in files], pa.string()),
            "received_at": pa.array([one.received_at for one in files], pa.timestamp("us")),
        }
    )
    bench.runner.bind_arrow(f"arrival_{source.id}", arrived)
    arrival = sa.table(f"arrival_{source.id}", sa.column("file", sa.String), sa.column("received_at", sa.DateTime))
    both = table.join(arrival, arrival.c.file == table.c.file)
    place = sa.func.coalesce(table.c[SOURCE_LINE], table.c.source_row) if line else table.c.source_row
    kept = [*[table.c[column.name] for column in columns], table.c.file, place.label("source_row")]
    return sa.select(*kept, arrival.c.received_at).select_from(both).subquery("incoming")


def _bind_rows(
    bench: Bench, source: Source, files: Sequence[Landed], rows: Sequence[Opened], columns: list[sa.Column[Any]]
) -> sa.FromClause:
    marked = []
    for one, held in zip(files, rows, strict=True):
        table = held.table if held.table is not None else read(one.path, source)
        nothing = pa.repeat(pa.scalar(0, pa.int32()), table.num_rows)
        table = table.append_column("file", pa.DictionaryArray.from_arrays(nothing, pa.array([one.path.name])))
        received = pa.scalar(one.received_at, pa.timestamp("us"))
        marked.append(table.append_column("received_at", pa.repeat(received, table.num_rows)))
    whole = pa.concat_tables(marked, promote_options="permissive")
    name = incoming_name(source)
    bench.runner.bind_arrow(name, whole, fingerprint=repr([one.sha256 for one in files]))
    ours: list[sa.Column[Any]] = [
        sa.Column("file", sa.String()),
        sa.Column("source_row", sa.BigInteger()),
        sa.Column("received_at", sa.DateTime()),
    ]
    return sa.Table(name, sa.MetaData(), *columns, *ours)


def release(bench: Bench, source: Source) -> None:
    """Let go of the batch: its rows were judged and nothing reads them again."""
    bench.runner.forget(incoming_name(source))
    bench.runner.forget(f"arrival_{source.id}")
    shutil.rmtree(_spill(bench, source), ignore_errors=True)


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if pa.types.is_floating(kind):
        return sa.Double()
    return sa.BigInteger() if pa.types.is_integer(kind) else sa.String()
