"""Refuses Selects whose result may differ between two runs on the same rows (architecture, section 3; measured in the spike)."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import FunctionElement

from vesper.marts import elements

_ORDER = "depends on the order of rows; keep sums of exact numbers"
UNSTABLE = {
    "any_value": "takes whichever row comes first; use min, max, or a window that ends in the id",
    "first": "takes whichever row comes first; use min, max, or a window that ends in the id",
    "last": "takes whichever row comes last; use min, max, or a window that ends in the id",
    "arbitrary": "takes whichever row comes first; use min or max",
    "mode": "breaks ties at random; count and rank with the value as the last key",
    "arg_max": "breaks ties at random; rank with the id as the last key",
    "arg_min": "breaks ties at random; rank with the id as the last key",
    "stddev": _ORDER,
    "stddev_pop": _ORDER,
    "stddev_samp": _ORDER,
    "variance": _ORDER,
    "var_pop": _ORDER,
    "var_samp": _ORDER,
    "product": _ORDER,
    "approx_quantile": "is an estimate that differs by the order of rows; use quantile_disc",
    "reservoir_quantile": "is a sample; use quantile_disc",
    "random": "is never the same twice",
    "uuid": "is never the same twice; hash the grain",
    "gen_random_uuid": "is never the same twice; hash the grain",
    "today": "reads the clock; use the business date",
    "get_current_timestamp": "reads the clock; use the night's cut-off",
    "localtimestamp": "reads the clock; use the night's cut-off",
    "now": "reads the clock; use the night's cut-off",
    "current_date": "reads the clock; use the business date",
    "current_timestamp": "reads the clock; use the night's cut-off",
}
SUMS = ("sum", "avg")
GATHERED = ("list", "array_agg", "string_agg", "group_concat")


class UnstableSelect(ValueError):
    """A Select that would break `same inputs, same bytes`."""


def refuse_unstable(select: sa.ClauseElement, table_name: str) -> None:
    """Raise UnstableSelect with the function and the mend, if the Select uses one that is not deterministic."""
    for item in elements(select):
        if isinstance(item, FunctionElement):
            _refuse(item, table_name)


def _refuse(function: FunctionElement[Any], table_name: str) -> None:
    name = str(getattr(function, "name", "")).lower()
    if name in UNSTABLE:
        raise UnstableSelect(f"{table_name}: {name}() {UNSTABLE[name]}")
    if name in GATHERED and not any(isinstance(clause, aggregate_order_by) for clause in function.clauses):
        raise UnstableSelect(f"{table_name}: {name}() gathers rows in any order; give it an order that ends in the id")
    if name in SUMS and any(_is_inexact(clause) for clause in function.clauses):
        raise UnstableSelect(f"{table_name}: {name}() of a double depends on the order of rows; cast to Numeric first")


def _is_inexact(value: sa.ClauseElement) -> bool:
    """A double, or a division, which DuckDB does in doubles whatever SQLAlchemy takes its type to be."""
    if isinstance(getattr(value, "type", None), sa.Float):
        return True
    return isinstance(value, sa.BinaryExpression) and value.operator is operators.truediv
