"""Killing `vesper run nightly` at random moments and looking at what is left: for the tests (3 kills) and the bench (20).

What belongs here: the moments, the processes, the comparison. What does not: any judgement of how many kills are enough.
A moment is not a time of day but a place in the night: a stage, so many steps into it (a file of the lake or a mail is a step), and a
pause; so a slow machine is killed at the same places as a fast one.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.night import WORDS
from tests.night.looking import engine_of, ledger_rows, letters, mails, manifest, messages
from tests.small_grocer import change
from vesper.marts import all_marts, reads
from vesper.marts.handover import RAW_NOTICE
from vesper.marts.message import RAW_MESSAGE
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import TOUCH

PATIENCE = 300
LONGEST_PAUSE = 0.4
# The server's pause between keeping a mail and saying so: the moment that makes a mail unknown.
SLOW_ANSWER = 0.01
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Moment:
    """So many steps into a stage, and then so many seconds."""

    stage: str
    steps: int
    pause: float


@dataclass(frozen=True)
class Killed:
    """A night that was killed: at which moments, and how many of them a rerun found already behind it."""

    moments: tuple[Moment, ...]
    kills: int


def moments(count: int, steps: dict[str, int], seed: int) -> list[Moment]:
    """Random moments, spread evenly over the stages, sending first; in the order of the night, since a rerun passes what was published."""
    chance = random.Random(seed)
    others = [word for word in WORDS if word != "send"]
    chance.shuffle(others)
    stages = (["send", *others] * count)[:count]
    chosen = [Moment(s, chance.randint(0, steps.get(s, 0)), chance.uniform(0, LONGEST_PAUSE)) for s in stages]
    return sorted(chosen, key=lambda one: (WORDS.index(one.stage), one.steps))


def steps_of(root: Path, sink: Path) -> dict[str, int]:
    """How many files and mails each stage of an uninterrupted night made (of the newest run of each stage)."""
    parts = """select run.stage, count(*) from run join snapshot using (run_id) join snapshot_part on from_snapshot = snapshot_id
        where run.business_on = (select max(business_on) from run) group by run.stage"""
    with closing(sqlite3.connect(_ledger(root))) as connection:
        found = dict(connection.execute(parts).fetchall())
    return found | {"send": found.get("send", 0) + len(list(sink.glob("*.eml")))}


def run_and_kill(root: Path, seed_moments: list[Moment], sink: Path) -> Killed:
    """Kill a night at each moment, and then let it end. The workspace must name the server of `outside_sink`."""
    kills = sum(_killed(root, moment, sink) for moment in seed_moments)
    finish(root)
    return Killed(tuple(seed_moments), kills)


def finish(root: Path) -> str:
    """Run the night to its end; returns what it said."""
    with _night(root) as process:
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        return str(out)


def _killed(root: Path, moment: Moment, sink: Path) -> bool:
    """False when the night was over before the moment came."""
    known = len(_runs(root))
    with _night(root) as process:
        ends = time.monotonic() + PATIENCE
        reached = 0.0
        before = 0
        while process.poll() is None:
            assert time.monotonic() < ends, f"the night stands still before {moment}"
            stage = _stage(root, known)
            if stage and WORDS.index(stage) > WORDS.index(moment.stage):
                break
            if stage == moment.stage:
                now = _made(root, sink)
                if not reached:
                    before, reached = now, time.monotonic()
                if now - before >= moment.steps and not _wait(process, moment.pause):
                    break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        return process.wait() < 0


def _wait(process: "subprocess.Popen[str]", seconds: float) -> bool:
    """Pause; whether the process ended meanwhile."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stage(root: Path, known: int) -> str | None:
    """The stage that the newest run row names, None while this process has not begun one."""
    stages = _runs(root)
    return stages[-1] if len(stages) > known else None


def _runs(root: Path) -> list[str]:
    """The stages of all runs, oldest first; none before the ledger stands."""
    if not _ledger(root).is_file():
        return []
    with closing(sqlite3.connect(f"file:{_ledger(root)}?mode=ro", uri=True)) as connection:
        try:
            return [row[0] for row in connection.execute("select stage from run order by rowid")]
        except sqlite3.OperationalError:
            return []


def _ledger(root: Path) -> Path:
    return root / ".vesper" / "ledger.db"


def _made(root: Path, sink: Path) -> int:
    lake = root / ".vesper" / "lake"
    return sum(1 for _ in lake.glob("*/*.parquet")) + sum(1 for _ in sink.glob("*.eml"))


@contextmanager
def _night(root: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "cli", "run", "nightly", "--workspace", str(root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env={**os.environ}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def outside_sink(root: Path, sink: Path) -> Iterator[None]:
    """A mail server that outlives the night; the workspace's settings name it while the block lasts."""
    command = [sys.executable, "-m", "connectors.channels.sink", str(sink), "0", str(SLOW_ANSWER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        try:
            assert server.stdout is not None
            address = f'server = "127.0.0.1:{server.stdout.readline().strip()}"'
            change(root / "vesper.toml", 'server = "loopback"', address)
            yield
            change(root / "vesper.toml", address, 'server = "loopback"')
        finally:
            server.kill()


def faults(whole: Path, killed: Path, sink: Path) -> list[str]:
    """What differs between a night that was killed and one that was not: none when kills leave no trace but unknown mails."""
    expected, found = manifest(whole), manifest(killed)
    state = messages(killed)
    unknown = {id for id, is_now in state.items() if is_now == "unknown"}
    # A message whose fate is unknown is counted so; what counts messages may then differ, and nothing else may.
    told = letters(killed)
    spared = _speaking_of_messages(killed) if unknown or "unknown" in told.values() else set()
    differing = [
        name for name in sorted(expected | found) if expected.get(name) != found.get(name) and name not in spared
    ]
    arrived = mails(sink)
    lines = [f"{name} differs" for name in differing]
    lines += [f"mail {id} arrived {count} times" for id, count in arrived.items() if count > 1]
    lines += [f"mail {id} was never intended" for id in arrived.keys() - state.keys() - told.keys()]
    lines += [f"mail {id} is {state[id]} and did not arrive" for id in state.keys() - arrived.keys() - unknown]
    if set(state) != set(messages(whole)):
        lines.append("the intended messages differ")
    if {row[0] for row in ledger_rows(killed, TOUCH)} != {row[0] for row in ledger_rows(whole, TOUCH)}:
        lines.append("the touches differ")
    return lines + [f"a run is left {state}" for state in _unfinished(killed)]


def unknown_mails(root: Path) -> int:
    return sum(state == "unknown" for state in messages(root).values())


def _unfinished(root: Path) -> list[str]:
    engine = engine_of(root)
    with reading(engine) as connection:
        states = connection.exec_driver_sql("select distinct state from run").scalars().all()
    engine.dispose()
    return sorted(set(states) - {"published", "crashed"})


def _speaking_of_messages(root: Path) -> set[str]:
    """Tables whose rows come from the ledger's messages or notices, directly or through another table."""
    house = House.open(root)
    night = house.night(house.business_on())
    house.close()
    read = {name: reads(mart.select(night)) for name, mart in all_marts().items()}
    speaking = {RAW_MESSAGE.name, RAW_NOTICE.name}
    while more := {name for name, inputs in read.items() if inputs & speaking} - speaking:
        speaking |= more
    return speaking
