"""Many rows at once into a table of the ledger, leaving alone what a unique key of it holds already.

What belongs here: Arrow into SQLite and into PostgreSQL, fast. What does not: which rows. SQLAlchemy's own way costs thirty microseconds a row
before the database has done anything; here most columns of a plan are the same in every row and stand in the statement once.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

FEW = 1000
"""So many rows go to PostgreSQL in one statement; more of them by COPY."""
CACHE_KIBIBYTES = 256 * 1024
_TEXTS = {pa.types.is_timestamp: "%Y-%m-%d %H:%M:%S", pa.types.is_date: "%Y-%m-%d"}


def insert_new_arrow(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> int:
    """Insert the rows that no unique key of the table holds yet; returns how many that were. Columns that the table lacks are left out."""
    names = [c.name for c in table.c if c.name in rows.column_names]
    chosen = rows.select(names)
    if not len(chosen):
        return 0
    if connection.dialect.name == "sqlite":
        return _into_sqlite(connection, table, chosen)
    if len(chosen) <= FEW:
        insert = postgresql.insert(table).values(chosen.to_pylist()).on_conflict_do_nothing()
        return max(connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount, 0)
    return _into_postgres(connection, table, chosen)


@contextmanager
def pages_in_memory(connection: sa.Connection) -> Iterator[None]:
    """While it lasts, SQLite keeps the pages that it changes in memory: keys come in no order, and each would be written many times."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("pragma cache_size").scalar()
    connection.exec_driver_sql(f"pragma cache_size=-{CACHE_KIBIBYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"pragma cache_size={before}")


def _into_sqlite(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> int:
    """Values that all rows share stand in the statement; of few rows all are parameters, so that it is compiled once."""
    shared = rows.column_names if len(rows) > FEW else []
    same = {name: value for name in shared for value in _only_value(rows[name])}
    varying = [name for name in rows.column_names if name not in same]
    values = [
        _literal(connection.dialect, table.c[name], same[name]) if name in same else "?" for name in rows.column_names
    ]
    sql = (
        f"insert into {table.name} ({', '.join(rows.column_names)}) values ({', '.join(values)}) on conflict do nothing"
    )
    columns = [_texts(rows[name]).to_pylist() for name in varying]
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.driver_connection  # SQLAlchemy would look at every row once more
    before = driver.total_changes
    driver.cursor().executemany(sql, zip(*columns, strict=True))
    return int(driver.total_changes - before)


def _into_postgres(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> int:
    """By COPY into a table of the transaction, and from there what is new."""
    names = ", ".join(rows.column_names)
    waiting = f"waiting_{table.name}"
    connection.exec_driver_sql(
        f"create temporary table if not exists {waiting} (like {table.name} including defaults) on commit drop"
    )
    connection.exec_driver_sql(f"truncate {waiting}")
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False, quoting_style="needed"))
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(f"copy {waiting} ({names}) from stdin (format csv)") as copy:
            copy.write(text.getvalue())
    finally:
        cursor.close()
    insert = f"insert into {table.name} ({names}) select {names} from {waiting} on conflict do nothing"
    return max(connection.exec_driver_sql(insert).rowcount, 0)


def _only_value(column: pa.ChunkedArray) -> list[Any]:
    """The value that every row has, in a list; an empty list where they differ."""
    if column.null_count == len(column):
        return [None]
    if column.null_count:
        return []
    ends = pc.min_max(column)
    return [ends["min"].as_py()] if ends["min"].equals(ends["max"]) else []


def _literal(dialect: sa.Dialect, column: sa.Column[Any], value: Any) -> str:
    process = column.type.dialect_impl(dialect).literal_processor(dialect)
    if value is None or process is None:
        return "null"
    return process(value)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """SQLite keeps instants and dates as texts, as SQLAlchemy writes them."""
    for is_kind, form in _TEXTS.items():
        if is_kind(column.type):
            return pc.strftime(column, format=form)
    return column
