"""The runner executes Selects on Parquet. It and its SQL text (`sql_text.py`) alone know DuckDB; another engine would be another runner.

The table's declaration decides types, order and therefore bytes: every Select is cast to the declared types, written through a temporary
table and copied out in the order of the grain (architecture, section 3). No ledger is ever attached: its rows come in as Arrow.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from vesper.marts import reads
from vesper.shared import is_sorted, runs_of
from vesper.tables.declare import empty, stored
from warehouse import patch
from warehouse.arrow_schema import digest_of
from warehouse.lake import Lake, Snapshot, empty_part
from warehouse.lint import refuse_unstable
from warehouse.part import PATCH, VOID, WHOLE, Part, Span, fingerprint_of
from warehouse.sql_text import (
    column_or_null,
    constants_of,
    in_order,
    listed,
    order_of,
    path_text,
    quoted,
    shaped,
    sql_text,
    with_derived,
    within_span,
)

FORMAT = "format parquet, compression zstd, row_group_size 122880"
STAGED = "_staged"
MEMORY = "2GB"
"""What the engine may hold; beyond it, it spills to disk. Its own default is four fifths of the machine."""
MOST_MEMORY = "4GB"
"""What it may hold for one statement that failed for want of memory: eleven million rows of raw text, sorted beside those that they replace."""
EngineFailed = duckdb.Error
"""What the engine raises when it cannot run a Select."""


@dataclass(frozen=True)
class Prepared:
    """A Select ready to be written: its SQL, and the recipe that says whether the same rows were written before."""

    text: str
    recipe: str
    runs: tuple[str, ...] = ()
    """SQL of its parts, where all rows of one come before those of the next in the order of the grain."""


class Runner:
    """One DuckDB connection in memory with a view for each bound table. Open it inside the task that uses it."""

    def __init__(self, lake: Lake, threads: int = 2) -> None:
        self.lake = lake
        self.bound: dict[str, str] = {}
        self.connection = duckdb.connect()
        spill = lake.folder.parent / "spill"
        self.connection.execute(
            f"set threads={threads}; set memory_limit='{MEMORY}'; set timezone='UTC'; set autoinstall_known_extensions=false; "
            f"set autoload_known_extensions=false; set enable_progress_bar=false; set temp_directory={path_text(spill)}"
        )

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    # what a Select may read ---------------------------------------------------------------------------------------

    def bind_parts(self, table: sa.Table, parts: Sequence[Part], on: dt.date | None = None) -> None:
        """Make parts readable under the table's name; columns that older files lack read as NULL.

        Args:
            on: the business date of the parts, which derived columns are computed from.
        """
        derived = table.info.get("derived") if parts else None
        held = stored(table) if derived else table
        layers = {part.key: part for part in parts if part.path}
        if table.info.get("patched") and (PATCH in layers or VOID in layers):
            text = sql_text(patch.current(self.layers(held, layers)))
        else:
            text = self._files(held, self.lake.files(parts))
        fingerprint = fingerprint_of(parts)
        if derived:
            if on is None:
                raise ValueError(f"{table.name}: its derived columns need the business date of its parts")
            text, fingerprint = with_derived(table, text, on), f"{fingerprint} {on}"
        self.connection.execute(f"create or replace view {quoted(table.name)} as {text}")
        self.bound[table.name] = fingerprint

    def bind_snapshot(self, table: sa.Table, snapshot: Snapshot | None) -> None:
        """Make a snapshot readable under the table's name; no snapshot reads as no rows."""
        self.bind_parts(table, self.lake.parts(snapshot), snapshot.business_on if snapshot else None)

    def bind_arrow(self, name: str, rows: pa.Table, fingerprint: str | None = None) -> None:
        """Make an Arrow table readable under a name; its content, or what stands for it, is part of every recipe that reads it."""
        self.connection.register(name, rows)
        self.bound[name] = fingerprint or digest_of(rows)

    def materialize(self, select: sa.SelectBase, name: str) -> sa.Table:
        """Keep a Select's rows under a name for the rest of the stage, where several Selects read them."""
        text = sql_text(select)
        self.connection.execute(f'create or replace temp table "{name}" as {text}')
        self.bound[name] = self._recipe(select, text)
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in select.selected_columns])

    def bind_select(self, select: sa.SelectBase, name: str) -> sa.Table:
        """Make a Select readable under a name without keeping its rows."""
        text = sql_text(select)
        self.connection.execute(f"create or replace temp view {quoted(name)} as {text}")
        self.bound[name] = self._recipe(select, text)
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in select.selected_columns])

    def keep_text(self, text: str, name: str, like: sa.Table) -> sa.Table:
        """Keep the rows of compiled SQL, which are in the shape of a table, under a name."""
        self.connection.execute(f"create or replace temp table {quoted(name)} as {text}")
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in like.c])

    def bind_parquet(self, table: sa.Table, files: Sequence[Path], fingerprint: str, uneven: bool = False) -> None:
        """Make Parquet files from outside the lake readable under a name, in the table's columns.

        `file` is the file's name and `source_row` the number of the row in it, from 1. Rows are read when a Select asks for them.

        Args:
            uneven: the files' columns differ; a column that a file lacks is NULL there.
        """
        ours = {"file": "parse_filename(filename)", "source_row": "file_row_number + 1"}
        columns = ", ".join(f"{ours.get(c.name, quoted(c.name))} as {quoted(c.name)}" for c in table.c)
        self.connection.execute(
            f"create or replace temp view {quoted(table.name)} as select {columns} from read_parquet([{listed(files)}], "
            f"filename=true, file_row_number=true, hive_partitioning=false, union_by_name={str(uneven).lower()})"
        )
        self.bound[table.name] = fingerprint

    def forget(self, name: str) -> None:
        """Let go of an Arrow table or a kept Select that no later Select reads; its memory is free again."""
        self.connection.unregister(name)
        kind = self.connection.execute("select table_type from information_schema.tables where table_name = $1", [name])
        for (found,) in kind.fetchall():
            self.connection.execute(f"drop {'view' if found == 'VIEW' else 'table'} {quoted(name)}")
        self.bound.pop(name, None)

    def _files(self, table: sa.Table, files: Sequence[Path]) -> str:
        """SQL of the rows of files in the table's columns."""
        if not files:
            return sql_text(empty(table))
        held = [set(pq.read_schema(file).names) for file in files]
        present = set.union(*held)
        uneven = any(names != present for names in held)
        columns = ", ".join(column_or_null(c, c.name in present) for c in table.c)
        return (
            f"select {columns} "
            f"from read_parquet([{listed(files)}], hive_partitioning=false, union_by_name={str(uneven).lower()})"
        )

    def layers(self, held: sa.Table, parts: Mapping[str, Part]) -> patch.Layers:
        """The layers of a patched table, by key, to select from; a layer that is not there has no rows."""
        grain = held.info["grain"]
        keys = sa.Table(held.name, sa.MetaData(), *[sa.Column(name, held.c[name].type) for name in grain])
        shapes = {WHOLE: held, PATCH: held, VOID: keys}
        found = {}
        for key, shape in shapes.items():
            text = self._files(shape, self.lake.files([parts[key]]) if key in parts else [])
            # A colon in a path is no parameter.
            rows = sa.text(text.replace(":", r"\:")).columns(*[sa.column(c.name, c.type) for c in shape.c])
            found[key] = rows.subquery(key)
        return patch.Layers(found[WHOLE], found[PATCH], found[VOID], grain)

    # reading ------------------------------------------------------------------------------------------------------

    def rows(self, select: sa.ClauseElement) -> list[Any]:
        """All rows as tuples with names. For small results only."""
        from collections import namedtuple

        cursor = self.connection.execute(sql_text(select))
        row = namedtuple("Row", [d[0] for d in cursor.description], rename=True)  # type: ignore[misc]
        return [row(*values) for values in cursor.fetchall()]

    def scalar(self, select: sa.ClauseElement) -> Any:
        """The first column of the first row, None of no row."""
        # fetchall, since a result that is not read to its end blocks the connection for `register`.
        found = self.connection.execute(sql_text(select)).fetchall()
        return found[0][0] if found else None

    def arrow(self, select: sa.ClauseElement) -> pa.Table:
        """All rows as an Arrow table."""
        return self.connection.sql(sql_text(select)).to_arrow_table()

    def batches(self, select: sa.ClauseElement, rows: int = 50_000) -> pa.RecordBatchReader:
        """All rows as Arrow, so many at a time. Read it to its end before anything else is asked."""
        return self.connection.sql(sql_text(select)).to_arrow_reader(rows)

    def query(self, text: str) -> duckdb.DuckDBPyConnection:
        """SQL as an analyst typed it, over the bound tables (`vesper sql`)."""
        return self.connection.execute(text)

    # writing ------------------------------------------------------------------------------------------------------

    def prepare(self, select: Any, table: sa.Table) -> Prepared:
        """A Select in the table's shape, compiled once for its recipe and for its run."""
        runs = tuple(sql_text(shaped(run, table)) for run in runs_of(select))
        text = " union all ".join(runs) or sql_text(shaped(select, table))
        return Prepared(text, self._recipe(select, text), runs)

    def _recipe(self, select: Any, text: str) -> str:
        """Hash of a Select's SQL text and of every input's content: new facts, a changed definition and time passing all change it."""
        inputs = sorted((name, self.bound.get(name, "")) for name in reads(select))
        return hashlib.sha256(repr((duckdb.__version__, text, inputs)).encode()).hexdigest()

    def write(self, select: Any, table: sa.Table, key: str = WHOLE, prepared: Prepared | None = None) -> Part:
        """Write a Select as one part of a table; `prepared` where `prepare` was asked before."""
        refuse_unstable(select, table.name)
        made = prepared or self.prepare(select, table)
        recipe = prepared.recipe if prepared else None
        if is_sorted(select):
            return self._copy_as_it_stands(made.text, table, key, recipe)
        if made.runs:
            with self._staged_in_runs(made.runs, table):
                return self._copy_as_it_stands(f"from {STAGED}", table, key, recipe)
        return self._settled(in_order(made.text, table, constants_of(select)), table, key, recipe)

    def write_spans(
        self, select: Any, table: sa.Table, spans: Iterable[Span], is_materialized: bool = False
    ) -> list[Part]:
        """Write a Select as parts of a cut table, one per span; a span without rows becomes an empty part.

        `is_materialized` says that the Select only picks from a table that `materialize` made: that one is the temporary table then.
        """
        refuse_unstable(select, table.name)
        cut = table.info["cut"]
        if is_materialized:
            rows = f"({sql_text(shaped(select, table))})"
            return [self._copy(table, span.key, within_span(cut, span), rows=rows) for span in spans]
        with self._staged(sql_text(shaped(select, table))):
            return [self._copy(table, span.key, within_span(cut, span)) for span in spans]

    def write_kept(self, table: sa.Table, key: str, rows: sa.Table) -> Part:
        """Write a materialized table, whose columns are in shape already, as one part."""
        return self._copy(table, key, "", rows=quoted(rows.name))

    @contextmanager
    def _staged(self, text: str) -> Iterator[None]:
        self.connection.execute(f"create or replace temp table {STAGED} as {text}")
        try:
            yield
        finally:
            self.connection.execute(f"drop table {STAGED}")

    @contextmanager
    def _staged_in_runs(self, runs: Sequence[str], table: sa.Table) -> Iterator[None]:
        """The rows of runs in the order of the grain: sorted run by run, since all together may not fit into memory."""
        with self._staged(f"select * from ({runs[0]}) limit 0"):
            for run in runs:
                self.connection.execute(f"insert into {STAGED} select * from ({run}) order by {order_of(table)}")
            yield

    def _copy_as_it_stands(self, query: str, table: sa.Table, key: str, recipe: str | None) -> Part:
        """Write rows in the order they come in, on one thread: with more, the bytes depend on how many there are."""
        threads = self.connection.execute("select current_setting('threads')").fetchall()[0][0]
        self.connection.execute("set threads=1")
        try:
            return self._settled(query, table, key, recipe)
        finally:
            self.connection.execute(f"set threads={threads}")

    def _copy(self, table: sa.Table, key: str, where: str, recipe: str | None = None, rows: str = STAGED) -> Part:
        return self._settled(f"select * from {rows} {where} order by {order_of(table)}", table, key, recipe)

    def _copied(self, text: str) -> list[Any]:
        """A sort that does not fit under the limit with all that is kept beside it gets MOST_MEMORY, once: a night is not to fail by it."""
        try:
            return self.connection.execute(text).fetchall()
        except duckdb.OutOfMemoryException:
            limit = self.connection.execute("select current_setting('memory_limit')").fetchall()[0][0]
            self.connection.execute(f"set memory_limit='{MOST_MEMORY}'")
            try:
                return self.connection.execute(text).fetchall()
            finally:
                self.connection.execute(f"set memory_limit='{limit}'")

    def _settled(self, query: str, table: sa.Table, key: str, recipe: str | None) -> Part:
        draft = self.lake.draft()
        # Or a column is marked as never null by what the plan happens to tell of it, and equal rows get other bytes by another way.
        self.connection.execute("set disabled_optimizers='statistics_propagation'")
        try:
            copied = self._copied(f"copy ({query}) to {path_text(draft)} ({FORMAT})")
        finally:
            self.connection.execute("reset disabled_optimizers")
        count = int(copied[0][0]) if copied else 0
        if count == 0 and key != WHOLE:
            draft.unlink(missing_ok=True)
            return empty_part(key)
        return self.lake.settle(draft, table.name, key, count, recipe)
