"""A workspace's Prefect server: start it, find it, borrow it for one run, stop it. One server per workspace; its address stands in server.json."""

import atexit
import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments import child
from deployments.api import Api
from deployments.environment import api_url, environment, home, of_a_short_run, port_for

BOOT_SECONDS = 180
_STARTED: dict[Path, "Server"] = {}


class ServerFailed(Exception):
    """The server did not come up; says why in one sentence."""


@dataclass
class Server:
    """A server that this process has started (`process`) or found running (no process)."""

    root: Path
    port: int
    process: child.Child | None = None

    @property
    def api(self) -> Api:
        return Api(api_url(self.port))

    @property
    def ui_url(self) -> str:
        return self.api.url.removesuffix("/api")

    @property
    def variables(self) -> dict[str, str]:
        """The environment of everything that speaks to this server."""
        return environment(self.root, self.port)

    def wait(self, seconds: float = BOOT_SECONDS) -> "Server":
        """Return when it answers, and write its address; raises ServerFailed when it has ended or the time is over."""
        over_at = time.monotonic() + seconds
        while not self.api.is_healthy():
            if self.process and not self.process.is_alive():
                raise ServerFailed(
                    f"The Prefect server stopped while starting; its log {self.process.log} ends with:\n{self.process.last_words()}"
                )
            if time.monotonic() > over_at:
                raise ServerFailed(
                    f"The Prefect server did not answer at {self.api.url} within {seconds:.0f} s; see {home(self.root) / 'server.log'}"
                )
            time.sleep(0.2)
        if self.process:
            _write_address(self)
        return self

    def stop(self) -> None:
        """Stop it if this process has started it; a server that was found running is left alone."""
        if self.process:
            atexit.unregister(self.stop)
            self.process.stop()
            _forget_address(self.root, self.process.process.pid)


def start_server(root: Path, *, short: bool = False) -> Server:
    """Start the server and return at once, so that it boots beside other work; `Server.wait` waits for it. The first boot migrates its database."""
    port = port_for(root)
    variables = environment(root, port) | (of_a_short_run() if short else {})
    server = Server(
        root, port, child.start(["deployments.dashboard", "server", "start"], variables, home(root) / "server.log")
    )
    atexit.register(server.stop)
    return server


def running_server(root: Path) -> str | None:
    """The API's address if this workspace's server answers; None otherwise, also when a killed one has left its file behind."""
    found = _found(root)
    return found.api.url if found else None


@contextmanager
def server_for_a_run(root: Path) -> Iterator[Server]:
    """The running server of the workspace, or one started for this block and stopped after it. It may still be booting: call `wait()`.

    Open it early, before work that needs no server: the boot then runs beside that work. A block inside another one shares its server.
    """
    place = root.resolve()
    known = _STARTED.get(place) or _found(place)
    if known:
        yield known
        return
    server = _STARTED[place] = start_server(place, short=True)
    try:
        yield server
    finally:
        del _STARTED[place]
        server.stop()


def _found(root: Path) -> Server | None:
    try:
        written = json.loads(address_file(root).read_text(encoding="utf-8"))
        port, pid = int(written["port"]), int(written["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return None
    server = Server(root, port)
    return server if server.api.is_healthy() else None


def address_file(root: Path) -> Path:
    return root.resolve() / ".vesper" / "server.json"


def _write_address(server: Server) -> None:
    assert server.process is not None
    pid = server.process.process.pid
    file = address_file(server.root)
    new = file.with_suffix(f".{pid}")
    new.write_text(
        json.dumps({"api_url": server.api.url, "ui_url": server.ui_url, "port": server.port, "pid": pid}) + "\n",
        encoding="utf-8",
    )
    new.replace(file)


def _forget_address(root: Path, pid: int) -> None:
    """Remove the file, unless another server has written it meanwhile."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        if int(json.loads(address_file(root).read_text(encoding="utf-8"))["pid"]) == pid:
            address_file(root).unlink()
