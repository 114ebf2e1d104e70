"""`vesper up`: server, every deployment, the runner, the tick and the web app with one command, until Ctrl+C.

What belongs here: the order in which the parts start and stop. What does not: their settings (`environment.py`), the deployments (`registry.py`).
The command line finds the other ways to a server here as well: a server for one run, and a night as a flow run.
"""

import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from deployments import child
from deployments.environment import home, ready_file
from deployments.kept import Kept, kept_of
from deployments.left_over import crash_lost_runs, forget_deployments, register_zombie_automation, skip_missed_starts
from deployments.night_as_flow import run_as_flow
from deployments.registry import Deployment, deployments_of
from deployments.server import Server, ServerFailed, running_server, server_for_a_run, start_server
from vesper.clock import now
from vesper.load import read_workspace

__all__ = ["ServerFailed", "run_as_flow", "running_server", "server_for_a_run", "up"]

Say = Callable[[str], None]
REGISTER_SECONDS = 180


def up(root: Path, say: Say = print) -> int:
    """Everything of a workspace, until SIGINT or SIGTERM. Returns an exit code: 0 when told to stop, 1 when a part has died by itself.

    Raises ServerFailed with one sentence when the server does not come up.
    """
    workspace = read_workspace(root)
    already = running_server(root)
    if already:
        say(f"Vesper is up already: {already.removesuffix('/api')}")
        return 0
    with _told_to_stop() as stop, ExitStack() as parts:
        say("Starting the Prefect server; the first start takes half a minute, because it sets up its database.")
        server = start_server(root)
        parts.callback(_stop, "server", server.stop, say)
        server.wait()
        say(f"Server: {server.api.url}")
        entries = deployments_of(workspace)
        _put_right(root, server, entries, say)
        runner = child.start(["deployments.serve", str(root.resolve())], server.variables, home(root) / "runner.log")
        parts.callback(_stop, "runner", runner.stop, say)
        _wait_for_deployments(runner, ready_file(root), stop)
        say(
            f"Runner: {len(entries)} forms and schedules; prepare at 20:00 and score at 21:00, {workspace.company.zone}"
        )
        kept = _keep_alive(kept_of(workspace, server.variables), parts, say)
        if workspace.intake.address:
            say(f"Intake: {workspace.intake.address} by way of {workspace.intake.host}:{workspace.intake.port}")
        say(f"Dashboard: {server.ui_url} (Ctrl+C stops everything)")
        return _supervise({"server": server.process, "runner": runner}, kept, stop, say)


def _keep_alive(kept: list[Kept], parts: ExitStack, say: Say) -> list[Kept]:
    """Start the processes that act between two nights."""
    for one in kept:
        one.start()
        parts.callback(_stop, one.name, one.stop, say)
    return kept


def _put_right(root: Path, server: Server, entries: list[Deployment], say: Say) -> None:
    """What an earlier server left: lost runs, missed starts, deployments that are gone from the registry."""
    register_zombie_automation(server.api)
    forget_deployments(server.api, {entry.name for entry in entries})
    lost, missed = crash_lost_runs(server.api), skip_missed_starts(server.api, now().replace(tzinfo=dt.UTC))
    if lost:
        say(f"{lost} runs of before had no process any more; they are marked Crashed.")
    if missed:
        sentence = (
            f"{missed} scheduled starts were missed while Vesper was down; the latest of each is made up for, "
            "`vesper backfill` computes the others."
        )
        say(sentence)
        _tell_owner(root, sentence, say)


def _tell_owner(root: Path, sentence: str, say: Say) -> None:
    """A night that did not start is told outside Prefect, too (R112)."""
    from tasks.notices import tell_owner

    unsent = tell_owner(read_workspace(root), "nights did not start", sentence)
    if unsent:
        say(unsent)


def _wait_for_deployments(runner: child.Child, ready: Path, stop: threading.Event) -> None:
    """Until the runner has registered its whole list."""
    over_at = time.monotonic() + REGISTER_SECONDS
    while not stop.is_set() and not (ready.exists() and ready.read_text(encoding="utf-8") == str(runner.process.pid)):
        if not runner.is_alive():
            raise ServerFailed(
                f"The runner stopped while it registered; its log {runner.log} ends with:\n{runner.last_words()}"
            )
        if time.monotonic() > over_at:
            raise ServerFailed(
                f"The runner did not register its deployments within {REGISTER_SECONDS} s; see {runner.log}"
            )
        stop.wait(0.5)


def _supervise(parts: dict[str, Any], kept: list[Kept], stop: threading.Event, say: Say) -> int:
    """Wait for the word to stop; a part that ends before it ends the rest, but for those that are simply started again."""
    while not stop.wait(1):
        for sentence in filter(None, [one.look() for one in kept]):
            say(sentence)
        for name, part in parts.items():
            if not part.is_alive():
                say(f"The {name} has stopped by itself; its log {part.log} ends with:\n{part.last_words()}")
                return 1
    return 0


def _stop(name: str, stop: Callable[[], None], say: Say) -> None:
    stop()
    say(f"Stopped: {name}")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the former handlers come back after the block."""
    stop = threading.Event()
    before = {kind: signal.signal(kind, lambda *_: stop.set()) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
