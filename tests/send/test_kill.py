"""SIGKILL while mails go out: each intended mail once, apart from those the ledger lists as unknown, and never twice."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.send.company import attempts, mails, messages, touches
from tests.send.deliver_process import run
from warehouse.ledger.engine import open_ledger

PEOPLE = 16
MAILS = 3 * PEOPLE
KILLS = 3
PATIENCE = 120


@contextmanager
def running(repository: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository, env={**os.environ}) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_in_flight(repository: Path, root: Path, server: str, moment: int) -> bool:
    """Start a delivery and kill it when so many mails more have arrived; False when it was done before."""
    before = len(mails(root))
    with running(repository, "tests.send.deliver_process", str(root), server, str(PEOPLE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ends = time.monotonic() + PATIENCE
        while process.poll() is None and len(mails(root)) < before + moment:
            assert time.monotonic() < ends, "the delivery stands still"
            time.sleep(random.random() / 500)
        process.kill()
        return process.wait() < 0


def finished(repository: Path, root: Path, server: str) -> None:
    with running(repository, "tests.send.deliver_process", str(root), server, str(PEOPLE)) as process:
        out, _ = process.communicate(timeout=PATIENCE)
        assert out.splitlines()[-1:] == ["done"]


def ledger_of(root: Path) -> sa.Engine:
    return open_ledger(f"sqlite:///{root / '.vesper' / 'ledger.db'}")


@pytest.mark.slow
@pytest.mark.requirement("R86", "R88")
@pytest.mark.parametrize("server", ["outlives the run", "dies with the run"])
def test_after_kills_each_mail_arrived_once_or_is_listed_as_unknown(
    repository: Path, tmp_path: Path, server: str
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(whole, "loopback", PEOPLE)
    kills = 0
    if server == "dies with the run":
        for _ in range(KILLS):
            kills += kill_in_flight(repository, killed, "loopback", random.randint(1, MAILS // KILLS - 5))
        finished(repository, killed, "loopback")
    else:
        # Its pause between keeping a mail and saying so is the moment that makes a mail unknown.
        sink = ("connectors.channels.sink", str(killed / ".vesper" / "sink"), "0", "0.004")
        with running(repository, *sink) as process:
            assert process.stdout is not None
            address = f"127.0.0.1:{process.stdout.readline().strip()}"
            for _ in range(KILLS):
                kills += kill_in_flight(repository, killed, address, random.randint(1, MAILS // KILLS - 5))
            finished(repository, killed, address)
    assert kills == KILLS
    compare(whole, killed, kills)


def settled(ledger: sa.Engine, unknown: set[str]) -> list[object]:
    """Messages without their fence: one that was claimed and given back by a kill was claimed more often."""
    return [row._asdict() | {"fence": 0} for row in messages(ledger) if row.message_id not in unknown]


def compare(whole: Path, killed: Path, kills: int) -> None:
    expected, found = ledger_of(whole), ledger_of(killed)
    arrived, intended = Counter(mails(killed)), {row.message_id for row in messages(found)}
    unknown = {row.message_id for row in messages(found) if row.state == "unknown"}
    assert mails(whole) == sorted(intended)
    assert set(arrived.values()) <= {1}
    assert set(arrived) <= intended
    assert intended - set(arrived) <= unknown
    assert len(unknown) <= kills
    assert touches(found) == touches(expected)
    assert settled(found, unknown) == settled(expected, unknown)
    assert {row.code for row in attempts(found) if row.message_id in unknown} <= {"crash"}
    expected.dispose()
    found.dispose()


@pytest.mark.slow
@pytest.mark.requirement("R86", "R120")
def test_several_workers_are_killed_and_one_is_stopped_past_its_lease() -> None:
    """The bench, small: `python -m bench.send_crash --recipients 1500 --kills 15` is the same with more."""
    from bench.send_crash.workers import Setting, run

    found = run(Setting(recipients=120, kills=2, workers=2, connections=1, seed=random.randint(0, 10**6)), "sqlite")
    assert found["is_good"], found
