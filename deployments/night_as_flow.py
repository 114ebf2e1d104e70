"""A night as a flow run of this process, on the workspace's server or one started for it: what `make run` does, so that the dashboard shows the night.

What belongs here: the way into Prefect and out of it. What does not: which stages there are (`tasks/night.py`) and how a run looks (`flows/`).
"""

import contextlib
import datetime as dt
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from deployments.left_over import crash_lost_runs
from deployments.server import Server, server_for_a_run
from vesper.stage_report import StageReport

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SETTLE_SECONDS = 20
TAGS = ["night", "terminal"]


def run_as_flow(
    root: Path,
    business_on: dt.date,
    may_send: bool,
    stages: Sequence[str],
    tell: Callable[[StageReport], None] | None = None,
) -> list[StageReport]:
    """Run stages of a night as one flow run of this process, on the workspace's server or one started for it.

    `tell` is called with each stage's report as soon as it has published. Returns the reports in order.
    Raises StageFailed (with the report of the stage that failed) and ServerFailed.
    """
    with server_for_a_run(root) as server:
        server.wait()
        if server.process:
            crash_lost_runs(server.api)
        with connected(server):
            from flows.ending import failure_of
            from flows.nightly import nightly
            from flows.stage import LISTENER

            if tell:
                LISTENER.set(tell)
            state = nightly(
                workspace=root.resolve(),
                business_on=business_on,
                may_send=may_send,
                stages=list(stages),
                return_state=True,
            )
            settle(server, state)
        if not state.is_completed():
            raise failure_of(state)
        return cast(list[StageReport], state.result())


@contextmanager
def connected(server: Server) -> Iterator[None]:
    """Flows of this process run on this server inside the block. Prefect is imported here, after its environment stands.

    The two couriers that carry events and logs are started before any run: started by a run they would keep its context, and with it DuckDB's
    types, until the process ends, where DuckDB then complains.
    """
    os.environ.update(server.variables | {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"})
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    with temporary_settings({PREFECT_API_URL: server.api.url, PREFECT_LOGGING_TO_API_ENABLED: True}):
        EventsWorker.instance()
        APILogWorker.instance()
        yield


def settle(server: Server, state: "State") -> None:
    """Wait until the dashboard has what this process has sent: steps reach it as events, and the server may be stopped right after."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    with contextlib.suppress(Exception):  # the night stands; at worst a step is shown as running
        EventsWorker.drain_all()
        APILogWorker.drain_all(timeout=5)
        run_id = str(state.state_details.flow_run_id)
        # Tagged after the run: the tasks of a tagged run would each ask for a slot per tag, with a courier of its own.
        server.api.patch(f"flow_runs/{run_id}", {"tags": TAGS})
        open_steps = {
            "flow_runs": {"id": {"any_": [run_id]}},
            "task_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}},
        }
        over_at = time.monotonic() + SETTLE_SECONDS
        while server.api.post("task_runs/count", open_steps) and time.monotonic() < over_at:
            time.sleep(0.2)
        time.sleep(1.5)  # the event feed is written once a second
