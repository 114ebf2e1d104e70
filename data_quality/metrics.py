"""The rows of dq__metric that a stage leaves behind: its own history, which later nights compare with.

A plain reading of the StageReport; nothing is measured here and nothing is written.
"""

from collections import Counter
from typing import Any

from vesper.stage_report import StageReport


def metric_rows(report: StageReport) -> list[dict[str, Any]]:
    """One row for each (table or source, metric), in the columns of dq__metric and in the order of its grain.

    Seconds are left out: they differ from run to run, and a night is a pure function of its inputs.
    """
    values: Counter[tuple[str, str]] = Counter()
    for table, count in report.rows.items():
        values[table, "rows"] += count
    for (source, rule), count in report.quarantined.items():
        values[source, "quarantined"] += count
        values[source, f"quarantined {rule}"] += count
    for balance in report.balances:
        values[balance.name, "total"] += balance.total
        values.update({(balance.name, part): count for part, count in balance.parts.items()})
    for check in report.checks:
        values[check.table, "checks"] += 1
        values[check.table, "checks_failed"] += not check.passed
    values[report.stage, "warnings"] += len(report.warnings)
    values.update(
        {
            (report.stage, name): fact
            for name, fact in report.facts.items()
            if isinstance(fact, int) and not isinstance(fact, bool)
        }
    )
    return [
        {"business_on": report.business_on, "stage": report.stage, "table_name": name, "metric": metric, "value": value}
        for (name, metric), value in sorted(values.items())
    ]
