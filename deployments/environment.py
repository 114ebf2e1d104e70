"""The environment of a workspace's Prefect: server, runner, flow runs and clients all get the same variables, set before they start.

What belongs here: names and values of settings, each with its reason. What does not: starting anything.
"""

import hashlib
import os
import socket
from pathlib import Path

HOST = "127.0.0.1"
HEARTBEAT_SECONDS = 30


def environment(root: Path, port: int) -> dict[str, str]:
    """Settings of the server at a port and of everything that speaks to it."""
    return {
        # The port goes by variable: `--port` leaves the dashboard looking for its API at 4200.
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_API_URL": api_url(port),
        "PREFECT_HOME": str(home(root)),
        # No analytics leave the machine. The second dashboard names an outside host whatever is set, so the first one is ours.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # A run whose process died is found by its missing heartbeat; 30 s is the shortest that Prefect allows.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        # A server that Prefect starts by itself would outlive a killed run.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        # Logs go to the dashboard; the terminal belongs to Vesper's own lines.
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",
        # Finished steps show within a second instead of five, also when the server stops right after a run.
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    }


def of_a_short_run() -> dict[str, str]:
    """What a server that lives for one run leaves off: it serves no timetable, so it must not plan runs or call them late."""
    services = (
        "SCHEDULER",
        "LATE_RUNS",
        "TRIGGERS",
        "FOREMAN",
        "PAUSE_EXPIRATIONS",
        "CANCELLATION_CLEANUP",
        "REPOSSESSOR",
    )
    return {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in services}


def home(root: Path) -> Path:
    """Where Prefect keeps its database and logs: inside the workspace."""
    return root.resolve() / ".vesper" / "prefect"


def ready_file(root: Path) -> Path:
    """Written by the runner, with its process id, when every deployment is registered."""
    return home(root) / "runner.ready"


def api_url(port: int) -> str:
    return f"http://{HOST}:{port}/api"


def port_for(root: Path) -> int:
    """PREFECT_SERVER_API_PORT if given; else the first free port from one that the workspace's path gives, so that bookmarks stay true."""
    given = os.environ.get("PREFECT_SERVER_API_PORT")
    if given:
        return int(given)
    first = 20000 + int.from_bytes(hashlib.sha256(str(root.resolve()).encode()).digest()[:4], "big") % 20000
    return next(port for port in range(first, first + 1000) if is_free(port))


def is_free(port: int) -> bool:
    """True when nothing listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
