"""What a stage says when it is done: plain facts, without wording. Artifacts, terminal and report page are rendered from it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class CheckResult:
    """One gate check on one table. `unexpected` counts rows; `observed` is what was seen; `error` is set when the check itself failed."""

    table: str
    check: str
    column: str | None
    passed: bool
    severity: Literal["critical", "warning"]
    unexpected: int | None = None
    observed: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Balance:
    """A conservation line: `total` must equal the sum of `parts` (nothing lost between stages)."""

    name: str
    total: int
    parts: dict[str, int]

    @property
    def holds(self) -> bool:
        return self.total == sum(self.parts.values())


@dataclass
class StageReport:
    """One stage of one night: rows written by table, quarantined rows by (source, rule), checks, balances, warnings, headline facts."""

    stage: str
    business_on: dt.date
    rows: dict[str, int] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    quarantined: dict[tuple[str, str], int] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class StageFailed(Exception):
    """A stage stopped with one readable sentence; nothing of it was published. `report` holds what was known by then."""

    def __init__(self, sentence: str, report: StageReport | None = None) -> None:
        super().__init__(sentence)
        self.report = report
