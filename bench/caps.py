"""`python -m bench.caps --schedules 1000 [--ledger sqlite|postgres] [--seed N] [--json]`: two flows, eight workers, one person, fifty messages.

What belongs here: how many schedules, on which ledgers, and whether any passed the cap. What does not: playing one (`tests/send/schedules.py`).

On SQLite all people stand in one ledger, so that every one of them sees another permutation of the same workers' transactions. On PostgreSQL
eight threads really run side by side, PEOPLE at a time, and the machine draws the schedule; the messages are laid anew for every round.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.loopback import postgres
from tests.send.schedules import CAP, MESSAGES, WORKERS, Seen, fill, permuted, reset, side_by_side
from warehouse.ledger.engine import open_ledger

PEOPLE = 25


def on_sqlite(schedules: int, seed: int) -> list[Seen]:
    """A ledger in a file, the transactions one after the other in an order that is drawn."""
    with tempfile.TemporaryDirectory(prefix="vesper-caps-") as folder:
        engine = open_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}", "normal")
        found = permuted(engine, schedules, seed)
        engine.dispose()
    return [found]


def on_postgres(schedules: int, seed: int) -> list[Seen]:
    """A server of its own, eight threads; schedules in rounds of PEOPLE."""
    with postgres() as url:
        engine = open_ledger(url)
        found = []
        for start in range(0, schedules, PEOPLE):
            people = min(PEOPLE, schedules - start)
            if start == 0 or people < PEOPLE:
                fill(engine, people, random.Random(seed))
            reset(engine)
            found.append(side_by_side(engine, people, seed + start))
        engine.dispose()
    return found


LEDGERS: dict[str, Callable[[int, int], list[Seen]]] = {"sqlite": on_sqlite, "postgres": on_postgres}


def counted(rounds: list[Seen], schedules: int, seconds: float) -> dict[str, Any]:
    """The figures of one ledger."""
    return {
        "schedules": schedules,
        "violations": sum(len(one.over_cap) for one in rounds),
        "people_reached": sum(len(one.reached) for one in rounds),
        "messages_that_went": sum(one.messages for one in rounds),
        "seconds": round(seconds, 1),
    }


def main() -> int:
    """Exit code 1 when a cap was passed, or when somebody whom nothing kept back got nothing at all."""
    asked = argparse.ArgumentParser(description="Caps under concurrency.")
    asked.add_argument("--schedules", type=int, default=1000)
    asked.add_argument("--ledger", choices=LEDGERS, action="append", help="both unless told")
    asked.add_argument("--seed", type=int, default=2018)
    asked.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = asked.parse_args()
    runs = {}
    for ledger in chosen.ledger or LEDGERS:
        started = time.monotonic()
        rounds = LEDGERS[ledger](chosen.schedules, chosen.seed)
        runs[ledger] = counted(rounds, chosen.schedules, time.monotonic() - started)
    is_good = all(not one["violations"] and one["people_reached"] == one["schedules"] for one in runs.values())
    result = {"workers": WORKERS, "candidates": MESSAGES, "cap": CAP, "seed": chosen.seed, "is_good": is_good} | runs
    Console(stderr=chosen.json).print(result)
    if chosen.json:
        print(json.dumps(result))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
