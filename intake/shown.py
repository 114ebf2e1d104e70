"""What the dashboard sees of the tick: a run of the flow `tick` for each minute in which it did work, and none for the others.

What belongs here: gathering, and Prefect's calls. What does not: what was done (`tasks/tick.py`). Over Prefect's HTTP interface and not by Prefect
itself: importing it costs more than a whole hour of idling may. The dashboard is a view; without it the tick goes on all the same.
"""

import os
import threading
import time
from datetime import UTC, datetime

import requests

from deployments.api import Api
from tasks.tick import Done
from vesper.language import translator
from vesper.model.workspace import Workspace

EVERY_SECONDS = 60.0
VARIABLE = "PREFECT_API_URL"
FLOW = "tick"


class Shown:
    """Gathers what turns did and shows it now and then. Both loops write to it."""

    def __init__(self, workspace: Workspace) -> None:
        self._ = translator(workspace.company.language)
        url = os.environ.get(VARIABLE, "")
        self._api = Api(url, timeout_seconds=10) if url else None
        self._lock = threading.Lock()
        self._kept: Done | None = None
        self._since = datetime.now(UTC)
        self._next_at = 0.0
        self._flow_id: str | None = None

    def keep(self, done: Done) -> None:
        """Take in what a turn did; a turn without work is nothing."""
        if not done.is_work:
            return
        with self._lock:
            if self._kept is None:
                self._kept, self._since = Done(), datetime.now(UTC)
            self._kept.add(done)

    def show(self, at_once: bool = False) -> None:
        """Make a run of what was gathered, if there is anything and the last one is a minute old."""
        if self._kept is None or (time.monotonic() < self._next_at and not at_once):
            return
        with self._lock:
            done, self._kept = self._kept, None
        self._next_at = time.monotonic() + EVERY_SECONDS
        if self._api is None or done is None:
            return
        try:
            self._make(self._api, done)
        except (requests.RequestException, RuntimeError) as error:
            print(f"the dashboard could not be told: {type(error).__name__}", flush=True)

    def _make(self, api: Api, done: Done) -> None:
        if self._flow_id is None:
            self._flow_id = api.post("flows/", {"name": FLOW})["id"]
        lines = done.lines(self._)
        body = {"flow_id": self._flow_id, "name": f"tick {self._since:%Y-%m-%d %H:%M}", "tags": ["send"]}
        run = api.post("flow_runs/", {**body, "state": {"type": "RUNNING", "name": "Running"}})
        artifact = {
            "key": FLOW,
            "type": "markdown",
            "data": "\n".join(lines),
            "description": FLOW,
            "flow_run_id": run["id"],
        }
        api.post("artifacts/", artifact)
        state = {"type": "COMPLETED", "name": "Completed", "message": lines[0]}
        api.post(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})
