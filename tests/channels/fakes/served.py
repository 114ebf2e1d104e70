"""Serves a fake provider on loopback: in a thread of this process, or as a process of its own that outlives those who are killed.

`python -m tests.channels.fakes.served PROVIDER FOLDER [PAUSE]` prints its port and serves until it is killed.
"""

import importlib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

KEY_ID, KEY_SECRET = "AKIDexample0001", "example-secret-0001"
STARTED_SECONDS = 20


def _server(app: Any) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of an ASGI app, `http://127.0.0.1:PORT`, while it is served."""
    server = _server(app)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + STARTED_SECONDS
    while not server.started and time.monotonic() < ends:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def main(provider: str, folder: str, pause: str = "0") -> None:
    """One fake until killed."""
    module = importlib.import_module(f"tests.channels.fakes.{provider}")
    Path(folder).mkdir(parents=True, exist_ok=True)
    with served(module.Fake(Path(folder), pause=float(pause)).app) as address:
        print(address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
