"""One real server for the session, started the way people start it: `up` in a process of its own, on a workspace in the default zone."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployments.api import Api

UP = "import sys; from pathlib import Path; from deployments.up import up; sys.exit(up(Path(sys.argv[1]), lambda line: print(line, flush=True)))"
BOOT_SECONDS = 400
PLANNING_SECONDS = 180
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def workspace(root: Path, company: str) -> Path:
    (root / "definitions").mkdir(parents=True)
    (root / "vesper.toml").write_text(company, encoding="utf-8")
    return root


@dataclass
class Served:
    """The server that is up, its workspace, and the lines that `up` has said."""

    root: Path
    api: Api
    said: list[str]

    def deployment(self, name: str) -> dict[str, Any]:
        found = self.api.post("deployments/filter", {"deployments": {"name": {"any_": [name]}}})
        assert len(found) == 1, f"{name}: {len(found)} deployments"
        return dict(found[0])

    def run_of(self, id: str) -> dict[str, Any]:
        return dict(self.api.post("flow_runs/filter", {"flow_runs": {"id": {"any_": [id]}}})[0])

    def finished(self, id: str) -> dict[str, Any]:
        """The run, once it has ended."""
        over_at = time.monotonic() + BOOT_SECONDS
        while (run := self.run_of(id))["state"]["type"] not in FINAL and time.monotonic() < over_at:
            time.sleep(0.5)
        return run

    def scheduled(self, deployment: str) -> list[dict[str, Any]]:
        """Planned runs of a deployment; the server plans them some seconds after the deployment is registered."""
        mine = {
            "deployment_id": {"any_": [self.deployment(deployment)["id"]]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
        }
        over_at = time.monotonic() + PLANNING_SECONDS
        while not (found := self.api.post("flow_runs/filter", {"flow_runs": mine})) and time.monotonic() < over_at:
            time.sleep(0.5)
        return list(found)

    def artifacts_of(self, run_id: str) -> dict[str, Any]:
        found = self.api.post("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})
        return {item["key"]: item["data"] for item in found}

    def steps_of(self, run_id: str) -> dict[str, str]:
        """Task runs of a flow run by name, with the type of their state."""
        found = self.api.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
        return {item["name"]: item["state_type"] for item in found}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Served]:
    root = workspace(tmp_path_factory.mktemp("company"), '[company]\nname = "示例公司"\n')
    with subprocess.Popen(
        [sys.executable, "-c", UP, str(root)], cwd=repository, stdout=subprocess.PIPE, text=True
    ) as process:
        said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith("Dashboard"):
                break
        assert said and said[-1].startswith("Dashboard"), "\n".join(said)
        address = json.loads((root / ".vesper" / "server.json").read_text(encoding="utf-8"))
        yield Served(root, Api(address["api_url"]), said)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(BOOT_SECONDS) == 0
    assert not (root / ".vesper" / "server.json").exists(), "the address stays behind"
    with pytest.raises(ProcessLookupError):
        os.kill(address["pid"], 0)


@pytest.fixture(scope="session")
def business_on() -> dt.date:
    return dt.date(2018, 1, 1)
