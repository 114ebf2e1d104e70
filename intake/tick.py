"""The process that acts between two nights: `python -m intake.tick WORKSPACE`. Wakes every ten seconds, at once when something came in.

What belongs here: when a turn is due, what one that fails does, and the end. What does not: a turn (`tasks/tick.py`), what the dashboard is told
(`intake/shown.py`).

Two loops: one plans, one sends. A campaign that takes an hour to send must not let somebody wait an hour for the paper they asked for.
"""

import fcntl
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO

from intake.shown import Shown
from tasks.tick import Tick
from vesper.clock import now
from vesper.language import translator
from vesper.load import read_workspace
from warehouse.house import House

POLL_SECONDS = 1.0
WAKE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
NOTICES_SECONDS = 300.0
"""How often notices to sales are looked for: they keep hours, and gather in digests."""
AFTER_FAULT_SECONDS = 20.0
TELL_AFTER = 3
"""Failures in a row after which the owner is told: a ledger that is busy for a moment is no news."""


class Pause:
    """When something is looked at again: every WAKE_SECONDS, and more rarely while looking leads to nothing."""

    def __init__(self) -> None:
        self.seconds = WAKE_SECONDS
        self.next_at = 0.0

    def is_over(self) -> bool:
        """Whether it is time to look; if so the next time is set."""
        if time.monotonic() < self.next_at:
            return False
        self.next_at = time.monotonic() + WAKE_SECONDS
        return True

    def led_to(self, anything: bool) -> None:
        """What looking, and then acting, came to. What is due but cannot be done is tried again ever more rarely."""
        self.seconds = WAKE_SECONDS if anything else min(self.seconds * 2, LONGEST_PAUSE_SECONDS)
        self.next_at = time.monotonic() + self.seconds

    def end(self) -> None:
        """Look again at once."""
        self.seconds, self.next_at = WAKE_SECONDS, 0.0


class Planning:
    """The loop that plans: rows of the inbox as they come, waits every ten seconds."""

    def __init__(self, tick: Tick, shown: Shown, stop: threading.Event, sending: "Sending") -> None:
        self.tick, self.shown, self.stop, self.sending = tick, shown, stop, sending
        self.waits, self.faults = Pause(), Faults(tick.house)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop.is_set():
            try:
                is_more = self._look()
            except Exception as error:
                self.faults.keep(error)
                self.stop.wait(AFTER_FAULT_SECONDS)
                continue
            self.faults.none()
            self.shown.show()
            if not is_more:
                self.stop.wait(POLL_SECONDS)

    def _look(self) -> bool:
        """One look; whether to look again at once."""
        at = now()
        has_arrivals = self.tick.has_arrivals()
        waited = self.tick.waits_over(at) if self.waits.is_over() else []
        if not (has_arrivals or waited):
            return False
        done = self.tick.plan(at, waited)
        if waited:
            self.waits.led_to(any(done.figures.values()))
        self.shown.keep(done)
        if done.is_work:
            self.sending.wake()
        return has_arrivals and self.tick.has_arrivals()


class Sending(threading.Thread):
    """The loop that sends: at once when something was planned, else every ten seconds."""

    def __init__(self, tick: Tick, shown: Shown, stop: threading.Event) -> None:
        super().__init__(name="sending")
        self.tick, self.shown, self.stop = tick, shown, stop
        self.pause, self.faults = Pause(), Faults(tick.house)
        self._notices_at = 0.0
        self._woken = threading.Event()

    def wake(self) -> None:
        """Something was planned."""
        self.pause.end()
        self._woken.set()

    def run(self) -> None:
        """Until told to stop. What stands on the wire then is waited for."""
        while not self.stop.is_set():
            try:
                self._look()
                self.faults.none()
            except Exception as error:
                self.faults.keep(error)
                self.stop.wait(AFTER_FAULT_SECONDS)
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()

    def _look(self) -> None:
        if time.monotonic() >= self._notices_at:
            self._notices_at = time.monotonic() + NOTICES_SECONDS
            self.tick.tell_sales()
        if not self.pause.is_over() or not self.tick.has_due(now()):
            return
        done = self.tick.send(self.stop)
        self.pause.led_to(done.is_work)
        self.shown.keep(done)


def run(house: House, stop: threading.Event) -> None:
    """Both loops, until told to stop."""
    tick, shown = Tick(house), Shown(house.workspace)
    sending = Sending(tick, shown, stop)
    sending.start()
    try:
        Planning(tick, shown, stop, sending).run()
    finally:
        stop.set()
        sending.wake()
        sending.join()
        shown.show(at_once=True)


def main(root: Path) -> int:
    """Run until SIGTERM or SIGINT. Returns an exit code: 1 where there is nothing to do here."""
    workspace = read_workspace(root)
    if workspace.clock.mode != "live":
        print("A simulated clock has no time between two nights; the tick is for the live clock.", flush=True)
        return 1
    stop = threading.Event()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: stop.set())
    lock = _alone(workspace.store)
    if lock is None:
        print("Another process is this workspace's tick already.", flush=True)
        return 1
    house = House.open(root)
    try:
        run(house, stop)
    finally:
        house.close()
        lock.close()
    return 0


def _alone(store: Path) -> IO[str] | None:
    """The lock of the one tick of a workspace; the kernel gives it back when the process dies."""
    store.mkdir(parents=True, exist_ok=True)
    file = (store / "tick.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


class Faults:
    """What is done about turns that fail: the traceback kept, the owner told once of a row of failures. The turn itself is simply done again.

    A traceback may quote data, so it stands in a file of the workspace, one for each place in the code; the log says where.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.in_a_row = 0

    def keep(self, error: Exception) -> None:
        """Note a failure."""
        self.in_a_row += 1
        frame = traceback.extract_tb(error.__traceback__)[-1]
        folder = self.house.workspace.store / "faults"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"tick-{type(error).__name__}-{Path(frame.filename).stem}-{frame.lineno}.txt"
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        print(
            f"{now():%Y-%m-%d %H:%M:%S} a turn was stopped by {type(error).__name__}; see {path}",
            file=sys.stderr,
            flush=True,
        )
        if self.in_a_row == TELL_AFTER:
            self._tell(type(error).__name__, path)

    def none(self) -> None:
        """A turn went well."""
        self.in_a_row = 0

    def _tell(self, kind: str, path: Path) -> None:
        from tasks.notices import tell_owner

        _ = translator(self.house.workspace.company.language)
        said = _(
            "What comes in between the nights is kept but not acted on: the tick failed {count} times in a row ({kind}, traceback in {path}). "
            "Nothing is lost; it goes on by itself once the cause is gone. Run `vesper doctor`."
        ).format(count=self.in_a_row, kind=kind, path=path)
        unsent = tell_owner(self.house.workspace, "tick", said)
        if unsent:
            print(unsent, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
