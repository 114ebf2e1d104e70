"""The night's quality on the page: each stage's gate, whether anything was lost, what was set aside by which rule."""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.night import Night
from vesper.stage_report import CheckResult, StageReport
from vesper.watch import quarantined_by_rule


@dataclass(frozen=True)
class GateView:
    """One stage's gate: how many checks and balances it held, and those it did not."""

    stage: str
    rows: int
    passed: int
    total: int
    not_passed: tuple[CheckResult, ...]
    unbalanced: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class QualityView:
    gates: tuple[GateView, ...]
    quarantined: tuple[Any, ...]

    @property
    def passed(self) -> int:
        return sum(gate.passed for gate in self.gates)

    @property
    def total(self) -> int:
        return sum(gate.total for gate in self.gates)

    @property
    def aside(self) -> int:
        return sum(row.number for row in self.quarantined)


def read_quality(reader: Reader, night: Night, reports: list[StageReport]) -> QualityView:
    """Gates as the stages told them, in their order; rows set aside out of the table."""
    gates = tuple(_gate(report) for report in reports)
    return QualityView(gates, tuple(reader.rows(quarantined_by_rule(night))))


def _gate(report: StageReport) -> GateView:
    passed = [check.passed for check in report.checks] + [balance.holds for balance in report.balances]
    failed = tuple(check for check in report.checks if not check.passed)
    unbalanced = tuple(balance.name for balance in report.balances if not balance.holds)
    rows = sum(report.rows.values())
    return GateView(report.stage, rows, sum(passed), len(passed), failed, unbalanced, tuple(report.warnings))
