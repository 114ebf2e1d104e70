"""How long something lasted, as the inbox brings it: a look of two minutes enters a journey at once (R75); whatever else is sent is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.inbox import bind_now
from tasks.tick import Tick
from tests.intake.conftest import Company
from vesper.clock import now
from vesper.inbox import LONGEST_SECONDS, seconds
from vesper.tables.campaign import EVENT
from warehouse.house import House
from warehouse.ledger.inbox import Arrival, append
from warehouse.runner import Runner


@pytest.mark.requirement("R75")
@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers()), st.booleans()))
def test_only_whole_seconds_of_a_week_are_a_length(said: object) -> None:
    found = seconds(said)
    assert found is None or (0 <= found <= LONGEST_SECONDS and int(str(said)) == found)


@pytest.mark.requirement("R75")
def test_numbers_are_read_as_they_are_written() -> None:
    assert [seconds(said) for said in (150, "119", LONGEST_SECONDS)] == [150, 119, LONGEST_SECONDS]
    assert [seconds(said) for said in ("1.5", "2m", -1, LONGEST_SECONDS + 1, "١٢", "9" * 10_000)] == [None] * 6


@pytest.mark.requirement("R75")
def test_an_event_of_the_inbox_says_how_long_it_lasted(company: Company) -> None:
    said = {"email": "ming@example.com", "duration_seconds": 150}
    with company.engine.begin() as connection:
        append(connection, Arrival("shop", "1", "page_viewed", now(), said))
    house = House.open(company.root)
    with Runner(house.lake, threads=1) as runner:
        tick = Tick(house)
        bind_now(house, runner, tick.night(tick.current(), now()))
        (event,) = runner.rows(EVENT.select())
    house.close()
    assert (event.kind, event.duration_seconds, event.contact_id is not None) == ("page_viewed", 150, True)
