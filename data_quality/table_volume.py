"""How many rows a table has, against its declaration and against the night before: decided over numbers, before Great Expectations looks.

The rows of source files are judged in volume.py. An empty or halved table would pass every other check, which is why this one comes first.
"""

import sqlalchemy as sa

from vesper.stage_report import CheckResult
from vesper.tables.declare import Severity

LEAST_SHARE = 0.5
FEWEST_TO_COMPARE = 100
HISTORY = "business_on"
STANDING_LAYERS = ("raw_", "core__")


def judge_rows(table: sa.Table, rows: int, before: int | None) -> list[CheckResult]:
    """`minimum_rows` of the whole table, and at least half of the night before's rows.

    A source or core table that loses half its rows overnight stops the stage; a mart may, with a warning, since a rule may have changed.
    Tables with fewer than 100 rows the night before, and histories, are not compared.
    """
    results = []
    if table.info["minimum_rows"]:
        results.append(_result(table, "row_count", rows >= table.info["minimum_rows"], "critical", rows, str(rows)))
    if before and before >= FEWEST_TO_COMPARE and table.info["cut"] != HISTORY and not table.name.startswith("out__"):
        severity: Severity = "critical" if table.name.startswith(STANDING_LAYERS) else "warning"
        kept = rows >= LEAST_SHARE * before
        results.append(_result(table, "row_drop", kept, severity, before - rows, f"{before} -> {rows}"))
    return results


def _result(table: sa.Table, check: str, passed: bool, severity: Severity, count: int, seen: str) -> CheckResult:
    return CheckResult(table.name, check, None, passed, severity, None if passed else count, seen)
