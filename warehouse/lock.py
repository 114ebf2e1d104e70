"""One run at a time per workspace: a flock that the kernel releases when the process dies, so a kill never leaves it behind."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_GUARD = threading.RLock()
_HELD: dict[Path, tuple[IO[str], int]] = {}


class WorkspaceBusy(Exception):
    """Another process runs in this workspace."""


@contextmanager
def run_lock(store: Path) -> Iterator[bool]:
    """Hold the workspace's lock; yields True when this call took it, False when this process held it already.

    Raises WorkspaceBusy, with the other process's id, when another process holds it.
    """
    path = store / "run.lock"
    fresh = _take(path)
    try:
        yield fresh
    finally:
        _give_back(path)


def _take(path: Path) -> bool:
    with _GUARD:
        if path in _HELD:
            file, count = _HELD[path]
            _HELD[path] = (file, count + 1)
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise WorkspaceBusy(f"{path.parent.parent} is in use by process {holder}; wait for it or stop it") from None
        _HELD[path] = (file, 1)
        _sign(file)
        return True


def _sign(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()


def _give_back(path: Path) -> None:
    with _GUARD:
        file, count = _HELD[path]
        if count > 1:
            _HELD[path] = (file, count - 1)
            return
        del _HELD[path]
        file.close()
