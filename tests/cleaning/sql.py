"""Cleaning expressions on values that a test names."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

ENGINE = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)
Expression = Callable[[sa.ColumnElement[str]], sa.ColumnElement[Any]]


def applied(expression: Expression, values: Sequence[str | None]) -> list[Any]:
    """A cleaning expression on many values, in their order."""
    if not values:
        return []
    given = sa.values(sa.column("place", sa.Integer), sa.column("value", sa.String), name="given").data(
        list(enumerate(values))
    )
    query = sa.select(expression(sa.cast(given.c.value, sa.String))).order_by(given.c.place)
    with ENGINE.connect() as connection:
        return list(connection.scalars(query))


def storable(values: Sequence[str]) -> list[str]:
    """Values that a table can hold: text without NUL, which takings-in refuse long before cleaning."""
    return [value.replace("\0", "") for value in values]
