"""`vesper plan`: what edited files would change equals what the night then makes of them, and nothing happens before."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.night import directly, run_night
from tasks.plan import plan, planned
from tasks.sql import run_sql
from tests.ops.conftest import NIGHT, edit
from vesper.presets import preset_text
from warehouse.house import House
from warehouse.ledger.handover_acts import active
from warehouse.ledger.schema import MESSAGE, RUN, SNAPSHOT


def counted(root: Path, text: str) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in run_sql(root, text)[1]}


MEMBERS = "select segment_id, count(*) from mart__segment_member group by all"
RULES = "select rule_id, sum(points) from mart__score_reason group by all"


def edited(root: Path) -> None:
    """One segment drawn wider, one rule worth less, one market that asks for one field less."""
    edit(root / "definitions" / "segments" / "dormant_90d.yml", r"(?m)^(members: .*)14\b", r"\g<1>7")
    edit(root / "definitions" / "scoring" / "reachable_by_phone.yml", r"(?m)^points: \d+", "points: 1")
    edit(root / "definitions" / "scoring" / "reachable_by_phone.yml", r"points: [2-9]\d*", "points: 1")


def ledger_rows(root: Path) -> list[int]:
    house = House.open(root)
    try:
        with house.engine.connect() as connection:
            return [
                int(connection.scalar(sa.select(sa.func.count()).select_from(t)) or 0) for t in (RUN, SNAPSHOT, MESSAGE)
            ]
    finally:
        house.close()


@pytest.mark.requirement("R61", "R119")
def test_a_plan_says_what_the_night_then_does(own_grocer: Path) -> None:
    members, points = counted(own_grocer, MEMBERS), counted(own_grocer, RULES)
    before = ledger_rows(own_grocer)
    edited(own_grocer)
    found = planned(own_grocer)
    assert ledger_rows(own_grocer) == before, "a plan writes nothing"
    assert {row["definition"] for row in found.definitions} == {"segments/dormant_90d", "scoring/reachable_by_phone"}

    run_night(directly, own_grocer, NIGHT, False, ("measure", "score", "segment"))
    new_members, new_points = counted(own_grocer, MEMBERS), counted(own_grocer, RULES)
    planned_members = {row["segment_id"]: row for row in found.groups["mart__segment_member"]}
    changed = {id for id in members.keys() | new_members.keys() if members.get(id, 0) != new_members.get(id, 0)}
    assert "dormant_90d" in changed and changed <= planned_members.keys()
    for id, row in planned_members.items():
        assert (row["before_count"], row["after_count"]) == (members.get(id, 0), new_members.get(id, 0))
        assert row["after_count"] == row["before_count"] + row["entered_count"] - row["left_count"]
    for row in found.rules:
        assert (row["before_points"], row["after_points"]) == (points[row["rule_id"]], new_points[row["rule_id"]])
    assert "reachable_by_phone" in {row["rule_id"] for row in found.rules}


@pytest.mark.requirement("R61", "R122")
def test_a_plan_shows_few_people_and_masks_them(own_grocer: Path) -> None:
    edited(own_grocer)
    found = planned(own_grocer)
    people = found.people["mart__segment_member"]
    assert people and all(row["name"] is None or row["name"].endswith("**") for row in people)
    text = plan(own_grocer)
    assert "dormant_90d" in text and "reachable_by_phone" in text
    names = [row[0] for row in run_sql(own_grocer, "select name from core__contact where name is not null")[1]]
    assert not [name for name in names if len(name) > 1 and name in text]


@pytest.mark.requirement("R61", "R69")
def test_a_plan_holds_new_mqls_against_the_room_of_sales(own_grocer: Path) -> None:
    edit(own_grocer / "definitions" / "policy" / "sales.yml", r"open_limit: \d+", "open_limit: 1")
    before = counted(own_grocer, "select 'mql', count(*) from mart__score where is_mql")["mql"]
    edit(own_grocer / "definitions" / "scoring" / "reachable_by_phone.yml", r"points: [2-9]\d*", "points: 40")
    found = planned(own_grocer)
    assert found.score["mql_before"] == before and found.score["mql_gained"] > 4
    held = found.capacity["open_count"]
    assert 0 < held == with_sales(own_grocer)
    assert found.capacity["room_count"] == max(4 - held, 0)
    assert found.capacity["over_count"] == found.score["mql_gained"] - found.capacity["room_count"]


def with_sales(root: Path) -> int:
    """Hand-overs that the team has open, as the ledger knows them."""
    house = House.open(root)
    try:
        return len([row for row in active(house.engine) if row.owner])
    finally:
        house.close()


@pytest.mark.requirement("R61", "R119")
def test_a_plan_tells_of_mqls_that_a_line_makes_of_scores_that_stay(own_grocer: Path) -> None:
    shipped = preset_text("policy", "scoring") or ""
    assert "mql_at: 80" in shipped
    file = own_grocer / "definitions" / "policy" / "scoring.yml"
    file.write_text(shipped.replace("mql_at: 80", "mql_at: 61"), encoding="utf-8")
    found = planned(own_grocer)
    assert found.score["changed_count"] == 0 and found.score["mql_gained"] > 0
    text = plan(own_grocer)
    assert found.mql[0]["contact_id"] in text


@pytest.mark.requirement("R119")
def test_files_in_force_change_nothing(grocer: Path) -> None:
    assert dataclasses.asdict(planned(grocer))["definitions"] == []


@pytest.mark.requirement("R107")
def test_a_plan_says_who_would_get_a_campaign(own_grocer: Path) -> None:
    edit(own_grocer / "definitions" / "campaigns" / "winback_coupon.yml", r"stages: \[.*\]", "stages: [loyal]")
    (row, *_rest) = [row for row in planned(own_grocer).campaigns if row["decision"] == "stage"]
    assert row["campaign_id"] == "winback_coupon" and row["after_count"] > row["before_count"]


@pytest.mark.requirement("R119")
def test_an_unpublished_night_has_no_plan(own_grocer: Path) -> None:
    with pytest.raises(LookupError, match="vesper run nightly"):
        planned(own_grocer, NIGHT + dt.timedelta(days=9))
