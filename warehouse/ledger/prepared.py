"""A statement compiled once and then run on the bare connection: sending runs the same few a thousand times a second.

What belongs here: compiling, and turning values into what the driver takes and back, with SQLAlchemy's own types. What does not: statements
(they stand where they are used), transactions (`session.py`). SQLAlchemy's own execution costs five to ten times as much a statement.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

Processor = Callable[[Any], Any] | None


class Prepared:
    """One statement for one dialect. `names` are its parameters; a value that the statement itself states is filled in."""

    def __init__(self, statement: sa.ClauseElement, dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        self._stated = dict(compiled.params)
        self._in = {name: _bound(bind.type, dialect) for bind, name in compiled.bind_names.items()}  # type: ignore[attr-defined]
        order = compiled.positiontup  # type: ignore[attr-defined]
        self._order = None if order is None else [(name, self._in[name]) for name in order]
        self._out = _results(statement, dialect)

    def run(self, cursor: Any, **values: Any) -> Any:
        """Execute on a cursor of the driver; returns the cursor, whose `rowcount` is the driver's."""
        return cursor.execute(self.sql, self._parameters(values))

    def row(self, cursor: Any, **values: Any) -> list[Any] | None:
        """The first row, in Python's types."""
        cursor.execute(self.sql, self._parameters(values))
        found = cursor.fetchone()
        return None if found is None else self._read(found)

    def _parameters(self, values: dict[str, Any]) -> Any:
        given = {**self._stated, **values}
        if self._order is not None:
            return [process(given[name]) if process else given[name] for name, process in self._order]
        return {name: process(given[name]) if process else given[name] for name, process in self._in.items()}

    def _read(self, row: Iterable[Any]) -> list[Any]:
        return [process(value) if process else value for value, process in zip(row, self._out, strict=True)]


def _bound(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor:
    if isinstance(type_, sa.DateTime) and dialect.name == "sqlite":
        return _instant
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _instant(value: dt.datetime | None) -> str | None:
    """An instant as SQLAlchemy writes it for SQLite, in a tenth of the time."""
    return None if value is None else value.isoformat(" ", "microseconds")


def _results(statement: sa.ClauseElement, dialect: sa.Dialect) -> list[Processor]:
    if not isinstance(statement, sa.Select):
        return []
    # Both drivers give floats as they are; SQLAlchemy would ask for the column's code to say so.
    types = [c.type for c in statement.selected_columns]
    return [None if isinstance(t, sa.Float) else t.dialect_impl(dialect).result_processor(dialect, None) for t in types]
