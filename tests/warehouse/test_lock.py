"""One run at a time for a workspace: a second process is refused with a sentence, and a kill releases the lock."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from warehouse.lock import WorkspaceBusy, run_lock

HOLD = """
import sys, time
from pathlib import Path
from warehouse.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_process(store: Path, repository: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_a_kill_releases(tmp_path: Path, repository: Path) -> None:
    store = tmp_path / ".vesper"
    with another_process(store, repository) as process:
        with pytest.raises(WorkspaceBusy) as refused, run_lock(store):
            pass
        assert str(refused.value) == f"{tmp_path} is in use by process {process.pid}; wait for it or stop it"
        process.send_signal(signal.SIGKILL)
        process.wait()
        with run_lock(store) as fresh:
            assert fresh


def test_the_holder_may_enter_again_and_only_the_first_is_fresh(tmp_path: Path, repository: Path) -> None:
    with run_lock(tmp_path) as first:
        with run_lock(tmp_path) as second:
            assert (first, second) == (True, False)
        with pytest.raises(AssertionError), another_process(tmp_path, repository):
            pass
    with another_process(tmp_path, repository):
        pass
    with run_lock(tmp_path) as again:
        assert again


def test_two_workspaces_do_not_wait_for_each_other(tmp_path: Path, repository: Path) -> None:
    with another_process(tmp_path / "one", repository), run_lock(tmp_path / "two") as fresh:
        assert fresh
