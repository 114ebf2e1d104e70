"""What stands on a real server once a workspace is up: the timetable, the forms, runs that end in a sentence, pages in both languages."""

import datetime as dt
import json
import time
import urllib.request
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect import flow

from deployments.left_over import ZOMBIES, crash_lost_runs, register_zombie_automation, skip_missed_starts
from deployments.night_as_flow import connected, settle
from deployments.server import running_server, server_for_a_run
from deployments.up import run_as_flow
from flows.ending import ends_in_a_sentence
from flows.stage import as_a_task
from tasks.night import Stage
from tests.deployments.conftest import Served, workspace
from tests.flows.reports import SENTENCE, good_report, stopped
from vesper.model.kinds import FOLDERS
from vesper.stage_report import StageFailed, StageReport
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.inbox import Arrival, append

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def goes_well(root: Path, business_on: dt.date, may_send: bool) -> StageReport:
    return good_report()


def stops(root: Path, business_on: dt.date, may_send: bool) -> StageReport:
    raise stopped()


def breaks(root: Path, business_on: dt.date, may_send: bool) -> StageReport:
    return {}["王小明"]  # type: ignore[return-value]


@flow(name="tiny")
@ends_in_a_sentence
def tiny(root: Path, business_on: dt.date, stages: list[str]) -> list[StageReport]:
    known = {"score": goes_well, "gate": stops, "fault": breaks, "segment": goes_well}
    return [as_a_task(Stage(word, known[word]), root, business_on, False) for word in stages]


def run_tiny(served: Served, root: Path, business_on: dt.date, stages: list[str]) -> dict[str, Any]:
    with server_for_a_run(served.root) as server, connected(server):
        state = tiny(root, business_on, stages, return_state=True)
        settle(server, state)
    return served.run_of(str(state.state_details.flow_run_id))


@pytest.mark.requirement("R49")
def test_the_score_is_scheduled_at_21_in_the_companys_zone(served: Served) -> None:
    """13:00 UTC is 21:00 in Asia/Shanghai. With SQLAlchemy 2.1 no run would ever be scheduled, and only the server's log would tell."""
    runs = served.scheduled("score")
    due = [dt.datetime.fromisoformat(run["expected_start_time"]) for run in runs]
    assert due, "no run of the score is scheduled"
    assert {(at.astimezone(dt.UTC).hour, at.astimezone(dt.UTC).minute) for at in due} == {(13, 0)}
    days = [at.astimezone(ZoneInfo("Asia/Shanghai")).date() for at in due]
    assert len(set(days)) == len(days), "more than one score on a business date"


@pytest.mark.requirement("R110", "R111")
def test_a_form_speaks_the_workspaces_language(served: Served) -> None:
    form = served.deployment("stop-send")
    assert form["description"].startswith("立即停止所有发送。")
    assert form["parameter_openapi_schema"]["properties"]["reason"]["title"] == "原因"
    assert served.deployment("backfill")["parameter_openapi_schema"]["properties"]["from_on"]["format"] == "date"
    kinds = served.deployment("activate")["parameter_openapi_schema"]["properties"]["kind"]
    assert set(kinds["enum"]) == set(FOLDERS), "a kind of definition that nobody can activate"


def test_one_run_at_a_time(served: Served) -> None:
    score = served.deployment("score")
    assert score["global_concurrency_limit"]["limit"] == 1
    assert score["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_the_server_of_a_workspace_is_found_and_borrowed(served: Served) -> None:
    assert running_server(served.root) == served.api.url
    with server_for_a_run(served.root) as borrowed:
        assert borrowed.process is None
        assert borrowed.api.url == served.api.url
    assert running_server(served.root) == served.api.url, "a borrowed server was stopped"


def test_only_the_dashboard_without_analytics_is_served(served: Served) -> None:
    with urllib.request.urlopen(f"{served.api.url.removesuffix('/api')}/ui-settings") as answer:
        settings = json.loads(answer.read())
    assert settings["available_uis"] == ["v1"]
    assert settings["api_url"] == served.api.url


def test_the_zombie_automation_is_registered_once(served: Served) -> None:
    register_zombie_automation(served.api)
    found = served.api.post("automations/filter", {"automations": {"name": {"any_": [ZOMBIES]}}})
    assert len(found) == 1
    assert found[0]["trigger"]["within"] == 90


def test_a_run_that_lost_its_process_is_closed(served: Served) -> None:
    flow_id = served.api.post("flows/", {"name": "lost"})["id"]
    run = served.api.post("flow_runs/", {"flow_id": flow_id, "state": {"type": "RUNNING", "name": "Running"}})
    assert crash_lost_runs(served.api) >= 1
    assert served.run_of(run["id"])["state"]["type"] == "CRASHED"


def test_of_missed_starts_only_the_latest_is_made_up_for(served: Served) -> None:
    """As if the computer had slept for two evenings: planned runs of a deployment that nobody serves here, looked at later."""
    flow_id = served.api.post("flows/", {"name": "evening"})["id"]
    deployment = served.api.post(
        "deployments/", {"name": "evening", "flow_id": flow_id, "entrypoint": "evening.py:evening"}
    )
    runs = []
    for days in (3, 2, 1):
        at = dt.datetime(2018, 1, 10 - days, 13, tzinfo=dt.UTC).isoformat()
        planned = {"type": "SCHEDULED", "state_details": {"scheduled_time": at}}
        runs.append(served.api.post(f"deployments/{deployment['id']}/create_flow_run", {"state": planned})["id"])
    assert skip_missed_starts(served.api, dt.datetime(2018, 1, 10, tzinfo=dt.UTC)) == 2
    assert [served.run_of(run)["state"]["type"] for run in runs] == ["CANCELLED", "CANCELLED", "SCHEDULED"]
    served.api.delete(f"deployments/{deployment['id']}")


@pytest.mark.requirement("R111")
@pytest.mark.parametrize(("language", "word"), [("zh_CN", "关键数字"), ("en", "Key figures")])
def test_a_stage_leaves_a_page_and_tables(
    served: Served, tmp_path: Path, business_on: dt.date, language: str, word: str
) -> None:
    root = workspace(tmp_path / language, f'[company]\nname = "示例公司"\nlanguage = "{language}"\n')
    run = run_tiny(served, root, business_on, ["score"])
    assert run["state"]["type"] == "COMPLETED"
    kept = served.artifacts_of(str(run["id"]))
    assert set(kept) == {"score-summary", "score-gate", "score-lifecycle"}
    assert word in kept["score-summary"]
    assert len(json.loads(kept["score-gate"])) == 3


@pytest.mark.requirement("R103")
def test_a_gate_that_fails_ends_the_run_with_its_sentence(served: Served, business_on: dt.date) -> None:
    run = run_tiny(served, served.root, business_on, ["gate", "segment"])
    assert run["state"]["type"] == "FAILED"
    assert run["state"]["message"] == SENTENCE
    kept = served.artifacts_of(str(run["id"]))
    assert set(kept) == {"gate-summary", "score-gate"}
    assert SENTENCE in kept["gate-summary"]
    assert "segment" not in served.steps_of(str(run["id"]))


def test_a_fault_of_our_own_is_a_sentence_without_the_data_in_it(served: Served, business_on: dt.date) -> None:
    run = run_tiny(served, served.root, business_on, ["fault"])
    message = run["state"]["message"]
    assert message.startswith("fault 2018-01-01: stopped by an unexpected KeyError at ")
    assert "王小明" not in message


@pytest.mark.requirement("R103")
def test_a_night_as_a_flow_stops_at_the_stage_that_fails(served: Served, business_on: dt.date) -> None:
    """Real stages: nothing was consolidated or measured in this workspace, so the score has nothing to stand on."""
    with pytest.raises(StageFailed) as failed:
        run_as_flow(served.root, business_on, may_send=False, stages=["score", "segment"])
    run = served.api.post("flow_runs/filter", {"flows": {"name": {"any_": ["nightly"]}}})[0]
    assert run["name"] == "nightly 2018-01-01"
    assert (run["state"]["type"], run["state"]["message"]) == ("FAILED", str(failed.value))
    assert served.steps_of(run["id"]) == {"score": "FAILED"}
    assert failed.value.report is not None


def test_the_runner_starts_a_form_and_the_run_waits_for_prepare(served: Served, business_on: dt.date) -> None:
    """The whole way of a form: server, runner, a process of its own, the flow, its sentence."""
    deployment = served.deployment("score")["id"]
    given = {"parameters": {"business_on": str(business_on), "wait_minutes": 0}}
    run = served.finished(served.api.post(f"deployments/{deployment}/create_flow_run", given)["id"])
    assert run["name"] == "score 2018-01-01"
    assert run["state"]["type"] == "FAILED"
    assert "mart__visibility" in run["state"]["message"]
    assert served.steps_of(run["id"]).get("wait for prepare") in ("FAILED", None)


@pytest.mark.requirement("R74")
def test_the_tick_makes_a_run_for_its_work_and_none_without(served: Served) -> None:
    """The tick that `up` keeps alive: a form comes in, and a completed run with a page says what came of it."""
    mine = {"flows": {"name": {"any_": ["tick"]}}}
    assert served.api.post("flow_runs/filter", mine) == []
    engine = open_ledger(f"sqlite:///{served.root / '.vesper' / 'ledger.db'}")
    form = Arrival("paper", "1", "form_submitted", dt.datetime(2026, 1, 1), {"email": "wang@example.com"})
    over_at = time.monotonic() + 120
    while not (served.root / ".vesper" / "tick.lock").exists() and time.monotonic() < over_at:
        time.sleep(0.5)
    with engine.begin() as connection:
        append(connection, form)
    engine.dispose()
    while not (runs := served.api.post("flow_runs/filter", mine)) and time.monotonic() < over_at:
        time.sleep(0.5)
    assert len(runs) == 1
    run = served.finished(runs[0]["id"])
    assert run["state"]["type"] == "COMPLETED" and run["name"].startswith("tick ")
    page = served.artifacts_of(run["id"])["tick"]
    assert "收件箱条目：1" in page and "wang" not in page
