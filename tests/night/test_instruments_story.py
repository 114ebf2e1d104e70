"""The scoring table of S3 night by night, on the instruments maker's named people: from the files that arrive to the notice that sales get.

The example's own definitions and its own generator, with few companies around the named people. Only nights on which something must change, or
must not, are run: what a score says depends on no night before it.
"""

import csv
import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from examples.instruments import story
from examples.instruments.calendar import STORY
from examples.instruments.compose import compose
from examples.instruments.people import Person
from tasks.night import directly, run_night
from tests.night.looking import files, ledger_rows, rows
from warehouse.ledger.handover_schema import HUMAN_TASK, NOTICE

pytestmark = [pytest.mark.slow]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "instruments"
COMPANIES, SINCE = 12, STORY - dt.timedelta(days=7)
DAY_0, DAY_4, DAY_6, DAY_7, DAY_8 = NIGHTS = [STORY + dt.timedelta(days=day) for day in (0, 4, 6, 7, 8)]
TO_SALES = ("consolidate", "measure", "score", "handover")

Scores = Mapping[str, int]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with few companies, after the nights of the story."""
    root = tmp_path_factory.mktemp("story") / "instruments"
    root.mkdir()
    shutil.copy(EXAMPLE / "vesper.toml", root)
    shutil.copytree(EXAMPLE / "definitions", root / "definitions")
    compose(root, size=COMPANIES, since=SINCE)
    for on in NIGHTS:
        after = ("segment", "send") if on == DAY_8 else ()
        run_night(directly, root, on, True, (*TO_SALES, *after))
    return root


@pytest.fixture(scope="module")
def ids(company: Path) -> Mapping[str, str]:
    """Name -> contact id of the named people, after the last night: each of them is one contact."""
    found = {row["email"]: row["contact_id"] for row in rows(company, "core__contact")}
    return {one.name: found[one.email] for one in story.EVERYBODY}


def scores(root: Path, ids: Mapping[str, str], on: dt.date) -> Scores:
    """The scores of the named people on a night, those whom the night knew."""
    stood = {row["contact_id"]: row["score"] for row in rows(root, "mart__score", on)}
    return {name: stood[id] for name, id in ids.items() if id in stood}


def points(root: Path, id: str, on: dt.date) -> dict[str, int]:
    """The reasons of one score."""
    return {row["rule_id"]: row["points"] for row in rows(root, "mart__score_reason", on) if row["contact_id"] == id}


def mqls(root: Path, ids: Mapping[str, str], on: dt.date) -> set[str]:
    stood = {row["contact_id"] for row in rows(root, "mart__score", on) if row["is_mql"]}
    return {name for name, id in ids.items() if id in stood}


def but(everybody: int, *others: tuple[Person, int]) -> dict[str, int]:
    """A score for everybody but the eager one, who is asked apart, and other scores for some."""
    told = {one.name: everybody for one in story.EVERYBODY if one is not story.EAGER}
    return told | {one.name: score for one, score in others}


def of_the_plain(found: Scores) -> dict[str, int]:
    return {name: score for name, score in found.items() if name != story.EAGER.name}


@pytest.mark.requirement("R50")
def test_the_day_of_the_form_gives_the_base_alone(company: Path, ids: Mapping[str, str]) -> None:
    assert scores(company, ids, DAY_0) == but(60) | {story.EAGER.name: 65}
    assert points(company, ids[story.CLICKER.name], DAY_0) == {"base": 60}
    assert mqls(company, ids, DAY_0) == set()


@pytest.mark.requirement("R51", "R53")
def test_two_clicks_give_20_points_once_and_80_is_an_mql(company: Path, ids: Mapping[str, str]) -> None:
    assert of_the_plain(scores(company, ids, DAY_4)) == but(60, (story.CLICKER, 80))
    for on in (DAY_4, DAY_6, DAY_7, DAY_8):
        assert points(company, ids[story.CLICKER.name], on) == {"base": 60, "mail_clicks_after_form": 20}
        assert story.CLICKER.name in mqls(company, ids, on)


@pytest.mark.requirement("R52")
def test_no_click_gives_5_points_when_the_seven_days_are_over_and_not_before(
    company: Path, ids: Mapping[str, str]
) -> None:
    silent = ids[story.SILENT.name]
    assert points(company, silent, DAY_6) == {"base": 60}
    assert points(company, silent, DAY_7) == {"base": 60, "mail_clicks_after_form": 5}
    assert points(company, silent, DAY_8) == points(company, silent, DAY_7)
    assert story.SILENT.name not in mqls(company, ids, DAY_8)


def test_one_click_gives_nothing_and_a_late_one_does_not_count(company: Path, ids: Mapping[str, str]) -> None:
    for one in (story.ONCE, story.LATE):
        assert [points(company, ids[one.name], on) for on in (DAY_7, DAY_8)] == [{"base": 60}] * 2


def test_the_click_of_a_gateway_is_nobodys(company: Path, ids: Mapping[str, str]) -> None:
    assert points(company, ids[story.SCANNED.name], DAY_6) == {"base": 60}
    assert points(company, ids[story.SCANNED.name], DAY_7) == {"base": 60, "mail_clicks_after_form": 5}


def test_twenty_and_five_exclude_each_other_when_the_form_is_filled_in_again(
    company: Path, ids: Mapping[str, str]
) -> None:
    again = ids[story.AGAIN.name]
    assert points(company, again, DAY_4) == {"base": 60}
    for on in (DAY_6, DAY_7, DAY_8):
        assert points(company, again, on) == {"base": 60, "mail_clicks_after_form": 20}


@pytest.mark.requirement("R55", "R57", "R58")
def test_fit_intent_and_bant_take_the_eager_one_past_ninety(company: Path, ids: Mapping[str, str]) -> None:
    assert points(company, ids[story.EAGER.name], DAY_4) == {
        "base": 60,
        "mail_clicks_after_form": 20,
        "requested_demo_90d": 10,
        "called_hotline_30d": 10,
        "decision_maker_title": 5,
        "bant_budget": 5,
        "bant_authority": 5,
        "bant_timing": 5,
        "clamp": -20,
    }
    assert scores(company, ids, DAY_4)[story.EAGER.name] == 100


def handed_over(root: Path, ids: Mapping[str, str], on: dt.date) -> dict[str, dict[str, Any]]:
    """Hand-overs as they stood after a night, of the named people."""
    names = {id: name for name, id in ids.items()}
    return {names[row["contact_id"]]: row for row in rows(root, "out__handover", on) if row["contact_id"] in names}


def ledger_records(root: Path, of: sa.Table) -> list[dict[str, Any]]:
    return [dict(zip(of.c.keys(), row, strict=True)) for row in ledger_rows(root, of)]


def letters(root: Path) -> list[str]:
    """Everything that reached sales: mails and lines of the group."""
    folder = root / ".vesper" / "notices"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.requirement("R63", "R69")
def test_the_new_mql_is_handed_over_on_its_evening_and_told_within_ten_minutes(
    company: Path, ids: Mapping[str, str]
) -> None:
    assert handed_over(company, ids, DAY_0) == {}
    found = handed_over(company, ids, DAY_4)
    mine = found[story.CLICKER.name]
    assert (mine["cause"], mine["score"], mine["mql_preset"], mine["business_on"]) == ("mql", 80, "score", DAY_4)
    assert mine["owner"] in ("delta_1", "delta_2")
    assert not mine["is_late"]
    assert mine["notified_at"] is not None
    assert found.keys() == {one.name for one in (story.CLICKER, story.EAGER, story.CHATTER)}


@pytest.mark.requirement("R62", "R63")
def test_nobody_is_handed_over_or_told_twice(company: Path, ids: Mapping[str, str]) -> None:
    told, arrived = ledger_rows(company, NOTICE), letters(company)
    assert {row["episode"] for row in rows(company, "out__handover")} == {1}
    assert arrived
    run_night(directly, company, DAY_8, True, ("score", "handover"))
    assert (ledger_rows(company, NOTICE), letters(company)) == (told, arrived)


@pytest.mark.requirement("R64", "R65")
def test_a_person_takes_over_from_90_points_on_or_when_the_chat_says_so(company: Path, ids: Mapping[str, str]) -> None:
    tasks = {row["contact_id"]: row for row in ledger_records(company, HUMAN_TASK) if row["is_open"]}
    assert (tasks[ids[story.EAGER.name]]["cause"], tasks[ids[story.EAGER.name]]["opened_on"]) == ("high_score", DAY_4)
    assert tasks[ids[story.CHATTER.name]]["cause"] == "chat_intent"
    assert ids[story.CLICKER.name] not in tasks
    refused = {row["contact_id"]: row["reason"] for row in rows(company, "out__refusal")}
    assert refused[ids[story.CHATTER.name]] == "human_takeover"
    written_to = {row["contact_id"] for row in rows(company, "out__message")}
    assert ids[story.SILENT.name] in written_to
    assert not {ids[story.CHATTER.name], ids[story.EAGER.name]} & written_to


@pytest.mark.requirement("R41", "R43", "R45")
def test_stages_and_leads_follow_what_the_call_centre_says(company: Path, ids: Mapping[str, str]) -> None:
    clicker, once = ids[story.CLICKER.name], ids[story.ONCE.name]
    stages = {on: {row["contact_id"]: row["stage"] for row in rows(company, "mart__lifecycle", on)} for on in NIGHTS}
    assert [stages[on][clicker] for on in NIGHTS] == ["prospect", "mql", "mql", "sql", "sql"]
    assert {stages[on][once] for on in NIGHTS} == {"prospect"}
    leads = {on: {row["contact_id"]: row["status"] for row in rows(company, "mart__lead", on)} for on in NIGHTS}
    assert [leads[on][clicker] for on in NIGHTS] == ["open", "open", "open", "to_sales", "to_sales"]
    assert [leads[on][once] for on in NIGHTS] == ["open", "open", "recycled", "recycled", "recycled"]


@pytest.mark.requirement("R1", "R4", "R6")
def test_rows_of_ten_sources_are_the_people_that_the_truth_knows(company: Path) -> None:
    with (company / ".vesper" / "truth" / "people.csv").open(encoding="utf-8", newline="") as file:
        truth = {(row["source"], row["key"]): row["person"] for row in csv.DictReader(file)}
    members = [row for row in rows(company, "core__contact_member") if (row["source"], row["record_key"]) in truth]
    pairs = {(truth[row["source"], row["record_key"]], row["contact_id"]) for row in members}
    assert len(pairs) == len({person for person, _ in pairs}) == len({contact for _, contact in pairs}) > COMPANIES
    calls = [row["series_id"] for row in rows(company, "core__event") if row["kind"] == "hotline_called"]
    assert set(calls) == {"400Inbound"}


@pytest.mark.requirement("R10")
def test_a_form_without_a_mail_address_is_set_aside_with_the_fields_name(company: Path) -> None:
    aside = {(row["source"], row["rule_id"], row["business_on"]) for row in rows(company, "dq__quarantine", DAY_8)}
    assert ("web_form", "required:email", DAY_0) in aside


@pytest.mark.requirement("R18", "R117")
def test_markets_count_companies_against_published_sizes(company: Path) -> None:
    found = {row["market_id"]: row for row in rows(company, "mart__visibility", DAY_8) if row["business_on"] == DAY_8}
    assert {id: (row["market_size"], row["counts"]) for id, row in found.items()} == {
        "yunfu_industry": (438, "companies"),
        "shanwei_industry": (325, "companies"),
        "dongguan_industry": (14_180, "companies"),
        "oregon_utilities": (131, "companies"),
    }
    assert all(0 < row["complete_count"] <= row["known_count"] <= COMPANIES for row in found.values())


@pytest.mark.requirement("R62")
def test_a_score_made_again_has_the_same_bytes(company: Path) -> None:
    before = files(company)
    run_night(directly, company, DAY_8, False, ("score",))
    assert files(company) == before
