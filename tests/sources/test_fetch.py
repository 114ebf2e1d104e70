"""Sources that are asked: on the live night only, as landed files that every later night reads, and a failure is the late policy's."""

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.connectors.interface import Answer, Call, interface
from tests.sources.night_of import HEAD, OneSource, zone_at
from vesper.stage_report import StageFailed

LEADS = [{"编号": f"{n}", "姓名": f"王小{n}", "手机": f"1380013800{n}", "changed": f"{n:03}"} for n in range(4)]
HTTP = """system: http
path: "crm_lead/{on}.parquet"
http:
  url: ${LEADS_URL}
  cursor: changed
  since_param: since
  attempts: 1
""" + HEAD.replace("irregular", "day")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An interface with leads that a test may change; None refuses."""
    leads: list[dict[str, str]] = [*LEADS]
    state = {"leads": leads, "refuses": False}

    def answers(call: Call, number: int) -> Answer:
        if state["refuses"]:
            return Answer("", 404)
        return Answer([lead for lead in leads if lead["changed"] >= call.params.get("since", "")])

    with interface(answers) as there:
        monkeypatch.setenv("LEADS_URL", there.url)
        state["calls"] = there.calls
        yield state


def yesterday(company: OneSource) -> None:
    """What was asked for today becomes what was asked for, and published, yesterday."""
    before = company.today() - dt.timedelta(days=1)
    path = company.path(company.today(), "parquet")
    path.rename(path.with_name(f"{before}.parquet"))
    for kept in (company.root / ".vesper").iterdir():
        if kept.is_file():
            kept.unlink()
        elif kept.name != "landing":
            shutil.rmtree(kept)
    company.night(before)


@pytest.mark.requirement("R2")
def test_a_live_night_asks_and_lands_and_takes_in(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    night = company.night(company.today())
    assert night.counts["received"] == night.counts["new"] == 4
    assert night.report.warnings == [
        f"crm_lead: {company.today()}.parquet has a column nobody declared, changed. It is not taken in; declare it in the "
        "source's definition if it is wanted."
    ]
    assert [row["name"] for row in company.rows()] == [lead["姓名"] for lead in LEADS]
    assert night.taken.reach.covered_through_on == company.today()
    again = company.night(company.today())
    assert len(answering["calls"]) == 1, "a night that was published after its cut-off stands"
    assert again.counts["received"] == 4


def test_before_the_cut_off_the_night_is_asked_again(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(8))
    company.night(company.today())
    answering["leads"].append({**LEADS[0], "编号": "9", "changed": "900"})
    assert company.night(company.today()).counts["received"] == 5


@pytest.mark.requirement("R1", "R2")
def test_the_next_night_asks_from_where_the_last_one_ended(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    company.night(company.today())
    yesterday(company)
    answering["leads"][0] = {**LEADS[0], "姓名": "王大", "changed": "100"}
    company.night(company.today())
    assert [call.params.get("since") for call in answering["calls"]] == [None, "003"]
    assert pq.read_metadata(company.path(company.today(), "parquet")).num_rows == 2
    assert [row["name"] for row in company.rows()] == ["王大", "王小1", "王小2", "王小3"]


def test_another_question_is_asked_from_its_beginning(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    company.night(company.today())
    yesterday(company)
    company.define(HTTP.replace("since_param: since", "since_param: from"))
    company.night(company.today())
    assert [dict(call.params) for call in answering["calls"]] == [{}, {}]


@pytest.mark.requirement("R105")
def test_a_source_that_cannot_be_asked_is_late(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    company.night(company.today())
    yesterday(company)
    answering["refuses"] = True
    night = company.night(company.today())
    assert night.counts == {}
    assert "crm_lead could not be asked: it refuses the request (HTTP 404)" in night.report.warnings[0]
    assert f"the file of {company.today()} is missing" in night.report.warnings[1]
    assert night.taken.reach.is_held
    assert len(company.rows()) == 4
    company.define(HTTP.replace("late: warn", "late: block"))
    with pytest.raises(StageFailed, match="stops the night"):
        company.night(company.today())


def test_neither_a_past_night_nor_a_replay_nor_a_simulated_clock_asks(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    company.night(company.today() - dt.timedelta(days=1))
    assert answering["calls"] == []
    company.night(company.today())
    company.night(company.today(), mode="replay")
    played = OneSource(tmp_path / "played", HTTP)
    played.night(played.today())
    assert len(answering["calls"]) == 1


def test_a_database_is_asked_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'crm.db'}"
    monkeypatch.setenv("CRM_URL", url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("create table lead (编号 text, 姓名 text, 手机 text, version integer)"))
        connection.execute(sa.text("insert into lead values ('1', '王芳', '13800138000', 1), ('2', '李雷', null, 2)"))
    text = 'system: sql\npath: "crm_lead/{on}.parquet"\nsql: {url: "${CRM_URL}", table: lead, cursor: version}\n' + HEAD
    company = OneSource(tmp_path / "company", text, live=True, zone=zone_at(21))
    assert company.night(company.today()).counts["new"] == 2
    yesterday(company)
    with engine.begin() as connection:
        connection.execute(sa.text("update lead set 姓名 = '王小芳', version = 3 where 编号 = '1'"))
    engine.dispose()
    counts = company.night(company.today()).counts
    assert {name: counts[name] for name in ("received", "changed", "unchanged")} == {
        "received": 2,
        "changed": 1,
        "unchanged": 1,
    }


def test_a_kill_while_it_lands_leaves_nothing_that_counts(tmp_path: Path, answering: Any) -> None:
    company = OneSource(tmp_path / "company", HTTP, live=True, zone=zone_at(21))
    half = company.path(company.today(), "parquet").with_name(f".{company.today()}.parquet.part")
    half.parent.mkdir(parents=True)
    half.write_bytes(os.urandom(100))
    assert company.night(company.today()).counts["new"] == 4
    assert [path.name for path in half.parent.iterdir()] == [f"{company.today()}.parquet"]
