"""Every received row is new, changed, unchanged, superseded or set aside, whatever comes in whatever order, and also when the night is killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.night_of import OneSource, csv_source, csv_text, day

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("王芳", "李雷", "韩梅梅", "")
Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class File:
    """Rows of one day, and the night by which they came: on time or later."""

    rows: tuple[tuple[str, str], ...]
    late: int


ROW = st.tuples(st.sampled_from(["", *"12345"]), st.sampled_from(NAMES))
FILES = st.lists(
    st.builds(File, st.lists(ROW, max_size=6).map(tuple), st.sampled_from([0, 0, 0, 1])), min_size=1, max_size=4
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose ledger is made: copying it is quicker than making it again."""
    root = tmp_path_factory.mktemp("empty") / "company"
    company = OneSource(root, csv_source())
    company.land(day(0), csv_text({}), arrives=day(90))
    company.night(day(0))
    company.path(day(0)).unlink()
    return root


def text(rows: Sequence[tuple[str, str]]) -> str:
    return "编号,姓名,手机\n" + "".join(f"{key},{name},1\n" for key, name in rows)


def company_of(empty: Path, to: Path, files: Sequence[File]) -> OneSource:
    """The workspace with all its files landed, each with the time at which it came."""
    shutil.copytree(empty, to)
    company = OneSource(to, csv_source())
    for number, file in enumerate(files):
        path = company.land(day(number), text(file.rows), arrives=day(number + file.late))
        at = path.stat().st_mtime + number
        os.utime(path, (at, at))
    return company


def expected(files: Sequence[File]) -> dict[str, str | None]:
    """The last word about each key, in the order of arrival."""
    order = sorted(range(len(files)), key=lambda number: (number + files[number].late, number))
    return {key: name or None for number in order for key, name in files[number].rows if key}


def table(company: OneSource) -> dict[str, str | None]:
    return {row["member_id"]: row["name"] for row in company.rows()}


@pytest.mark.requirement("R1", "R10")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES, spills=st.booleans())
def test_nothing_is_lost_and_nothing_comes_twice(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, files: list[File], spills: bool
) -> None:
    folder = tmp_path_factory.mktemp("c")
    company = company_of(empty, folder / "nightly", files)
    with patch("tasks.incoming.SPILL_ABOVE", 0 if spills else 1 << 30):
        known: dict[str, str | None] = {}
        for number in range(len(files) + 1):
            came = [file for place, file in enumerate(files) if place + file.late == number]
            counts = company.night(day(number)).counts
            assert counts.get("received", 0) == sum(len(file.rows) for file in came)
            assert counts.get("quarantined", 0) == sum(not key for file in came for key, _ in file.rows)
            after = table(company)
            assert counts.get("new", 0) == len(after.keys() - known.keys())
            assert known.keys() <= after.keys()
            known = after
        assert known == expected(files)
        at_once = company_of(empty, folder / "at_once", files)
        at_once.night(day(len(files)))
        assert at_once.rows() == company.rows()


@pytest.mark.requirement("R1")
def test_a_file_twice_and_its_overlapping_successor_add_nothing(empty: Path, tmp_path: Path) -> None:
    rows = tuple((str(number), "王芳") for number in range(50))
    longer = (*rows[20:], ("99", "李雷"))
    company = company_of(empty, tmp_path / "company", [File(rows, 0), File(rows, 0), File(longer, 0)])
    first = company.night(day(0)).counts
    again = company.night(day(1)).counts
    overlap = company.night(day(2)).counts
    assert (first["new"], again["unchanged"], overlap["unchanged"], overlap["new"]) == (50, 50, 30, 1)
    assert again["new"] == again["changed"] == overlap["changed"] == 0
    shutil.copy2(company.path(day(2)), company.path(day(3)))
    assert company.night(day(3)).counts["unchanged"] == 31
    assert company.night(day(4)).counts == {}


def nights(root: Path, first: int, last: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.sources.kill_process", str(root), str(first), str(last)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.requirement("R1", "R88")
def test_after_kills_the_rows_are_those_of_undisturbed_nights(empty: Path, tmp_path: Path) -> None:
    """Overlapping files, SIGKILL at three places of the nights, and what is left is finished."""
    chance = random.Random(3)
    keys = [str(number) for number in range(2000)]
    files = [File(tuple((key, chance.choice(NAMES)) for key in chance.sample(keys, 800)), 0) for _ in range(4)]
    whole = company_of(empty, tmp_path / "whole", files)
    for number in range(4):
        whole.night(day(number))
    killed = company_of(empty, tmp_path / "killed", files)
    kills = 0
    for number in range(3):
        process = nights(killed.root, number, 4)
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills == 3
    assert nights(killed.root, 0, 4).wait() == 0
    assert table(killed) == table(whole) == expected(files)
    assert killed.rows() == whole.rows()
