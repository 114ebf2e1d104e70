"""`python -m bench.tick --forms 1000 --contacts 20000 --idle-minutes 5 --json`: how soon a form's paper is intended, and what idling costs.

What belongs here: a real tick process, forms committed one by one as a web app would, and a clock beside both. What does not: the company that
answers (`tick_company.py`).

Latency is measured outside the process under test: from the commit of a form's row to the moment another connection sees its message.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.tick_company import forms, made
from warehouse.ledger.engine import connect, reading
from warehouse.ledger.inbox import append
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INBOX

GOAL_SECONDS, GOAL_IDLE = 300, 20
PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.05
STARTING_SECONDS = 15


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    line = next(
        row for row in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if row.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def burst(engine: sa.Engine, count: int, contacts: int, first: int) -> dict[int, float]:
    """Commit forms one by one; when each was committed, by its inbox id."""
    committed = {}
    for form in forms(count, contacts, first):
        with engine.begin() as connection:
            append(connection, form)
            inbox_id = connection.scalar(sa.select(sa.func.max(INBOX.c.inbox_id)))
        committed[int(inbox_id or 0)] = time.monotonic()
    return committed


def intended(engine: sa.Engine, known: set[int]) -> set[int]:
    """Inbox rows that have a message by now."""
    query = sa.select(MESSAGE.c.inbox_id).where(MESSAGE.c.inbox_id.is_not(None))
    with reading(engine) as connection:
        return set(connection.scalars(query)) - known


def followed(engine: sa.Engine, start: Any) -> tuple[dict[int, float], dict[int, float]]:
    """Run a burst in a thread and look meanwhile: when each row was committed, and when its message was seen."""
    committed: dict[int, float] = {}
    writer = threading.Thread(target=lambda: committed.update(start()))
    seen: dict[int, float] = {}
    before = intended(engine, set())
    over_at = time.monotonic() + PATIENCE_SECONDS
    writer.start()
    while time.monotonic() < over_at:
        for id in intended(engine, before | seen.keys()):
            seen[id] = time.monotonic()
        if not writer.is_alive() and seen.keys() >= committed.keys():
            break
        time.sleep(LOOK_SECONDS)
    writer.join()
    return committed, seen


def quantile(values: list[float], share: float) -> float:
    """The smallest value that so many are not above."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def measured(root: Path, count: int, contacts: int, idle_minutes: float) -> dict[str, Any]:
    """Idle, one form alone, then the burst; all of one process."""
    engine = connect(f"sqlite:///{root / '.vesper' / 'ledger.db'}")
    with (root / "tick.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "intake.tick", str(root)], stdout=log, stderr=log)
    try:
        time.sleep(STARTING_SECONDS)
        started_cpu = cpu_seconds(process.pid)
        time.sleep(idle_minutes * 60)
        idle = (cpu_seconds(process.pid) - started_cpu) * 60 / idle_minutes if idle_minutes else float("nan")
        alone_at, alone = followed(engine, lambda: burst(engine, 1, contacts, 10**6))
        before = cpu_seconds(process.pid)
        committed, seen = followed(engine, lambda: burst(engine, count, contacts, 0))
        planned_cpu = cpu_seconds(process.pid) - before
        waits = [seen[id] - at for id, at in committed.items() if id in seen]
        took = max(committed.values()) - min(committed.values())
        after = _drained(engine, process.pid)
        return {
            "forms": count,
            "contacts": contacts,
            "lost": len(committed.keys() - seen.keys()),
            "burst_seconds": round(took, 2),
            "alone_seconds": round(max(seen_at - alone_at[id] for id, seen_at in alone.items()), 2),
            "p50_seconds": round(quantile(waits, 0.5), 2),
            "p99_seconds": round(quantile(waits, 0.99), 2),
            "cpu_ms_per_form_until_intended": round(planned_cpu / count * 1000, 2),
            "cpu_ms_per_form_sent": round((after - before) / count * 1000, 2),
            "idle_minutes": idle_minutes,
            "idle_cpu_seconds_per_hour": round(idle, 2),
            "memory_mb": round(memory_mb(process.pid)),
            "log": (root / "tick.log").read_text(encoding="utf-8").splitlines()[-3:],
        }
    finally:
        process.terminate()
        process.wait(60)
        engine.dispose()


def _drained(engine: sa.Engine, pid: int) -> float:
    """CPU of the process when nothing waits to be sent any more."""
    waiting = (
        sa.select(sa.func.count()).select_from(MESSAGE).where(MESSAGE.c.state.in_(("planned", "claimed", "sending")))
    )
    over_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < over_at:
        with reading(engine) as connection:
            if not connection.scalar(waiting):
                break
        time.sleep(0.5)
    return cpu_seconds(pid)


def main() -> int:
    """Exit code 1 when a goal is missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--forms", type=int, default=1000)
    asked.add_argument("--contacts", type=int, default=20_000)
    asked.add_argument("--idle-minutes", type=float, default=5)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="vesper-tick-") as folder:
        root = made(Path(folder) / "company", options.contacts)
        found = measured(root, options.forms, options.contacts, options.idle_minutes)
    print(json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    is_idle = not options.idle_minutes or found["idle_cpu_seconds_per_hour"] <= GOAL_IDLE
    return 0 if found["p99_seconds"] <= GOAL_SECONDS and not found["lost"] and is_idle else 1


if __name__ == "__main__":
    sys.exit(main())
