"""The night's quality on the page: each stage's gate, whether anything was lost, what was set aside by which rule."""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from tasks.report_page.wording import STAGES
from vesper.night import Night
from vesper.stage_report import CheckResult, StageReport
from vesper.watch import gates_by_stage, quarantined_by_rule


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
    """Gates in the order of the stages: in full where a stage handed in its report, else as counted in dq__metric."""
    told = {report.stage: _gate(report) for report in reports}
    counted = {row.stage: _counted(row) for row in reader.rows(gates_by_stage(night))}
    found = {**counted, **told}
    gates = tuple(found[stage] for stage in (*STAGES, *sorted(found.keys() - set(STAGES))) if stage in found)
    return QualityView(gates, tuple(reader.rows(quarantined_by_rule(night))))


def _counted(row: Any) -> GateView:
    """What was published had every balance hold."""
    total = int(row.checks) + int(row.balances)
    return GateView(row.stage, int(row.number), total - int(row.checks_failed), total, (), (), ())


def _gate(report: StageReport) -> GateView:
    passed = [check.passed for check in report.checks] + [balance.holds for balance in report.balances]
    failed = tuple(check for check in report.checks if not check.passed)
    unbalanced = tuple(balance.name for balance in report.balances if not balance.holds)
    rows = sum(report.rows.values())
    return GateView(report.stage, rows, sum(passed), len(passed), failed, unbalanced, tuple(report.warnings))
