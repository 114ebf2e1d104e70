"""`python -m bench.send_rate [--mails 100000] [--json]`: what one personalised 8 kB HTML mail costs on the whole path, from plan to wire.

What belongs here: the runs, each in a process of its own, and their figures. What does not: the company (`send_company.py`), the server that takes
the mails (`load_sink.py`), the loop beside it (`plain_mail.py`).

Every mail is planned, its letter written, its intent and its outcome committed to the ledger around the wire call, and counted by the server.
CPU is that of Vesper's own process from the first Select to the last commit: neither the server's, nor Python's start.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.load_sink import HOW, installed, load_sink
from bench.memory import peak_mb

SMALL, PLAIN, PEOPLE = 10_000, 3_000, 1_000_000


def cpu() -> float:
    """CPU seconds of this process so far, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """What a piece of work cost, and what it gave."""
    before, started = cpu(), time.monotonic()
    made = work()
    return {"cpu_s": round(cpu() - before, 2), "wall_s": round(time.monotonic() - started, 2)}, made


def plan_step(root: Path) -> dict[str, Any]:
    """Judge the audience and record intents and refusals."""
    from bench.send_company import bind_ledger, know, opened
    from vesper.send import audience, campaigns_of, plan, sending_of
    from warehouse.ledger.planned import record

    with opened(root) as (house, night, runner):
        (one,) = campaigns_of(night)
        bind_ledger(house, runner)
        judged, table = measured(
            lambda: runner.materialize(know(runner, plan(sending_of(one), audience(one), night)), "judged")
        )
        kept, recorded = measured(lambda: record(house.engine, runner.batches(table.select())))
    people = recorded.messages + recorded.refusals
    whole = judged["cpu_s"] + kept["cpu_s"]
    return {
        "people": people,
        "intents": recorded.messages,
        "judging": judged,
        "recording": kept,
        "people_per_cpu_s": round(people / whole),
        "people_per_wall_s": round(people / (judged["wall_s"] + kept["wall_s"])),
        "peak_mb": round(peak_mb()),
    }


def send_step(root: Path, connections: int, profile: bool) -> dict[str, Any]:
    """Send everything that was planned."""
    from bench.send_company import know, opened
    from tasks.delivery import Letters, deliver, live
    from vesper.clock import now
    from vesper.recipient import recipients_of
    from warehouse.ledger.link import keep_links

    with opened(root) as (house, night, runner):
        letters = Letters(
            house.workspace,
            night.definitions,
            lambda ids: runner.rows(know(runner, recipients_of(ids))),
            keep_links=partial(keep_links, house.engine),
        )

        def work() -> Any:
            return deliver(house.engine, house.workspace, night.definitions, letters, now(), live(), connections)

        cost, report = measured((lambda: _profiled(work)) if profile else work)
    sent = report.outcomes["accepted"]
    return {
        "outcomes": dict(report.outcomes),
        **cost,
        "mails_per_cpu_s": round(sent / cost["cpu_s"]),
        "mails_per_wall_s": round(sent / cost["wall_s"]),
        "peak_mb": round(peak_mb()),
    }


def _profiled(work: Callable[[], Any]) -> Any:
    import cProfile
    import pstats

    profiler = cProfile.Profile()
    made = profiler.runcall(work)
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    return made


def plain_step(port: int, mails: int) -> dict[str, Any]:
    """The loop beside it."""
    from bench.plain_mail import send_plainly

    people = [
        {"id": f"p{n}", "name": f"王小{n % 9}", "city": "上海", "email": f"person{n}@example.com"} for n in range(mails)
    ]
    cost, sent = measured(lambda: send_plainly(port, people))
    return {"mails": sent, **cost, "mails_per_cpu_s": round(sent / cost["cpu_s"])}


def run(*arguments: str) -> dict[str, Any]:
    """A step in a process of its own; its last line is its figures."""
    command = [sys.executable, "-m", "bench.send_rate", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def whole_path(mails: int, synchronous: str, connections: int, profile: bool = False) -> dict[str, Any]:
    """So many mails planned and sent, and what the server counted."""
    from bench.send_company import build

    with tempfile.TemporaryDirectory(prefix="vesper-rate-") as name, load_sink() as sink:
        root = Path(name) / "company"
        build(root, mails, sink.port, synchronous)
        planned = run("--step", "plan", "--root", str(root))
        extra = ["--profile"] if profile else []
        sent = run("--step", "send", "--root", str(root), "--connections", str(connections), *extra)
        taken = sink.taken_by_now(mails)
    spent = sum(planned[part]["cpu_s"] for part in ("judging", "recording")) + sent["cpu_s"]
    return {
        "mails": mails,
        "taken": taken,
        "synchronous": synchronous,
        "connections": connections,
        "planning": planned,
        "sending": sent,
        "mails_per_cpu_s": round(taken / spent),
    }


def planning(people: int) -> dict[str, Any]:
    """A plan for many, one in ten without consent."""
    from bench.send_company import build

    with tempfile.TemporaryDirectory(prefix="vesper-rate-") as name:
        root = Path(name) / "company"
        build(root, people, 25, "normal", consenting=people * 9 // 10, in_ledger=False)
        return run("--step", "plan", "--root", str(root))


def everything(chosen: argparse.Namespace) -> dict[str, Any]:
    """All runs, the small one first: its peak of memory beside the large one's."""
    small = min(SMALL, chosen.mails)
    runs = [
        whole_path(small, "normal", chosen.connections),
        whole_path(chosen.mails, "normal", chosen.connections, chosen.profile),
        whole_path(chosen.full or small, "full", chosen.connections),
    ]
    with load_sink() as sink:
        plain = run("--step", "plain", "--port", str(sink.port), "--mails", str(min(PLAIN, chosen.mails)))
        plain["taken"] = sink.taken_by_now(plain["mails"])
    return {
        "sink": "smtp-sink" if installed() else "python",
        "load": [round(value, 1) for value in os.getloadavg()],
        "runs": runs,
        "plain": plain,
        "planning": planning(chosen.people) if chosen.people else None,
        "mails_per_cpu_s": runs[1]["mails_per_cpu_s"],
        "memory_grows_mb": runs[1]["sending"]["peak_mb"] - runs[0]["sending"]["peak_mb"],
        "faults": faults(runs),
    }


def faults(runs: list[dict[str, Any]]) -> list[str]:
    """What must never be: a mail that the server does not have, or has twice."""
    found = []
    for one in runs:
        outcomes = Counter(one["sending"]["outcomes"])
        if one["taken"] != one["mails"] or outcomes["accepted"] != one["mails"]:
            found.append(f"{one['mails']} mails, {outcomes['accepted']} accepted, {one['taken']} taken")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What one mail costs on the whole path.")
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument(
        "--full", type=int, default=0, help="mails at synchronous=FULL; as many as the small run where it is 0"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help="people of the planning run; 0 leaves it out")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="print where the time of the large run goes")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--step", choices=["plan", "send", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        steps: dict[str, Callable[[], dict[str, Any]]] = {
            "plan": lambda: plan_step(chosen.root),
            "send": lambda: send_step(chosen.root, chosen.connections, chosen.profile),
            "plain": lambda: plain_step(chosen.port, chosen.mails),
        }
        print(json.dumps(steps[chosen.step]()))
        return
    console = Console(stderr=chosen.json)
    if not installed():
        console.print(HOW)
    result = everything(chosen)
    console.print(result)
    if chosen.json:
        print(json.dumps(result))
    if result["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
