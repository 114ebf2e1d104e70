"""SIGKILL anywhere in an erasure: before its commit nothing has changed, after it everything will, and the end is the same bytes."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.night.looking import engine_of, files, ledger_rows, manifest
from tests.ops.erase_process import finish
from tests.ops.test_erase import Person
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import ERASED_RECORD, ERASURE, LEDGER, RECEIPT, SNAPSHOT, SNAPSHOT_PART

PATIENCE = 120
REPOSITORY = Path(__file__).resolve().parents[2]


def steps(root: Path) -> int:
    """Files of lake and landing, finished or not: each one that is written is a step of the erasure."""
    store = root / ".vesper"
    return sum(1 for folder in ("lake", "landing") for file in (store / folder).rglob("*") if file.is_file())


def state(root: Path) -> str | None:
    with closing(sqlite3.connect(f"file:{root / '.vesper' / 'ledger.db'}?mode=ro", uri=True)) as connection:
        found = connection.execute("select state from erasure").fetchall()
    return found[0][0] if found else None


def killed(root: Path, arguments: list[str], moment: "int | str") -> bool:
    """Kill a process when so many files more stand there, or when the erasure has come to a state; False when it was over before."""
    command = [sys.executable, "-m", "tests.ops.erase_process", str(root), *arguments]
    before, ends = steps(root), time.monotonic() + PATIENCE
    with subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ}) as process:
        while process.poll() is None:
            assert time.monotonic() < ends, "the erasure stands still"
            if state(root) == moment if isinstance(moment, str) else steps(root) >= before + moment:
                break
        process.send_signal(signal.SIGKILL)
        return process.wait() < 0


def landing(root: Path) -> dict[str, bytes]:
    folder = root / ".vesper" / "landing"
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def facts(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """The ledger without what a run's own clock and chance give it."""
    passing = {
        "run",
        "run_input",
        "erasure",
        "erased_file",
        "erased_record",
        "suppression",
        SNAPSHOT.name,
        SNAPSHOT_PART.name,
        RECEIPT.name,
    }
    kept = {table.name: ledger_rows(root, table) for table in LEDGER.sorted_tables if table.name not in passing}
    return kept | {"erased_record": sorted(row[1:] for row in ledger_rows(root, ERASED_RECORD))}


@pytest.mark.slow
@pytest.mark.requirement("R90", "R121")
def test_a_killed_erasure_is_finished_by_whoever_comes_next(grocer: Path, tmp_path: Path) -> None:
    who, chance = Person(grocer), random.Random(7)
    whole, broken = (Path(shutil.copytree(grocer, tmp_path / name / "grocer")) for name in ("whole", "broken"))
    subprocess.run([sys.executable, "-m", "tests.ops.erase_process", str(whole), who.id], cwd=REPOSITORY, check=True)
    original = manifest(grocer)
    assert killed(broken, [who.id], chance.randint(1, 20))
    assert manifest(broken) == original and state(broken) in (None, "begun")
    assert killed(broken, [], chance.randint(1, 10))
    assert killed(broken, [], "committed")
    assert state(broken) == "committed" and manifest(broken) == manifest(whole)
    finish(broken)
    assert finish(broken) == []
    compare(whole, broken)


def compare(whole: Path, broken: Path) -> None:
    assert manifest(broken) == manifest(whole)
    assert files(broken) == files(whole)
    assert {name: data for name, data in landing(broken).items() if not name.endswith(".xlsx")} == {
        name: data for name, data in landing(whole).items() if not name.endswith(".xlsx")
    }
    assert landing(broken).keys() == landing(whole).keys()
    assert facts(broken) == facts(whole)
    engine = engine_of(broken)
    with reading(engine) as connection:
        assert [tuple(row) for row in connection.execute(sa.select(ERASURE.c.state, ERASURE.c.residue))] == [
            ("done", "")
        ]
    engine.dispose()
    assert not list((broken / ".vesper" / "erasing").iterdir())
