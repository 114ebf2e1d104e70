"""`python -m bench.scale.ours ROOT DATE`: measure, score and segment of a night as Vesper runs them, CPU divided by table.

What belongs here: running the stages and counting. What does not: the other sides. The stages are the product's own, gate and publishing included.
CPU of a table that no other side makes, of the gate and of imports is counted apart; everything else is Vesper's. Memory is counted apart for the gate.
"""

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.memory import peak_mb
from bench.one_night import Meter, watch_imports

TABLES = (
    "mart__activity",
    "mart__visibility",
    "mart__visibility_gap",
    "mart__score_reason",
    "mart__score",
    "mart__segment_member",
    "mart__segment_change",
)
"""What every side makes."""
LOADING = ("imports", "gx_import")
STAGES = ("measure", "score", "segment")


class ByTable(Meter):
    """A meter whose stage is the table being made, and which counts the memory of the gate apart."""

    def __init__(self) -> None:
        super().__init__()
        self.peaks: dict[str, dict[str, float]] = {}
        self.at_work = STAGES[0]

    def table(self, call: Callable[..., Any], name_of: Callable[[Any], str]) -> Callable[..., Any]:
        """Charge the making of a table to it."""

        def measured(owner: Any, thing: Any, *arguments: Any, **options: Any) -> Any:
            before = self.stage
            self.enter(name_of(thing))
            try:
                return call(owner, thing, *arguments, **options)
            finally:
                self.enter(before)

        return measured

    def gate(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Charge the gate to itself, memory and all."""

        def measured(*arguments: Any, **options: Any) -> Any:
            self.peak("compute")
            with self.on("gate"):
                found = call(*arguments, **options)
            self.peak("gate")
            return found

        return measured

    def peak(self, kind: str) -> None:
        """Note the peak since the last note, and begin a new one."""
        noted = self.peaks.setdefault(self.at_work, {"compute": 0.0, "gate": 0.0})
        noted[kind] = max(noted[kind], peak_mb())
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def run(self, stage: Callable[..., Any], root: Path, on: dt.date) -> tuple[Any, dict[str, Any]]:
        """A stage's report, and what it took: CPU seconds of its own work and of the gate, loading apart, and the peak of memory of both."""
        self.at_work = stage.__name__
        self.enter(stage.__name__)
        before = self.so_far()
        report = stage(root, on)
        self.charge()
        self.peak("compute")
        spent = {kind: cpu - before[kind] for kind, cpu in self.so_far().items()}
        return report, {"cpu_s": spent, "peak_mb": self.peaks[stage.__name__]}

    def so_far(self) -> dict[str, float]:
        """CPU seconds up to now of work and of the gate."""
        every = [(kind, cpu) for kinds in self.spent.values() for kind, cpu in kinds.items() if kind not in LOADING]
        gate = sum(cpu for kind, cpu in every if kind == "gate")
        return {"compute": sum(cpu for _, cpu in every) - gate, "gate": gate}


def compute(found: dict[str, Any]) -> float:
    """Vesper's CPU seconds for what the other sides make."""
    return float(
        sum(
            cpu
            for stage, kinds in found["cpu_s"].items()
            if stage in (*TABLES, *STAGES)
            for kind, cpu in kinds.items()
            if kind not in (*LOADING, "gate")
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="A night of measure, score and segment, measured.")
    parser.add_argument("root", type=Path)
    parser.add_argument("on", type=dt.date.fromisoformat)
    chosen = parser.parse_args()
    meter = ByTable()
    watch_imports(meter)
    import tasks.incremental
    import tasks.stage
    from tasks.bench import Bench
    from tasks.measure import measure
    from tasks.score import score
    from tasks.segment import segment

    few = tasks.incremental.Incremental
    setattr(tasks.stage, "run_gate", meter.gate(getattr(tasks.stage, "run_gate")))  # noqa: B009, B010  (mypy: not exported)
    setattr(Bench, "fill", meter.table(Bench.fill, lambda table: str(table.name)))  # noqa: B010  (mypy holds a method for final)
    setattr(few, "fill", meter.table(few.fill, lambda mart: str(mart.table.name)))  # noqa: B010
    started = time.monotonic()
    rows: dict[str, int] = {}
    touched: dict[str, Any] = {}
    stages: dict[str, Any] = {}
    for run in (measure, score, segment):
        report, stages[run.__name__] = meter.run(run, chosen.root, chosen.on)
        rows |= {name: count for name, count in report.rows.items() if name in TABLES}
        touched[run.__name__] = report.facts.get("touched")
    meter.enter("end")
    peaks = {kind: max(noted[kind] for noted in meter.peaks.values()) for kind in ("compute", "gate")}
    spent = {"cpu_s": meter.spent, "wall_s": time.monotonic() - started, "peak_mb": peaks, "stages": stages}
    print(json.dumps({**spent, "rows": rows, "touched": touched}))


if __name__ == "__main__":
    main()
