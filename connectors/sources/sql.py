"""A database, asked by a table or a query through SQLAlchemy; the answer lands as Parquet, every cell as text."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.sources._columns import cell_text
from connectors.sources._pulled import Cursor, NotFetched, Pulling, Request, landing_name
from connectors.sources._unreadable import _
from connectors.sources.parquet import read, stream
from vesper.model.pull import SqlPull

__all__ = ["pull", "read", "stream"]

_ROWS = 10_000


def pull(how: SqlPull, request: Request) -> Pulling:
    """Ask a database; yields the rows as they come, in blocks, and returns the cursor that they reach.

    Rows at the last value are asked for again, since others may have come at the same moment; rows whose cursor is empty come each time.
    Raises NotFetched; neither the address nor a value stands in it.
    """
    why = None
    try:
        engine = sa.create_engine(request.filled(how.url), hide_parameters=True)
    except (sa.exc.ArgumentError, ImportError, ValueError) as error:
        why = type(error).__name__
    if why:
        raise NotFetched(_("its address is none that SQLAlchemy can use here ({why}); correct the variable"), why=why)
    try:
        return (yield from _asked(engine, how, request))
    except sa.exc.DBAPIError as error:
        why = type(error.orig).__name__
    except sa.exc.SQLAlchemyError as error:
        why = type(error).__name__
    finally:
        engine.dispose()
    # Outside the handler: the driver's own error may hold the address or values.
    raise NotFetched(
        _("the database did not answer the query ({why}); see that it runs and that the query is right"), why=why
    )


def _asked(engine: sa.Engine, how: SqlPull, request: Request) -> Pulling:
    reached = None
    with engine.connect().execution_options(stream_results=True, max_row_buffer=_ROWS) as connection:
        result = connection.execute(_select(how, request.since))
        found = list(result.keys())
        names = [landing_name(name) for name in found]
        place = _place(how, found)
        yield _table(names, [])
        for rows in result.partitions(_ROWS):
            kept = [row for row in rows if place is None or not request.is_after(row[place])]
            yield _table(names, kept)
            # The database's own order decides which value is the last one: it may sort text otherwise than Python does.
            seen = [row[place] for row in kept if row[place] is not None] if place is not None else []
            reached = Cursor.of(seen[-1]) if seen else reached
    return reached


def _select(how: SqlPull, since: Cursor | None) -> sa.Select[Any]:
    if how.table:
        schema, _dot, name = how.table.rpartition(".")
        rows: sa.FromClause = sa.table(name, schema=schema or None)
    else:
        rows = sa.text(str(how.query).strip().rstrip(";")).columns().subquery("pulled")
    select = sa.select(sa.text("*")).select_from(rows)
    if how.cursor is None:
        return select
    cursor: sa.ColumnElement[Any] = sa.column(how.cursor)
    if since is not None:
        again = sa.bindparam("since", _since(how, since), type_=sa.types.NullType())
        select = select.where(sa.or_(cursor >= again, cursor.is_(None)))
    return select.order_by(cursor)


def _since(how: SqlPull, since: Cursor) -> Any:
    value = since.value
    if not how.lookback or not isinstance(value, dt.date):
        return value
    return value - how.lookback.timedelta


def _place(how: SqlPull, names: Sequence[str]) -> int | None:
    if how.cursor is None:
        return None
    folded = [name.lower() for name in names]
    if how.cursor.lower() not in folded:
        raise NotFetched(_("its answer has no column {column} to be the cursor; correct `cursor`"), column=how.cursor)
    return folded.index(how.cursor.lower())


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns: Iterator[Sequence[Any]] = zip(*rows, strict=True) if rows else iter([()] * len(names))
    arrays = [pa.array([cell_text(cell) for cell in column], pa.string()) for column in columns]
    return pa.Table.from_arrays(arrays, names=list(names))
