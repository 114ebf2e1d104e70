"""Contacts are dealt out evenly, under each limit, by region, and whoever is left is said (R69)."""

import datetime as dt
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.handover.world import HANDED_AT, MONDAY, Company, Person, Said, policy, representative
from vesper.handover_team import places
from vesper.model.sales import SalesPolicy

TUESDAY = MONDAY + dt.timedelta(days=1)
MEMBERS = st.lists(
    st.tuples(st.sampled_from([(), ("上海",), ("上海", "江苏"), ("北京",)]), st.integers(0, 6)), min_size=1, max_size=6
)


def team(members: list[tuple[tuple[str, ...], int]]) -> SalesPolicy:
    people = {
        f"r{n}": representative("安", regions=regions, open_limit=limit) for n, (regions, limit) in enumerate(members)
    }
    return policy(team=people)


def cells_of(count: int) -> st.SearchStrategy[dict[str, int]]:
    cell = st.text("01", min_size=count, max_size=count)
    return st.dictionaries(cell, st.integers(0, 12), max_size=4)


@pytest.mark.requirement("R69")
@settings(max_examples=200, deadline=None)
@given(members=MEMBERS, data=st.data())
def test_places_are_fair_and_under_every_limit(members: list[tuple[tuple[str, ...], int]], data: st.DataObject) -> None:
    sales = team(members)
    waiting = data.draw(cells_of(len(members)))
    dealt = places(sales, waiting, {})
    loads = Counter(place.owner for place in dealt)
    order = list(sales.team)
    for owner, person in sales.team.items():
        assert loads[owner] <= person.open_limit
    for place in dealt:
        assert place.cell[order.index(place.owner)] == "1"
    for cell, count in waiting.items():
        mine = [place.number for place in dealt if place.cell == cell]
        assert mine == list(range(1, len(mine) + 1)) and len(mine) <= count
        room = [o for n, o in enumerate(order) if cell[n] == "1" and loads[o] < sales.team[o].open_limit]
        assert len(mine) == count or not room, "somebody waits although somebody has room"


@pytest.mark.requirement("R69")
@settings(max_examples=200, deadline=None)
@given(limit=st.integers(0, 9), size=st.integers(1, 5), count=st.integers(0, 40), data=st.data())
def test_equals_stay_within_one(limit: int, size: int, count: int, data: st.DataObject) -> None:
    sales = team([((), limit)] * size)
    load = {f"r{n}": data.draw(st.integers(0, 1)) for n in range(size)}
    dealt = Counter(place.owner for place in places(sales, {"1" * size: count}, load))
    after = [load[owner] + dealt[owner] for owner in sales.team if limit > load[owner]]
    assert max(after, default=0) - min(after, default=0) <= 1


@pytest.mark.requirement("R69")
def test_a_night_deals_out_by_region_best_scores_first(tmp_path: Path) -> None:
    sales = policy(
        team={
            "an": representative("安", regions=["上海"], open_limit=2),
            "bo": representative("博", regions=["上海", "江苏"], open_limit=1),
            "chen": representative("陈", open_limit=1),
        }
    )
    company = Company(tmp_path / "company", sales)
    people = {f"s{n}": Person(89 - n) for n in range(5)} | {
        "bj": Person(80, "北京", "北京"),
        "none": Person(81, None, None),
    }
    owners = {row.contact_id: row.owner for row in company.night(people)}
    assert Counter(owners.values()) == {"an": 2, "bo": 1, "chen": 1, None: 3}
    # Those whom only 陈 may take come first, the better score of them; then Shanghai by score.
    assert owners["none"] == "chen" and owners["bj"] is None
    assert [owners[f"s{n}"] for n in range(5)] == ["an", "bo", "an", None, None]
    assert ["3" in warning for warning in company.report.warnings] == [True]
    company.house.close()


@pytest.mark.requirement("R69")
def test_who_waits_gets_somebody_when_there_is_room(tmp_path: Path) -> None:
    company = Company(tmp_path / "company", policy(team={"an": representative("安", open_limit=1)}))
    first = {row.contact_id: row for row in company.night({"a": 85, "b": 84})}
    assert (first["a"].owner, first["b"].owner) == ("an", None)
    ended = [Said("a", "won", HANDED_AT + dt.timedelta(hours=2), first["a"].handover_id)]
    second = {row.contact_id: row for row in company.night({"a": 85, "b": 84}, TUESDAY, said=ended)}
    assert (second["a"].state, second["b"].owner) == ("ended", "an")
    assert second["b"].due_at > first["b"].due_at
    assert [n.kind for n in company.notices() if n.handover_id == second["b"].handover_id] == ["new", "unassigned"]
    company.house.close()


def test_who_left_the_team_is_replaced(tmp_path: Path) -> None:
    company = Company(tmp_path / "company", policy(team={"an": representative("安")}))
    company.night({"a": 85})
    company.policy = policy(team={"bo": representative("博")})
    (row,) = company.night({"a": 85}, TUESDAY)
    assert row.owner == "bo"
    told = {(n.recipient, n.state) for n in company.notices() if n.kind == "new"}
    assert told == {("an", "accepted"), ("bo", "accepted")}, "who takes over hears of it, too"
    company.house.close()


@pytest.mark.requirement("R69")
def test_load_counts_what_is_open_from_earlier_nights(company: Company) -> None:
    company.night({"a": 85})
    rows = company.night({"a": 85, "b": 84, "c": 83}, TUESDAY)
    assert Counter(row.owner for row in rows) == {"an": 2, "bo": 1}
    assert {row.contact_id: row.owner for row in rows}["b"] == "bo"
