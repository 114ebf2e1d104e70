"""The runner executes Selects on Parquet. It is the one module that knows DuckDB; another engine would be another runner.

The table's declaration decides types, order and therefore bytes: every Select is cast to the declared types, written through a temporary
table and copied out in the order of the grain (architecture, section 3). No ledger is ever attached: its rows come in as Arrow.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from vesper.marts import reads
from warehouse.lake import Lake, Snapshot, empty_part
from warehouse.lint import refuse_unstable
from warehouse.part import WHOLE, Part, Span, fingerprint_of

# A pyformat dialect would double every % of a format or pattern.
DIALECT = Dialect(paramstyle="numeric_dollar")
FORMAT = "format parquet, compression zstd, row_group_size 122880"
STAGED = "_staged"
MEMORY = "2GB"
"""What the engine may hold; beyond it, it spills to disk. Its own default is four fifths of the machine."""
EngineFailed = duckdb.Error
"""What the engine raises when it cannot run a Select."""


def sql_text(select: sa.ClauseElement) -> str:
    """The SQL that runs, values written out: what `vesper sql --show` prints and what a recipe is a hash of."""
    return str(select.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def shaped(select: sa.Select[Any] | sa.CompoundSelect[Any], table: sa.Table) -> sa.Select[Any]:
    """Cast every column to its declared type, in declared order; refuse a Select whose columns are not the declared ones."""
    inner = select.subquery("q")
    differing = {c.name for c in table.c} ^ {c.name for c in inner.c}
    if differing:
        raise ValueError(f"{table.name}: columns differ from the declaration: {', '.join(sorted(differing))}")
    return sa.select(*[sa.cast(inner.c[c.name], c.type).label(c.name) for c in table.c])


@dataclass(frozen=True)
class Prepared:
    """A Select ready to be written: its SQL, and the recipe that says whether the same rows were written before."""

    text: str
    recipe: str


class Runner:
    """One DuckDB connection in memory with a view for each bound table. Open it inside the task that uses it."""

    def __init__(self, lake: Lake, threads: int = 2) -> None:
        self.lake = lake
        self.bound: dict[str, str] = {}
        self.connection = duckdb.connect()
        spill = lake.folder.parent / "spill"
        self.connection.execute(
            f"set threads={threads}; set memory_limit='{MEMORY}'; set timezone='UTC'; set autoinstall_known_extensions=false; "
            f"set autoload_known_extensions=false; set enable_progress_bar=false; set temp_directory={_text(spill)}"
        )

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    # what a Select may read ---------------------------------------------------------------------------------------

    def bind_parts(self, table: sa.Table, parts: Sequence[Part]) -> None:
        """Make parts readable under the table's name; columns that older files lack read as NULL."""
        self._view(table, self.lake.files(parts))
        self.bound[table.name] = fingerprint_of(parts)

    def bind_snapshot(self, table: sa.Table, snapshot: Snapshot | None) -> None:
        """Make a snapshot readable under the table's name; no snapshot reads as no rows."""
        self.bind_parts(table, self.lake.parts(snapshot))

    def bind_arrow(self, name: str, rows: pa.Table, fingerprint: str | None = None) -> None:
        """Make an Arrow table readable under a name; its content, or what stands for it, is part of every recipe that reads it."""
        self.connection.register(name, rows)
        self.bound[name] = fingerprint or _digest(rows)

    def materialize(self, select: sa.ClauseElement, name: str) -> sa.Table:
        """Keep a Select's rows under a name for the rest of the stage, where several Selects read them."""
        text = sql_text(select)
        self.connection.execute(f'create or replace temp table "{name}" as {text}')
        self.bound[name] = self._recipe(select, text)
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in _columns(select)])

    def bind_parquet(self, table: sa.Table, files: Sequence[Path], fingerprint: str, uneven: bool = False) -> None:
        """Make Parquet files from outside the lake readable under a name, in the table's columns.

        `file` is the file's name and `source_row` the number of the row in it, from 1. Rows are read when a Select asks for them.

        Args:
            uneven: the files' columns differ; a column that a file lacks is NULL there.
        """
        ours = {"file": "parse_filename(filename)", "source_row": "file_row_number + 1"}
        columns = ", ".join(f"{ours.get(c.name, _quoted(c.name))} as {_quoted(c.name)}" for c in table.c)
        self.connection.execute(
            f"create or replace temp view {_quoted(table.name)} as select {columns} from read_parquet([{_listed(files)}], "
            f"filename=true, file_row_number=true, hive_partitioning=false, union_by_name={str(uneven).lower()})"
        )
        self.bound[table.name] = fingerprint

    def forget(self, name: str) -> None:
        """Let go of an Arrow table or a kept Select that no later Select reads; its memory is free again."""
        self.connection.unregister(name)
        kind = self.connection.execute("select table_type from information_schema.tables where table_name = $1", [name])
        for (found,) in kind.fetchall():
            self.connection.execute(f"drop {'view' if found == 'VIEW' else 'table'} {_quoted(name)}")
        self.bound.pop(name, None)

    def _view(self, table: sa.Table, files: Sequence[Path]) -> None:
        if not files:
            from vesper.tables.declare import empty

            self.connection.execute(f'create or replace view "{table.name}" as {sql_text(empty(table))}')
            return
        held = [set(pq.read_schema(file).names) for file in files]
        present = set.union(*held)
        uneven = any(names != present for names in held)
        columns = ", ".join(_column(c, c.name in present) for c in table.c)
        self.connection.execute(
            f'create or replace view "{table.name}" as select {columns} '
            f"from read_parquet([{_listed(files)}], hive_partitioning=false, union_by_name={str(uneven).lower()})"
        )

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

    def query(self, text: str) -> duckdb.DuckDBPyConnection:
        """SQL as an analyst typed it, over the bound tables (`vesper sql`)."""
        return self.connection.execute(text)

    # writing ------------------------------------------------------------------------------------------------------

    def prepare(self, select: Any, table: sa.Table) -> Prepared:
        """A Select in the table's shape, compiled once for its recipe and for its run."""
        text = sql_text(shaped(select, table))
        return Prepared(text, self._recipe(select, text))

    def _recipe(self, select: Any, text: str) -> str:
        """Hash of a Select's SQL text and of every input's content: new facts, a changed definition and time passing all change it."""
        inputs = sorted((name, self.bound.get(name, "")) for name in reads(select))
        return hashlib.sha256(repr((duckdb.__version__, text, inputs)).encode()).hexdigest()

    def write(self, select: Any, table: sa.Table, key: str = WHOLE, prepared: Prepared | None = None) -> Part:
        """Write a Select as one part of a table; `prepared` where `prepare` was asked before."""
        refuse_unstable(select, table.name)
        with self._staged(prepared.text if prepared else sql_text(shaped(select, table))):
            return self._copy(table, key, "", prepared.recipe if prepared else None)

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
            return [self._copy(table, span.key, _within(cut, span), rows=rows) for span in spans]
        with self._staged(sql_text(shaped(select, table))):
            return [self._copy(table, span.key, _within(cut, span)) for span in spans]

    @contextmanager
    def _staged(self, text: str) -> Iterator[None]:
        self.connection.execute(f"create or replace temp table {STAGED} as {text}")
        try:
            yield
        finally:
            self.connection.execute(f"drop table {STAGED}")

    def _copy(self, table: sa.Table, key: str, where: str, recipe: str | None = None, rows: str = STAGED) -> Part:
        draft = self.lake.draft()
        order = ", ".join(f'"{name}"' for name in table.info["grain"])
        query = f"select * from {rows} {where} order by {order}"
        copied = self.connection.execute(f"copy ({query}) to {_text(draft)} ({FORMAT})").fetchall()
        count = int(copied[0][0]) if copied else 0
        if count == 0 and key != WHOLE:
            draft.unlink(missing_ok=True)
            return empty_part(key)
        return self.lake.settle(draft, table.name, key, count, recipe)


def _columns(select: Any) -> Any:
    return select.selected_columns


def _column(column: sa.Column[Any], present: bool) -> str:
    if present:
        return f'"{column.name}"'
    return f'cast(null as {column.type.compile(dialect=DIALECT)}) as "{column.name}"'


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(map(_text, files))


def _within(cut: str, span: Span) -> str:
    return f'where "{cut}" between {_day(span.first_on)} and {_day(span.last_on)}'


def _day(day: dt.date) -> str:
    return f"date '{day.isoformat()}'"


def _digest(rows: pa.Table) -> str:
    """Hash of an Arrow table's schema and values, the same for the same rows however they are chunked."""
    digest = hashlib.sha256(str(rows.schema).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()


def arrow_schema(table: sa.Table) -> pa.Schema:
    """The Arrow schema of a declared table, for rows that come from Python or from the ledger."""
    return pa.schema([pa.field(c.name, _arrow_type(c.type)) for c in table.c])


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        return pa.decimal128(kind.precision or 18, kind.scale or 0)
    known: dict[type, pa.DataType] = {
        sa.String: pa.string(),
        sa.Integer: pa.int32(),
        sa.BigInteger: pa.int64(),
        sa.Date: pa.date32(),
        sa.DateTime: pa.timestamp("us"),
        sa.Boolean: pa.bool_(),
        sa.Double: pa.float64(),
    }
    return known[type(kind)]
