"""What an earlier server left behind, put right when a new one starts: runs whose process is gone, and starts that were missed.

The automation sees a run whose heartbeat stops while the server is up; what stopped together with the server is closed here. Without this, such a run
would stand as Running for ever, and a Pending one would hold its deployment's only place.
"""

import datetime as dt
from collections import defaultdict
from typing import Any

from deployments.api import Api

ZOMBIES = "Vesper: a run without a heartbeat has crashed"
WITHIN_SECONDS = 90
ENDINGS = ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended")
GRACE = dt.timedelta(minutes=5)


def register_zombie_automation(api: Api) -> None:
    """Three missed heartbeats make a run Crashed. Created once; later starts bring it up to date."""
    wanted = _automation()
    known = api.post("automations/filter", {"automations": {"name": {"any_": [ZOMBIES]}}})
    if known:
        api.put(f"automations/{known[0]['id']}", wanted)
    else:
        api.post("automations/", wanted)


def crash_lost_runs(api: Api) -> int:
    """Close what a former server left unfinished; returns how many. Call it before anything new starts."""
    states = {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}
    lost = api.post("flow_runs/filter", {"flow_runs": states, "limit": 200})
    for run in lost:
        _set_state(
            api,
            run,
            "CRASHED",
            "Its process ended before it could report: the computer or the server was stopped. Start the form again.",
        )
    return len(lost)


def skip_missed_starts(api: Api, now: dt.datetime) -> int:
    """Of the starts that were missed while nothing ran, keep the latest of each deployment; returns how many were let go.

    Otherwise three missed evenings would start at once, and all but the first, tonight's too, would be cancelled for the one place.
    """
    before = (now - GRACE).isoformat()
    wanted = {"state": {"type": {"any_": ["SCHEDULED"]}}, "expected_start_time": {"before_": before}}
    runs = api.post("flow_runs/filter", {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_DESC", "limit": 200})
    by_deployment: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        by_deployment[run["deployment_id"]].append(run)
    missed = [run for starts in by_deployment.values() for run in starts[1:]]
    for run in missed:
        _set_state(
            api,
            run,
            "CANCELLED",
            "Missed: Vesper was not running then. The form `backfill` computes a missed night; it sends nothing.",
        )
    return len(missed)


def forget_deployments(api: Api, kept: set[str]) -> None:
    """Delete deployments of ours that are no longer registered, or the scheduler plans runs that nobody starts. Deployments of others stay."""
    for deployment in api.post("deployments/filter", {"limit": 200}):
        ours = (deployment["entrypoint"] or "").startswith("flows.")
        if ours and deployment["name"] not in kept:
            api.delete(f"deployments/{deployment['id']}")


def _set_state(api: Api, run: dict[str, Any], kind: str, message: str) -> None:
    state = {"type": kind, "name": kind.capitalize(), "message": message}
    api.post(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})


def _automation() -> dict[str, Any]:
    heartbeat = "prefect.flow-run.heartbeat"
    return {
        "name": ZOMBIES,
        "description": f"A flow run that gives no sign of life for {WITHIN_SECONDS} seconds is marked Crashed, so that its place is free again.",
        "enabled": True,
        "trigger": {
            "type": "event",
            "match": {"prefect.resource.id": "prefect.flow-run.*"},
            "for_each": ["prefect.resource.id"],
            "after": [heartbeat],
            "expect": [heartbeat, *(f"prefect.flow-run.{ending}" for ending in ENDINGS)],
            "posture": "Proactive",
            "threshold": 1,
            "within": WITHIN_SECONDS,
        },
        "actions": [
            {
                "type": "change-flow-run-state",
                "state": "CRASHED",
                "name": "Crashed",
                "message": f"No sign of life for {WITHIN_SECONDS} seconds: its process is gone. What was published stands; start the form again.",
            }
        ],
    }
