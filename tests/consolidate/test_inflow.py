"""New contacts by route: the routes of a night add up to the contacts that were not there the night before."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consolidate.company import Company
from tests.consolidate.golden_rows import Golden, Row, open_runner, record
from vesper.marts.inflow import INFLOW, inflow
from vesper.night import Night
from vesper.tables.contact import CONTACT, CONTACT_MEMBER
from vesper.tables.declare import previous
from warehouse.house import House

ON = dt.date(2018, 3, 4)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    house = House.open(Company(tmp_path / "company").root)
    yield house.night(ON)
    house.close()


@pytest.fixture
def golden(tmp_path: Path) -> Iterator[Golden]:
    with open_runner(tmp_path) as runner:
        yield Golden(runner)


def flowed_in(golden: Golden, night: Night, before: list[Row], now: list[Row]) -> dict[str, tuple[int, int]]:
    """Route -> new contacts, those of them that split off, after a night of `before` and one of `now`."""
    golden.make(before)
    golden.bind(previous(CONTACT), golden.tables[CONTACT.name])
    golden.bind(previous(CONTACT_MEMBER), before)
    golden.make(now)
    golden.fill(INFLOW, inflow(night))
    rows = golden.tables[INFLOW.name]
    assert {row["business_on"] for row in rows} <= {ON}
    return {row["first_source"]: (row["new_contacts"], row["split_contacts"]) for row in rows}


@pytest.mark.requirement("R16")
def test_routes_add_up_to_the_contacts_that_are_new(golden: Golden, night: Night) -> None:
    before = [record("crm_member", "1", "c1"), record("crm_member", "2", "c2"), record("crm_member", "3", "c2")]
    now = [
        record("crm_member", "1", "c1"),
        record("crm_member", "2", "c2"),
        record("crm_member", "3", "c3"),  # c2 turned out to be two people
        record("app_signup", "A", "c4", registered_at=dt.datetime(2018, 3, 3)),
        record("hotline_400", "9", "c4", registered_at=dt.datetime(2018, 3, 2)),
        record("hotline_400", "8", "c5"),
        record("app_signup", "B", "c1"),  # a row more of a known contact is no inflow
    ]
    found = flowed_in(golden, night, before, now)
    assert found == {"crm_member": (1, 1), "app_signup": (0, 0), "hotline_400": (2, 0)}
    assert sum(new for new, _ in found.values()) == len({"c3", "c4", "c5"})


@pytest.mark.requirement("R16")
def test_on_the_first_night_everybody_is_new(golden: Golden, night: Night) -> None:
    now = [record("crm_member", "1", "c1"), record("app_signup", "A", "c2")]
    assert flowed_in(golden, night, [], now) == {"crm_member": (1, 0), "app_signup": (1, 0)}
