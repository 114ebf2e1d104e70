"""What comes of hand-overs: answers, timely follow-up, acceptance by rule, deals that no rule saw (R68, R115)."""

import datetime as dt

import pyarrow as pa
import pytest

from tests.handover.world import HANDED_AT, MONDAY, Company, Said
from vesper.marts.follow_up import FOLLOW_UP
from vesper.marts.handover import HANDOVER as OUT
from vesper.marts.handover_reason import RULE_ACCEPTANCE
from vesper.marts.missed_win import MISSED_WIN
from vesper.watch import figure
from warehouse.arrow_schema import arrow_schema

TUESDAY, THURSDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=3)
SOON, LATE = HANDED_AT + dt.timedelta(hours=3), HANDED_AT + dt.timedelta(hours=50)


def answered(company: Company, on: dt.date = THURSDAY) -> dict[str, dict[str, object]]:
    """Four hand-overs: one accepted in time, one rejected too late, one unanswered, one without a number in the answer."""
    people = {"a": 85, "b": 84, "c": 83, "d": 82}
    ids = {row.contact_id: row.handover_id for row in company.night(people)}
    said = [
        Said("a", "accepted", SOON, ids["a"]),
        Said("b", "rejected", LATE, ids["b"], "no_budget"),
        Said("d", "accepted", SOON),
        Said("d", "won", LATE),
        Said("z", "won", LATE),
    ]
    company.night(people | {"z": 50}, on, said=said, marts=True)
    return {str(row["contact_id"]): row for row in company.tables[OUT.name]}


@pytest.mark.requirement("R43", "R115")
def test_answers_find_their_hand_over_by_number_or_by_contact(company: Company) -> None:
    rows = answered(company)
    assert {id: row["state"] for id, row in rows.items()} == {
        "a": "accepted",
        "b": "rejected",
        "c": "open",
        "d": "ended",
    }
    assert (rows["b"]["outcome"], rows["b"]["reason_code"]) == ("rejected", "no_budget")
    assert (rows["d"]["touched_at"], rows["d"]["accepted_at"], rows["d"]["ended_at"]) == (SOON, SOON, LATE)


@pytest.mark.requirement("R68")
def test_timely_is_by_the_business_calendar(company: Company) -> None:
    rows = answered(company)
    assert rows["a"]["due_at"] == dt.datetime(2026, 3, 4, 1)
    assert {id: row["is_timely"] for id, row in rows.items()} == {"a": True, "b": False, "c": False, "d": True}
    team = {row["owner"]: row for row in company.tables[FOLLOW_UP.name]}
    whole = team["all"]
    assert (whole["due_count"], whole["timely_count"], whole["late_count"], whole["open_count"]) == (4, 2, 2, 1)
    assert (whole["timely_ratio"], whole["target_ratio"]) == (0.5, 0.9)
    assert sum(row["due_count"] for owner, row in team.items() if owner != "all") == 4


@pytest.mark.requirement("R68")
def test_before_it_is_due_nothing_is_late(company: Company) -> None:
    company.night({"a": 85})
    company.night({"a": 85}, TUESDAY, marts=True)
    assert [row["is_timely"] for row in company.tables[OUT.name]] == [None]
    assert {row["timely_ratio"] for row in company.tables[FOLLOW_UP.name]} == {None}


@pytest.mark.requirement("R68", "R94", "R115")
@pytest.mark.parametrize(("name", "shares"), [("follow_up_ratio", (2, 4)), ("acceptance_ratio", (2, 3))])
def test_the_monitor_may_name_them(company: Company, name: str, shares: tuple[int, int]) -> None:
    answered(company)
    with company.bench(THURSDAY) as bench:
        for table in (OUT, FOLLOW_UP):
            rows = pa.Table.from_pylist(company.tables[table.name], schema=arrow_schema(table))
            bench.runner.bind_arrow(table.name, rows)
        (row,) = bench.rows(figure(name)(bench.night, MONDAY))
    assert (row.part, row.whole) == shares


@pytest.mark.requirement("R115")
def test_acceptance_by_rule(company: Company) -> None:
    answered(company)
    rows = {row["rule_id"]: row for row in company.tables[RULE_ACCEPTANCE.name]}
    rule = rows["form_clicks"]
    assert (rule["handed_count"], rule["accepted_count"], rule["rejected_count"], rule["open_count"]) == (4, 2, 1, 1)
    assert rule["acceptance_ratio"] == pytest.approx(2 / 3)


@pytest.mark.requirement("R115")
def test_a_won_deal_that_was_never_handed_over_is_listed(company: Company) -> None:
    answered(company)
    assert [(row["contact_id"], row["won_on"]) for row in company.tables[MISSED_WIN.name]] == [("z", LATE.date())]


@pytest.mark.requirement("R115")
@pytest.mark.parametrize(("on", "missed"), [(MONDAY, ["a"]), (TUESDAY, [])])
def test_a_deal_was_missed_when_the_hand_over_came_after_it(company: Company, on: dt.date, missed: list[str]) -> None:
    company.night({"a": 85})
    company.night({"a": 85, "z": 50}, THURSDAY, said=[Said("a", "won", on_the_day(on))], marts=True)
    assert [row["contact_id"] for row in company.tables[MISSED_WIN.name]] == missed


def on_the_day(on: dt.date) -> dt.datetime:
    """Noon of a day in Shanghai; contacts are handed over at 21:00."""
    return dt.datetime.combine(on, dt.time(4))


@pytest.mark.requirement("R115")
def test_the_newest_answer_holds(company: Company) -> None:
    (row,) = company.night({"a": 85})
    back = [Said("a", "rejected", SOON, row.handover_id, "no_budget"), Said("a", "accepted", LATE, row.handover_id)]
    (row,) = company.night({"a": 85}, THURSDAY, said=back)
    assert (row.state, row.outcome, row.touched_at, row.ended_at) == ("accepted", "accepted", SOON, None)
