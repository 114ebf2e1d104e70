"""`python -m bench.intake --forms 1000 --clicks 10000 --json`: a burst of forms and clicks on the real web app, killed in the middle of it.

What belongs here: the app as a process, people who ask it, SIGKILL, and counting what it had answered. What does not: the company
(`tick_company.py`), one form's way to its paper (`tick.py`).

The app is killed with SIGKILL while everybody asks, and started again; who got no answer asks again, as a browser or a provider does. Then the
tick runs, and every form must have its message. Lost is what was answered with success and is not in the ledger.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console

from bench.tick import cpu_seconds, memory_mb
from bench.tick_company import made
from vesper.clock import now
from vesper.load import read_workspace
from vesper.token import TokenKeys, link_url
from warehouse.ledger.definitions import activate
from warehouse.ledger.engine import connect, reading
from warehouse.ledger.link import keep_links
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INBOX
from warehouse.secret import token_keys

FORM = """says: The paper.
owner: marketing
fields:
  email: {required: true}
  name: {}
consent: {version: "2026-11", text: I agree, channels: [email]}
content: paper
least_seconds: 0
"""
LINK, URL = "abcdef012345", "https://shop.example/week"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
PEOPLE, PATIENCE_SECONDS, GOAL_SECONDS = 16, 600, 300
LOOK_SECONDS = 0.5
KILL_AT = (0.3, 0.6)
"""Shares of the burst after which the app is killed."""


@dataclass
class Burst:
    """What came of the questions: those answered with success, and when."""

    answered: dict[str, float] = field(default_factory=dict)
    again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class App:
    """The web app as a process. Each start may be killed; the CPU of all of them is counted."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self.cpu, self.starts = 0.0, 0
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        log = (self.root / "intake.log").open("ab")
        command = [sys.executable, "-m", "intake.serve", str(self.root)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.starts += 1
        over_at = time.monotonic() + 60
        while time.monotonic() < over_at:
            try:
                with closing(HTTPConnection("127.0.0.1", self.port, timeout=2)) as door:
                    door.request("GET", "/health")
                    if door.getresponse().status == 200:
                        self.base = cpu_seconds(self.process.pid)
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError((self.root / "intake.log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """SIGKILL; nothing of the process is left."""
        self.cpu += cpu_seconds(self.process.pid) - self.base
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def asked(port: int, method: str, path: str, body: bytes, burst: Burst, doors: threading.local) -> int:
    """Ask until there is an answer; a connection is kept as browsers keep it. Returns the status."""
    headers = {"User-Agent": AGENT, "Content-Type": "application/json"}
    over_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < over_at:
        try:
            if getattr(doors, "door", None) is None:
                doors.door = HTTPConnection("127.0.0.1", port, timeout=30)
            doors.door.request(method, path, body or None, headers)
            answer = doors.door.getresponse()
            answer.read()
        except (OSError, HTTPException):
            doors.door = None
            with burst.lock:
                burst.again += 1
            time.sleep(0.05)
            continue
        if answer.status < 500:
            return int(answer.status)
    raise TimeoutError(path)


def questions(keys: TokenKeys, forms: int, clicks: int) -> list[tuple[str, str, str, bytes]]:
    """(id, method, path, body), forms among the clicks."""
    every = max(1, clicks // max(1, forms))
    found: list[tuple[str, str, str, bytes]] = []
    for n in range(clicks):
        id = f"{n:026}"
        found.append((f"click {id}", "GET", link_url("", keys, id, LINK), b""))
        if n % every == 0 and n // every < forms:
            told = {"email": f"stranger{n}@example.com", "name": f"Person {n}", "token": f"bench-form-{n}"}
            found.append((f"form bench-form-{n}", "POST", "/f/paper", json.dumps(told).encode()))
    return found


def fired(port: int, rows: list[tuple[str, str, str, bytes]], at: Callable[[int], None]) -> Burst:
    """Everything asked by many at once. `at` hears how many were answered."""
    burst, doors = Burst(), threading.local()

    def one(row: tuple[str, str, str, bytes]) -> None:
        id, method, path, body = row
        status = asked(port, method, path, body, burst, doors)
        if status in (200, 302):
            with burst.lock:
                burst.answered[id] = time.monotonic()
            at(len(burst.answered))

    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(one, rows))
    return burst


def kept(engine: sa.Engine) -> set[str]:
    """What the ledger has, by the names of the questions."""
    query = sa.select(INBOX.c.kind, INBOX.c.source_event_id, INBOX.c.message_id)
    with reading(engine) as connection:
        return {
            f"click {row.message_id}"
            if row.kind == "mail_clicked"
            else f"form {row.source_event_id.removeprefix('own:')}"
            for row in connection.execute(query)
        }


def measured(root: Path, port: int, forms: int, clicks: int) -> dict[str, Any]:
    """An undisturbed burst of a tenth for the figures, the whole with kills, then the tick."""
    engine = _prepared(root)
    app = App(root, port)
    rows = questions(token_keys(root / ".vesper"), forms, clicks)
    quiet = [row for row in rows if row[1] == "GET"][: max(200, clicks // 5)]
    calm = _rate(app, port, quiet)
    with engine.begin() as connection:
        connection.execute(sa.delete(INBOX))
    tick = subprocess.Popen(
        [sys.executable, "-m", "intake.tick", str(root)],
        stdout=(root / "tick.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        seen: dict[int, float] = {}
        looking = threading.Thread(target=_followed, args=(engine, seen, forms))
        looking.start()
        burst, wall = _stormy(app, port, rows)
        lost = burst.answered.keys() - kept(engine)
        looking.join()
    finally:
        tick.kill()
        tick.wait()
    result = {
        "forms": forms,
        "clicks": clicks,
        "kills": app.starts - 1,
        "asked_again": burst.again,
        "answered": len(burst.answered),
        "lost": len(lost),
        "undisturbed": calm,
        "requests_per_second_with_kills": round(len(rows) / wall),
        **_intents(seen, forms),
        "app_mb": round(memory_mb(app.process.pid)),
        "load": [round(value, 1) for value in os.getloadavg()],
    }
    app.kill()
    engine.dispose()
    return result


def _intents(seen: dict[int, float], forms: int) -> dict[str, Any]:
    slowest = round(max(seen.values()), 1) if seen else None
    return {"slowest_intent_seconds": slowest, "forms_without_intent": forms - len(seen)}


def _prepared(root: Path) -> sa.Engine:
    """The ledger, with the form in force and the link that letters named."""
    engine = connect(read_workspace(root).ledger_url)
    with engine.begin() as connection:
        activate(connection, "forms/paper", FORM, "bench")
    keep_links(engine, "paper", {LINK: URL})
    return engine


def _rate(app: App, port: int, rows: list[tuple[str, str, str, bytes]]) -> dict[str, Any]:
    """Requests a second and CPU of the app for each, nobody killing it."""
    before, started = cpu_seconds(app.process.pid), time.monotonic()
    fired(port, rows, lambda _: None)
    wall, spent = time.monotonic() - started, cpu_seconds(app.process.pid) - before
    return {
        "requests": len(rows),
        "requests_per_second": round(len(rows) / wall),
        "cpu_ms_per_request": round(spent * 1000 / len(rows), 2),
    }


def _stormy(app: App, port: int, rows: list[tuple[str, str, str, bytes]]) -> tuple[Burst, float]:
    """The burst with kills."""
    done = threading.Event()
    counts = {"now": 0}

    def killing() -> None:
        for share in KILL_AT:
            while counts["now"] < share * len(rows) and not done.is_set():
                time.sleep(0.01)
            if not done.is_set():
                app.kill()
                app.start()

    killer = threading.Thread(target=killing)
    killer.start()
    started = time.monotonic()
    try:
        burst = fired(port, rows, lambda count: counts.update(now=count))
    finally:
        done.set()
        killer.join()
    return burst, time.monotonic() - started


def _followed(engine: sa.Engine, seen: dict[int, float], forms: int) -> None:
    """Look for messages of forms until all are there: row of the inbox -> seconds from its commit until its message was seen."""
    query = sa.select(INBOX.c.inbox_id, INBOX.c.received_at).join(MESSAGE, MESSAGE.c.inbox_id == INBOX.c.inbox_id)
    over_at = time.monotonic() + PATIENCE_SECONDS
    while len(seen) < forms and time.monotonic() < over_at:
        time.sleep(LOOK_SECONDS)
        with reading(engine) as connection:
            for row in connection.execute(query):
                seen.setdefault(row.inbox_id, (now() - row.received_at).total_seconds())


def faults(result: dict[str, Any]) -> list[str]:
    """What must never be."""
    found = [f"{result[name]} {name}" for name in ("lost", "forms_without_intent") if result[name]]
    if (result["slowest_intent_seconds"] or 0) > GOAL_SECONDS:
        found.append(f"an intent after {result['slowest_intent_seconds']} seconds")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="A burst of forms and clicks on the web app, killed in the middle.")
    parser.add_argument("--forms", type=int, default=1000)
    parser.add_argument("--clicks", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = parser.parse_args()
    console = Console(stderr=chosen.json)
    with tempfile.TemporaryDirectory(prefix="vesper-intake-") as name:
        from tests.intake.conftest import free_port

        port = free_port()
        root = made(Path(name) / "company", 0, f'[intake]\naddress = "http://127.0.0.1:{port}"\nport = {port}\n')
        result = measured(root, port, chosen.forms, chosen.clicks)
    result["faults"] = faults(result)
    console.print(result)
    if chosen.json:
        print(json.dumps(result))
    if result["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
