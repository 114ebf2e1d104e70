"""A child process ends with its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import sys, time
from pathlib import Path
from deployments.child import start
print(start(["http.server", "0", "--bind", "127.0.0.1"], {}, Path(sys.argv[1])).process.pid, flush=True)
time.sleep(600)
"""


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads process states from /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent(ending: signal.Signals, tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "child.log")]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_there(child)
        os.kill(parent.pid, ending)
        parent.wait()
    over_at = time.monotonic() + 60
    while is_there(child) and time.monotonic() < over_at:
        time.sleep(0.05)
    assert not is_there(child)
