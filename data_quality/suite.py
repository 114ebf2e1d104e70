"""The Great Expectations suite of a table, derived from its declaration and from nowhere else. Running it is gate.py.

Great Expectations is imported inside the functions, because importing it costs seconds.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa

from vesper.tables.declare import Severity

Part = Literal["whole", "new"]
Rule = Literal["columns", "row_count", "unique", "required", "between", "among"]


@dataclass(frozen=True)
class Check:
    """One check that a declaration asks for. `columns` are the columns it looks at; `bound` what they are held against."""

    rule: Rule
    columns: tuple[str, ...] = ()
    bound: tuple[Any, ...] = ()
    severity: Severity = "critical"


def checks_of(table: sa.Table, part: Part = "whole") -> list[Check]:
    """Every check of a table, in the order of its columns. Of new parts of a cut table the row count says nothing, so
    it is not asked.
    """
    info = table.info
    grain = tuple(info["grain"])
    checks = [Check("columns", tuple(column.name for column in table.c))]
    if part == "whole" and info["minimum_rows"]:
        checks.append(Check("row_count", bound=(info["minimum_rows"],)))
    if grain:
        checks.append(Check("unique", grain))
    return [*checks, *(check for column in table.c for check in _column_checks(column, column.name in grain))]


def _column_checks(column: sa.Column[Any], in_grain: bool) -> Iterator[Check]:
    told = column.info
    if in_grain or told.get("required"):
        yield Check("required", (column.name,))
    if told.get("between"):
        yield Check("between", (column.name,), tuple(told["between"]), told["severity"])
    if told.get("among"):
        yield Check("among", (column.name,), tuple(told["among"]), told["severity"])


def expectation(check: Check) -> Any:
    """The check in the words of Great Expectations. Needs a context: `gate.run_gate` makes one first."""
    gxe: Any = importlib.import_module("great_expectations.expectations")
    match check.rule:
        case "columns":
            return gxe.ExpectTableColumnsToMatchSet(column_set=list(check.columns))
        case "row_count":
            return gxe.ExpectTableRowCountToBeBetween(min_value=check.bound[0])
        case "unique" if len(check.columns) > 1:
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(check.columns))
        case "unique":
            return gxe.ExpectColumnValuesToBeUnique(column=check.columns[0])
        case "required":
            return gxe.ExpectColumnValuesToNotBeNull(column=check.columns[0])
        case "between":
            low, high = (float(each) if isinstance(each, Decimal) else each for each in check.bound)
            return gxe.ExpectColumnValuesToBeBetween(
                column=check.columns[0], min_value=low, max_value=high, severity=check.severity
            )
        case "among":
            return gxe.ExpectColumnValuesToBeInSet(
                column=check.columns[0], value_set=list(check.bound), severity=check.severity
            )
