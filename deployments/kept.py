"""Processes that `vesper up` keeps alive: the tick and the web app. One that ends by itself is started again; the rest of the house goes on.

What belongs here: which they are for a workspace, and starting them again. What does not: a process on its lifeline (`child.py`), what they do
(`intake/`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deployments import child
from deployments.environment import home
from vesper.model.workspace import Workspace

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
STEADY_SECONDS = 600.0
"""Who lived so long has done with its bad start: the next pause is short again."""


@dataclass
class Kept:
    """One process that is always there. The pause before it is started again doubles with each early death."""

    name: str
    module: str
    root: Path
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    clock: Callable[[], float] = time.monotonic
    _child: child.Child | None = None
    _started_at: float = 0.0
    _pause: float = FIRST_PAUSE_SECONDS
    _again_at: float | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        log = home(self.root) / f"{self.name}.log"
        self._child = child.start([self.module, str(self.root.resolve())], self.variables, log)
        self._started_at, self._again_at = self.clock(), None

    def look(self) -> str | None:
        """See whether it lives, and start it again when its pause is over; a sentence when it has just been found dead."""
        if self._child is None or self._child.is_alive():
            return None
        if self._again_at is None:
            steady = self.clock() - self._started_at > STEADY_SECONDS
            self._pause = FIRST_PAUSE_SECONDS if steady else min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            self._again_at = self.clock() + self._pause
            return (
                f"The {self.name} has stopped by itself and is started again in {self._pause:.0f} s; its log {self._child.log} ends with:\n"
                f"{self._child.last_words()}"
            )
        if self.clock() >= self._again_at:
            self._child.stop()
            self.start()
        return None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._child.process.pid if self._child else None

    def stop(self) -> None:
        """Ask it to stop; returns when it is gone."""
        if self._child:
            self._child.stop()


def kept_of(workspace: Workspace, variables: dict[str, str]) -> list[Kept]:
    """What is kept alive for a workspace: the web app where it has an address, the tick on a live clock."""
    found = []
    if workspace.intake.address:
        found.append(Kept("intake", "intake.serve", workspace.root, variables))
    if workspace.clock.mode == "live":
        found.append(Kept("tick", "intake.tick", workspace.root, variables))
    return found
