"""Workers that send over real SMTP are killed one after the other; the sink says what arrived, the sender is not asked.

What belongs here: starting, killing, stopping and replacing workers, and the counts. What does not: one worker (`worker.py`).

A kill is SIGKILL to one worker at a random moment, and a new worker takes its place. At the end one worker is stopped (SIGSTOP) past its lease
while the others go on, and then resumed. Unknown may be at most what was on the wires of those killed or stopped.
"""

import contextlib
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.loopback import postgres
from bench.send_crash.wire import WIRES, Wire
from tests.send.company import KEY
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.reconcile import Rules, reconcile
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.worker import recover
from warehouse.secret import VARIABLE

REPOSITORY = Path(__file__).resolve().parents[2]
LEASE, LONG_LEASE = 2.0, 1200.0
PATIENCE = 300


@dataclass(frozen=True)
class Setting:
    """How many of everything."""

    recipients: int
    kills: int
    workers: int
    connections: int
    seed: int
    channel: str = "email"

    @property
    def wire(self) -> Wire:
        return WIRES[self.channel]


@dataclass
class Stage:
    """One run: the ledger, the sink, the workers that live now."""

    setting: Setting
    root: Path
    engine: sa.Engine
    url: str
    server: str
    alive: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def sink(self) -> Path:
        return self.root / "sink"

    def arrived(self) -> Counter[str]:
        """Message id -> how many mails or posts of it the server has."""
        return Counter(kept.name.split(".")[0] for kept in self.sink.iterdir() if kept.suffix in (".eml", ".post"))

    def states(self) -> dict[str, str]:
        """Message id -> state."""
        with self.engine.connect().execution_options(read_only=True) as connection:
            return {row[0]: row[1] for row in connection.execute(sa.select(MESSAGE.c.message_id, MESSAGE.c.state))}

    def start(self, lease: float = LONG_LEASE) -> "subprocess.Popen[str]":
        """One more worker, ready to send."""
        setting = self.setting
        numbers = (str(setting.recipients), str(setting.connections), str(lease), setting.channel)
        command = [sys.executable, "-m", "bench.send_crash.worker", str(self.root), self.url, self.server, *numbers]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        self.alive.append(worker)
        return worker

    def fill(self, lease: float = LONG_LEASE) -> None:
        """As many workers as there should be; those that are done are let go."""
        self.alive = [worker for worker in self.alive if worker.poll() is None]
        for _ in range(self.setting.workers - len(self.alive)):
            self.start(lease)

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that others bring about."""
        ends = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > ends:
                raise TimeoutError("the workers stand still")
            time.sleep(0.002)

    def finish(self) -> None:
        """Let everything be sent that can be."""
        while True:
            for worker in self.alive:
                worker.wait(PATIENCE)
            self.alive = []
            if not {"planned", "claimed"} & set(self.states().values()):
                return
            self.fill()


def run(setting: Setting, ledger: str) -> dict[str, Any]:
    """All of it on one kind of ledger; the counts."""
    os.environ[VARIABLE] = KEY
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vesper-workers-")))
        url = f"sqlite:///{root / 'ledger.db'}" if ledger == "sqlite" else stack.enter_context(postgres())
        engine = open_ledger(url)
        stack.callback(engine.dispose)
        server = stack.enter_context(setting.wire.server(root / "sink"))
        stage = Stage(setting, root, engine, url, server)
        stack.callback(_end, stage)
        wire = setting.wire
        _space, known = wire.company(root, server)
        wire.plan(engine, known, root, wire.people(setting.recipients))
        most = _killed(stage)
        zombie = _stopped(stage)
        stage.finish()
        return _counted(stage, most, zombie) | {"wall_s": round(time.monotonic() - started, 1)}


def _killed(stage: Stage) -> int:
    """Kill workers at random moments, evenly over four fifths of the mails; returns the most messages that one kill left unknown."""
    chance = random.Random(stage.setting.seed)
    share = stage.setting.recipients * 4 // 5 / max(1, stage.setting.kills)
    most = 0
    stage.fill()
    for number in range(stage.setting.kills):
        goal = int(share * (number + chance.random()))
        stage.wait_for(lambda goal=goal: len(stage.arrived()) >= goal)  # type: ignore[misc]
        worker = _sending(stage, chance)
        time.sleep(chance.random() * 0.05)
        worker.kill()
        worker.wait()
        before = _unknown(stage)
        recover(stage.engine, stage.root / ".vesper")
        most = max(most, _unknown(stage) - before)
        stage.fill()
    return most


def _sending(stage: Stage, chance: random.Random) -> "subprocess.Popen[str]":
    """A worker that lives and has said that it begins."""
    stage.fill()
    worker = chance.choice(stage.alive)
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


def _stopped(stage: Stage) -> dict[str, int]:
    """Stop a worker past its short lease, let the others finish, and let it go on."""
    ended = len(stage.alive)
    for worker in stage.alive:
        worker.kill()
        worker.wait()
    recover(stage.engine, stage.root / ".vesper")
    stage.alive = []
    zombie = stage.start(LEASE)
    assert zombie.stdout is not None
    zombie.stdout.readline()
    before = len(stage.arrived())
    stage.wait_for(lambda: len(stage.arrived()) > before + 3 or zombie.poll() is not None)
    zombie.send_signal(signal.SIGSTOP)
    unknown = _unknown(stage)
    stage.alive = []
    time.sleep(1.5 * LEASE)
    stage.fill()
    stage.finish()
    lapsed = _unknown(stage) - unknown
    zombie.send_signal(signal.SIGCONT)
    zombie.wait(PATIENCE)
    return {"killed_before": ended, "lapsed": lapsed, "unknown_after_resume": _unknown(stage) - unknown}


def _unknown(stage: Stage) -> int:
    return sum(state == "unknown" for state in stage.states().values())


def _counted(stage: Stage, most: int, zombie: dict[str, int]) -> dict[str, Any]:
    """What arrived, before and after reconciling. A mail is lost when it neither arrived nor is listed as unknown."""
    arrived, states = stage.arrived(), stage.states()
    unknown = {id for id, state in states.items() if state == "unknown"}
    losses = states.keys() - arrived.keys() - unknown
    setting = stage.setting
    before = {
        "unknown": len(unknown),
        "unknown_that_arrived": len(unknown & arrived.keys()),
        "losses": len(losses),
        "accepted_but_absent": sum(state == "accepted" and id not in arrived for id, state in states.items()),
    }
    verdicts = _reconciled(stage)
    after, final = stage.arrived(), stage.states()
    ends, left = Counter(final.values()), {id for id, state in final.items() if state == "unknown"}
    bound = stage.setting.connections
    result = {
        "kills": setting.kills,
        "duplicates": sum(count - 1 for count in after.values()),
        **before,
        "unknown_most_per_kill": most,
        "unknown_bound_per_kill": bound,
        "zombie": zombie,
        "delivered": len(after),
        "delivered_before_reconciliation": len(arrived),
        "recipients": setting.recipients,
        "reconciled": dict(verdicts),
        "states": dict(ends),
    }
    is_good = (
        result["duplicates"] == result["losses"] == result["accepted_but_absent"] == 0
        and most <= bound
        and len(unknown) <= bound * (setting.kills + zombie["killed_before"] + 1)
        and zombie["lapsed"] <= bound
        and len(after.keys() | left) == setting.recipients
        and ends["accepted"] + ends["unknown"] == setting.recipients
        and (not ends["unknown"] or not setting.wire.tells_all)
    )
    return result | {"is_good": is_good}


def _reconciled(stage: Stage) -> Counter[str]:
    """Look where the channel's reconciler looks, settle, and send what was surely not taken."""
    time.sleep(1.0)  # what a killed worker had written may still lie in the server's buffer
    wire = stage.setting.wire
    space, _known = wire.company(stage.root, stage.server)
    place = wire.evidence(space, stage.engine, stage.sink, wire.people(stage.setting.recipients))
    rules = Rules(place.shown(), lambda _, at: place.covers(at), lambda _: False, dt.timedelta(seconds=1), "the sink")
    verdicts = reconcile(stage.engine, rules)
    stage.fill()
    stage.finish()
    return verdicts


def _end(stage: Stage) -> None:
    for worker in stage.alive:
        worker.kill()
        worker.wait()
