"""Settings of the local server: its port, and that nothing leaves the machine."""

import json
import os
import socket
from pathlib import Path

import pytest

from deployments.environment import environment, is_free, port_for
from deployments.server import address_file, running_server


def test_the_port_of_a_workspace_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_PORT", raising=False)
    assert port_for(tmp_path) == port_for(tmp_path)
    assert port_for(tmp_path) != port_for(tmp_path / "another")


def test_a_port_that_is_taken_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_PORT", raising=False)
    first = port_for(tmp_path)
    with socket.create_server(("127.0.0.1", first)):
        assert not is_free(first)
        assert port_for(tmp_path) > first


def test_a_given_port_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "4477")
    assert port_for(tmp_path) == 4477
    assert environment(tmp_path, 4477)["PREFECT_API_URL"] == "http://127.0.0.1:4477/api"


def test_nothing_leaves_the_machine_and_nothing_leaves_the_workspace(tmp_path: Path) -> None:
    settings = environment(tmp_path, 4477)
    assert settings["DO_NOT_TRACK"] == "1"
    assert settings["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert settings["PREFECT_SERVER_UI_V2_ENABLED"] == "false"
    assert Path(settings["PREFECT_HOME"]).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "left",
    ["", "not json", json.dumps({"port": 1, "pid": os.getpid()}), json.dumps({"port": 1, "pid": 2**22 - 1})],
    ids=["empty", "not json", "somebody else's process", "no process"],
)
def test_an_address_that_a_killed_server_left_is_not_believed(left: str, tmp_path: Path) -> None:
    address_file(tmp_path).parent.mkdir()
    address_file(tmp_path).write_text(left, encoding="utf-8")
    assert running_server(tmp_path) is None
