"""Commands: what they print, and how they end. 0 is good, 1 is stopped by a finding, 2 is a command or a workspace that cannot be used."""

import csv
import json
from pathlib import Path

import pytest

from examples.grocer.breakage import break_input
from tests.cli.conftest import Vesper
from tests.night.looking import files, manifest, messages
from tests.small_grocer import EXAMPLE, LAST, SECOND, GrocerNights, change, copied
from tests.warehouse.test_lock import another_process

WORDS = (
    "run",
    "up",
    "check",
    "activate",
    "sign-off",
    "explain",
    "sql",
    "export",
    "replay",
    "backfill",
    "stop",
    "doctor",
    "demo",
)


def test_help_names_every_command(vesper: Vesper) -> None:
    said = vesper("--help")
    assert said.code == 0
    assert [word for word in WORDS if f" {word} " not in said.out] == []


@pytest.mark.requirement("R119")
def test_the_grocers_definitions_are_right(vesper: Vesper) -> None:
    said = vesper("check", "-w", EXAMPLE)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].split()[0].isdecimal()


def test_planted_errors_are_named_by_file_and_line(vesper: Vesper, composed_grocer: Path, tmp_path: Path) -> None:
    root = copied(composed_grocer, tmp_path / "planted")
    change(root / "definitions/segments/mql.yml", "members: {score", "members: {scoer")
    change(root / "definitions/campaigns/winback_coupon.yml", "segment: dormant_90d", "segment: dormant_9d")
    said = vesper("check", "-w", root)
    assert said.code == 1
    places = sorted(line.split(": ")[0].split(" ")[0].rstrip(":") for line in said.out.splitlines() if ".yml" in line)
    campaign = (root / "definitions/campaigns/winback_coupon.yml").read_text(encoding="utf-8").splitlines()
    expected = [
        f"definitions/campaigns/winback_coupon.yml:{campaign.index('segment: dormant_9d') + 1}",
        "definitions/segments/mql.yml:4",
    ]
    assert [place.removeprefix(f"{root}/") for place in places] == expected
    told = json.loads(vesper("check", "-w", root, "--json").out)
    assert [one["line"] for one in told] == [int(place.split(":")[-1]) for place in expected]


def test_a_planted_error_stops_a_night_before_it_starts(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "planted")
    change(root / "definitions/segments/mql.yml", "members: {score", "members: {scoer")
    said = vesper("run", "nightly", "-w", root)
    assert said.code == 2
    (line,) = said.err.splitlines()
    assert "segments/mql.yml" in line
    assert manifest(root) == manifest(grocer_nights.after[SECOND])


@pytest.mark.requirement("R103")
def test_a_failing_night_prints_one_sentence(vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "failing")
    break_input(root, "yesterday_again")
    said = vesper("run", "nightly", "-w", root)
    assert (said.code, said.out) == (1, "")
    (sentence,) = said.err.splitlines()
    assert "shop_order" in sentence
    assert "Traceback" not in sentence


def test_a_fault_of_the_code_prints_one_sentence_too(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    """A lake that lost a file: not a finding about sources, and still no traceback as the only message."""
    root = copied(grocer_nights.after[SECOND], tmp_path / "faulty")
    for part in (root / ".vesper/lake/core__contact").glob("*.parquet"):
        part.unlink()
    said = vesper("run", "measure", "--as-of", SECOND, "-w", root)
    assert said.code == 1
    assert "vesper doctor" in said.err.splitlines()[-1]
    assert manifest(root) == manifest(grocer_nights.after[SECOND])


def test_a_stage_that_has_nothing_to_stand_on_says_which_one_is_missing(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "early")
    said = vesper("run", "score", "-w", root)
    assert said.code == 1
    (sentence,) = said.err.splitlines()
    assert "vesper run measure --as-of 2018-01-01" in sentence


def test_what_does_not_exist_ends_with_2(vesper: Vesper, tmp_path: Path) -> None:
    unknown = vesper("run", "scor", "-w", EXAMPLE)
    assert unknown.code == 2
    assert "scor" in unknown.err
    nowhere = vesper("run", "nightly", "-w", tmp_path)
    assert nowhere.code == 2
    assert "vesper.toml" in nowhere.err
    assert "Traceback" not in nowhere.err
    assert vesper("run").code == 2
    assert vesper("dance").code == 2


def test_a_workspace_in_use_is_one_sentence(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path, repository: Path
) -> None:
    root = copied(grocer_nights.after[LAST], tmp_path / "busy")
    with another_process(root / ".vesper", repository) as holder:
        said = vesper("run", "measure", "-w", root)
    assert said.code == 1
    (sentence,) = said.err.splitlines()
    assert str(holder.pid) in sentence


@pytest.mark.requirement("R97")
def test_sql_over_the_published_tables(vesper: Vesper, grocer_nights: GrocerNights) -> None:
    root = grocer_nights.after[LAST]
    said = vesper("sql", "select count(*) as n from mart__score", "-w", root, "--json")
    (row,) = json.loads(said.out)
    assert row["n"] > 100
    assert "n" in vesper("sql", "select 1 as n", "-w", root).out
    wrong = vesper("sql", "select nobody from mart__score", "-w", root)
    assert (wrong.code, len(wrong.err.splitlines())) == (1, 1)
    assert vesper("sql", "-w", root).code == 2
    shown = vesper("sql", "--show", "mart__score", "-w", root)
    assert shown.code == 0
    assert "mart__score_reason" in shown.out


@pytest.mark.requirement("R122")
def test_an_export_leaves_personal_columns_out_unless_asked(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = grocer_nights.after[LAST]
    assert vesper("export", "core__contact", tmp_path / "plain", "-w", root, "--format", "csv").code == 0
    assert vesper("export", "core__contact", tmp_path / "whole", "-w", root, "--format", "csv", "--personal").code == 0
    heads = []
    for folder in ("plain", "whole"):
        (file,) = (tmp_path / folder).glob("*.csv")
        with file.open(encoding="utf-8-sig", newline="") as opened:
            heads.append(set(next(csv.reader(opened))))
    assert heads[1] - heads[0] == {"name", "phone", "email", "owner", "birth_on"}
    unknown = vesper("export", "core__contacts", tmp_path, "-w", root)
    assert (unknown.code, len(unknown.err.splitlines())) == (1, 1)


@pytest.mark.requirement("R121")
def test_replay_and_a_past_night_change_and_send_nothing(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "past")
    past = vesper("run", "measure", "--as-of", SECOND, "-w", root, "--json")
    (report,) = json.loads(past.out)
    assert (report["stage"], report["business_on"]) == ("measure", "2017-12-31")
    assert (files(root), messages(root)) == (files(before), messages(before))
    assert vesper("replay", "2017-12-29", "-w", root).code == 1


@pytest.mark.requirement("R108", "R119")
def test_stop_resume_and_activation_are_recorded_by_name(
    vesper: Vesper, grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "stopped")
    assert vesper("stop", "send", "--reason", "wrong price", "--by", "anna", "-w", root).code == 0
    assert vesper("resume", "--reason", "mended", "--by", "anna", "-w", root).code == 0
    refused = vesper("activate", "segments/mql", "ffffffffffff", "-w", root)
    assert refused.code == 1
    assert "segments/mql" in refused.err


def test_the_doctor_finds_a_healthy_workspace(vesper: Vesper, grocer_nights: GrocerNights) -> None:
    said = vesper("doctor", "-w", grocer_nights.after[LAST])
    assert said.code == 0, said.out
    assert "LOOK" not in said.out
