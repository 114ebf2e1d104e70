"""`python -m bench.scale.ours ROOT DATE`: measure, score and segment of a night as Vesper runs them, CPU divided by table.

What belongs here: running the stages and counting. What does not: the other sides. The stages are the product's own, gate and publishing included.
CPU of a table that no other side makes, of the gate and of imports is counted apart; everything else is Vesper's.
"""

import argparse
import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

from bench.memory import peak_mb
from bench.one_night import Meter, watch_imports

TABLES = (
    "mart__activity", "mart__visibility", "mart__visibility_gap", "mart__score_reason", "mart__score",
    "mart__segment_member", "mart__segment_change",
)
"""What every side makes."""
APART = ("imports", "gx_import", "gate")


class ByTable(Meter):
    """A meter whose stage is the table being made, and which knows the whole gate as one kind."""

    def table(self, call: Any) -> Any:
        """Charge the filling of a table to it."""

        def measured(bench: Any, table: Any, *arguments: Any, **options: Any) -> Any:
            before = self.stage
            self.enter(table.name)
            try:
                return call(bench, table, *arguments, **options)
            finally:
                self.enter(before)

        return measured


def main() -> None:
    parser = argparse.ArgumentParser(description="A night of measure, score and segment, measured.")
    parser.add_argument("root", type=Path)
    parser.add_argument("on", type=dt.date.fromisoformat)
    parser.add_argument("--full", action="store_true", help="compute everybody anew, as after a change of every definition")
    chosen = parser.parse_args()
    meter = ByTable()
    watch_imports(meter)
    import tasks.bench
    import tasks.stage
    from tasks.measure import measure
    from tasks.score import score
    from tasks.segment import segment

    meter.wrap(tasks.stage, "run_gate", "gate")
    setattr(tasks.bench.Bench, "fill", meter.table(tasks.bench.Bench.fill))  # noqa: B010  (mypy holds a method for final)
    started = time.monotonic()
    facts = {}
    for run in (measure, score, segment):
        meter.enter(run.__name__)
        facts[run.__name__] = run(chosen.root, chosen.on).rows
    meter.enter("end")
    print(json.dumps({"cpu_s": meter.spent, "wall_s": time.monotonic() - started, "peak_mb": peak_mb(), "rows": facts}))


if __name__ == "__main__":
    main()
