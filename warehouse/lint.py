"""Refuses Selects whose result may differ between two runs on the same rows (architecture, section 3; measured in the spike)."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement

UNSTABLE = {
    "any_value": "takes whichever row comes first; use min, max, or a window that ends in the id",
    "first": "takes whichever row comes first; use min, max, or a window that ends in the id",
    "last": "takes whichever row comes last; use min, max, or a window that ends in the id",
    "arbitrary": "takes whichever row comes first; use min or max",
    "mode": "breaks ties at random; count and rank with the value as the last key",
    "arg_max": "breaks ties at random; rank with the id as the last key",
    "arg_min": "breaks ties at random; rank with the id as the last key",
    "stddev": "depends on the order of rows; keep sums of exact numbers",
    "random": "is never the same twice",
    "now": "reads the clock; use the night's cut-off",
    "current_date": "reads the clock; use the business date",
    "current_timestamp": "reads the clock; use the night's cut-off",
}
SUMS = ("sum", "avg")


class UnstableSelect(ValueError):
    """A Select that would break `same inputs, same bytes`."""


def refuse_unstable(select: sa.ClauseElement, table_name: str) -> None:
    """Raise UnstableSelect with the function and the mend, if the Select uses one that is not deterministic."""
    for item in visitors.iterate(select):
        if isinstance(item, FunctionElement):
            _refuse(item, table_name)


def _refuse(function: FunctionElement[Any], table_name: str) -> None:
    name = str(getattr(function, "name", "")).lower()
    if name in UNSTABLE:
        raise UnstableSelect(f"{table_name}: {name}() {UNSTABLE[name]}")
    if name in SUMS and any(isinstance(clause.type, sa.Double) for clause in function.clauses):
        raise UnstableSelect(f"{table_name}: {name}() of a double depends on the order of rows; cast to Numeric first")
