"""The timetable as it is written down: one registry, its generated file, and flows that load."""

import subprocess
import sys
from pathlib import Path

import pytest
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from deployments import generate
from deployments.registry import ALL, deployments_of
from vesper.model.workspace import Clock, Company, Workspace


def company(mode: str) -> Workspace:
    clock = Clock(mode="simulated", simulated_on="2018-01-01") if mode == "simulated" else Clock()  # type: ignore[arg-type]
    return Workspace(root=Path("/data/company"), company=Company(name="示例公司"), clock=clock)


def test_the_generated_file_is_current() -> None:
    assert generate.FILE.read_text(encoding="utf-8") == generate.text(), "run `python -m deployments.generate`"


def test_the_generated_file_says_what_the_registry_says(repository: Path) -> None:
    written = YAML(typ="safe").load(repository / "prefect.yaml")
    assert [entry["name"] for entry in written["deployments"]] == [entry.name for entry in ALL]
    assert {"prefect.deployments.steps.set_working_directory": {"directory": "{{ $PWD }}"}} in written["pull"]


@pytest.mark.requirement("R49")
def test_the_score_is_due_at_21_and_prepare_an_hour_before() -> None:
    due = {entry.name: entry.cron for entry in ALL if entry.cron}
    assert due == {"prepare": "0 20 * * *", "score": "0 21 * * *"}


@pytest.mark.requirement("R110")
def test_the_actions_of_marketing_ops_are_deployments() -> None:
    assert {"check", "explain", "stop-send", "resume-send", "backfill", "replay", "activate"} <= {
        entry.name for entry in ALL
    }


def test_a_name_stands_once() -> None:
    assert len({entry.name for entry in ALL}) == len(ALL)


def test_nothing_is_delivered_between_nights_on_a_simulated_clock() -> None:
    assert "deliver" in [entry.name for entry in deployments_of(company("live"))]
    assert "deliver" not in [entry.name for entry in deployments_of(company("simulated"))]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_each_entrypoint_loads(entry: object, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the placeholder off: Prefect would otherwise hide that a flow cannot be imported."""
    monkeypatch.chdir(repository)
    assert isinstance(load_flow_from_entrypoint(entry.entrypoint, use_placeholder_flow=False), Flow)  # type: ignore[attr-defined]


def test_the_registry_and_the_way_up_load_without_prefect(repository: Path) -> None:
    code = "import deployments.up, deployments.generate, sys; sys.exit(bool({'prefect', 'pandas', 'great_expectations'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=repository, check=False).returncode == 0
