"""SIGKILL while a night hands over: nobody is handed over twice or told twice, nobody is lost; what is unknown is listed (R62, R63)."""

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

from tests.handover.night_process import TEAM
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.handover_schema import HANDOVER, NOTICE

PEOPLE = 60
KILLS = 3
PATIENCE = 120


@contextmanager
def running(repository: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) as process:
        try:
            yield process
        finally:
            process.kill()


def mails(folder: Path) -> list[str]:
    return sorted(file.name.split(".")[0] for file in folder.glob("*.eml"))


def kill_in_flight(repository: Path, root: Path, folder: Path, server: str, after: int) -> None:
    """Start the night and kill it when so many mails more have arrived."""
    before = len(mails(folder))
    with running(repository, "tests.handover.night_process", str(root), server, str(PEOPLE)) as process:
        ends = time.monotonic() + PATIENCE
        while process.poll() is None and len(mails(folder)) < before + after:
            assert time.monotonic() < ends, "the night stands still"
            time.sleep(random.random() / 500)
        process.kill()
        assert process.wait() < 0, "it was done before"


@pytest.mark.slow
@pytest.mark.requirement("R62", "R63")
def test_after_kills_everybody_is_handed_over_once_and_told_at_most_once(repository: Path, tmp_path: Path) -> None:
    root, folder = tmp_path / "company", tmp_path / "mails"
    folder.mkdir()
    # Its pause between keeping a mail and saying so is the moment that makes a notice unknown.
    with running(repository, "connectors.channels.sink", str(folder), "0", "0.02") as sink:
        assert sink.stdout is not None
        server = f"127.0.0.1:{sink.stdout.readline().strip()}"
        for _ in range(KILLS):
            kill_in_flight(repository, root, folder, server, random.randint(2, 7))
        for _ in range(2):
            with running(repository, "tests.handover.night_process", str(root), server, str(PEOPLE)) as process:
                out, _err = process.communicate(timeout=PATIENCE)
                assert out.splitlines()[-1:] == ["done"]
    ledger = open_ledger(f"sqlite:///{root / '.vesper' / 'ledger.db'}")
    with ledger.connect() as connection:
        handed = Counter(connection.scalars(sa.select(HANDOVER.c.contact_id)))
        notices = connection.execute(sa.select(NOTICE)).all()
    ledger.dispose()
    assert len(handed) == PEOPLE and set(handed.values()) == {1}
    assert Counter(n.handover_id for n in notices) == Counter({n.handover_id: 1 for n in notices})
    assert {n.state for n in notices} <= {"accepted", "unknown"}
    arrived = Counter(mails(folder))
    assert set(arrived.values()) == {1}, "nobody was told twice"
    letters = {n.letter_id for n in notices if n.state == "accepted"}
    unknown = {n.letter_id for n in notices if n.state == "unknown"}
    assert letters <= set(arrived) <= letters | unknown
    assert len(unknown) <= KILLS
    assert len(letters | unknown) == TEAM
