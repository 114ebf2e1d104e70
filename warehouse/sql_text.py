"""SQL as the engine reads it: a Select written out, in the shape and order of a declared table.

What belongs here: text, made of Selects and declarations. What does not: running any of it (`runner.py`).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from vesper.clock import on as date_literal
from vesper.tables.declare import stored
from warehouse.part import Span

# A pyformat dialect would double every % of a format or pattern.
DIALECT = Dialect(paramstyle="numeric_dollar")


def sql_text(select: sa.ClauseElement) -> str:
    """The SQL that runs, values written out: what `vesper sql --show` prints and what a recipe is a hash of."""
    return str(select.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def shaped(select: sa.Select[Any] | sa.CompoundSelect[Any], table: sa.Table) -> sa.Select[Any]:
    """Cast every column that files hold to its declared type, in declared order; refuse a Select whose columns are not the declared ones.

    A Select may leave derived columns out.
    """
    inner = select.subquery("q")
    given = {c.name for c in inner.c}
    differing = ({c.name for c in table.c} ^ given) - (table.info.get("derived", {}).keys() - given)
    if differing:
        raise ValueError(f"{table.name}: columns differ from the declaration: {', '.join(sorted(differing))}")
    return sa.select(*[sa.cast(inner.c[c.name], c.type).label(c.name) for c in stored(table).c])


def order_of(table: sa.Table, without: Collection[str] = ()) -> str:
    return ", ".join(quoted(name) for name in stored(table).info["grain"] if name not in without) or "1"


def in_order(text: str, table: sa.Table, constants: Mapping[str, str]) -> str:
    """SQL of rows in the order of the grain. What is the same in every row is left out of the sort, which may not fit into memory with it."""
    columns = [(column.name, column.type.compile(dialect=DIALECT)) for column in stored(table).c]
    every = ", ".join(
        f"cast({constants[name]} as {kind}) as {quoted(name)}" if name in constants else quoted(name)
        for name, kind in columns
    )
    varying = ", ".join(quoted(name) for name, _ in columns if name not in constants)
    if not varying:
        return text
    return f"select {every} from (select {varying} from ({text}) order by {order_of(table, constants)})"


def constants_of(select: Any) -> dict[str, str]:
    """SQL of the columns that are one written value, by name."""
    if not isinstance(select, sa.Select):
        return {}
    found = {column.name: getattr(column, "element", column) for column in select.selected_columns}
    return {name: sql_text(value) for name, value in found.items() if _is_written(value)}


def _is_written(value: Any) -> bool:
    return isinstance(value, sa.BindParameter) or (isinstance(value, sa.Cast) and _is_written(value.clause))


def with_derived(table: sa.Table, text: str, on: dt.date) -> str:
    """SQL of stored rows with the derived columns computed as of a night, in declared order."""
    if not table.info.get("derived"):
        return text
    rows = sa.table("stored", *[sa.column(c.name, c.type) for c in stored(table).c])
    derived = table.info["derived"]
    wanted = {c.name: quoted(c.name) for c in table.c} | {
        name: sql_text(sa.cast(derive(rows, date_literal(on)), table.c[name].type)) for name, derive in derived.items()
    }
    columns = ", ".join(f"{value} as {quoted(name)}" for name, value in wanted.items())
    return f"select {columns} from ({text}) as stored"


def column_or_null(column: sa.Column[Any], present: bool) -> str:
    if present:
        return f'"{column.name}"'
    return f'cast(null as {column.type.compile(dialect=DIALECT)}) as "{column.name}"'


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def path_text(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def listed(files: Sequence[Path]) -> str:
    return ", ".join(map(path_text, files))


def within_span(cut: str, span: Span) -> str:
    return f"where \"{cut}\" between date '{span.first_on}' and date '{span.last_on}'"
