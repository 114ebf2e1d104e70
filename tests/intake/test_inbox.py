"""The inbox between two nights: kept once, about the right person, readable beside what the night published."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.inbox import bind_now
from tasks.tick import Tick
from tests.intake.conftest import Company, Found
from vesper.identity.ids import minted
from vesper.inbox import FORM, source_key
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT, IDENTIFIER
from warehouse.house import House
from warehouse.ledger.inbox import Arrival, append, append_all, forget, has_waiting, mark_handled, waiting
from warehouse.ledger.send_schema import INBOX
from warehouse.runner import Runner

AT = dt.datetime(2026, 3, 2, 3)


def form(id: str, **said: Any) -> Arrival:
    return Arrival("whitepaper", id, "form_submitted", AT, said)


@pytest.mark.requirement("R17")
def test_what_comes_twice_is_kept_once(company: Company) -> None:
    with company.engine.begin() as connection:
        assert append(connection, form("1", email="a@example.com"))
        assert not append(connection, form("1", email="b@example.com"))
        assert append_all(connection, [form(str(n)) for n in range(1200)]) == 1199
    assert len(company.rows(INBOX)) == 1200
    assert "a@example.com" in company.rows(INBOX)[0].payload


@pytest.mark.requirement("R17")
def test_rows_wait_in_the_order_of_arrival_until_they_are_handled(company: Company) -> None:
    with company.engine.begin() as connection:
        append_all(connection, [form(str(n)) for n in (3, 1, 2)])
        ids = [row.inbox_id for row in waiting(connection, 10)]
        assert ids == sorted(ids) and len(waiting(connection, 2)) == 2
        mark_handled(connection, ids[:2], AT)
        assert [row.inbox_id for row in waiting(connection, 10)] == ids[2:] and has_waiting(connection)
        mark_handled(connection, ids, AT + dt.timedelta(days=1))
        assert not has_waiting(connection)
    assert company.rows(INBOX)[0].handled_at == AT


@pytest.mark.requirement("R17")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(ids=st.lists(st.integers(0, 5), max_size=20))
def test_any_sequence_of_deliveries_keeps_the_first_of_each(found: Found, ids: list[int]) -> None:
    company = found()
    with company.engine.begin() as connection:
        new = [append(connection, form(str(id), place=place)) for place, id in enumerate(ids)]
    firsts = [ids.index(id) == place for place, id in enumerate(ids)]
    assert new == firsts


def bound(company: Company, runner: Runner, house: House) -> Mapping[int, str]:
    tick = Tick(house)
    return bind_now(house, runner, tick.night(tick.current(), AT)).contacts


@pytest.mark.requirement("R74")
def test_a_stranger_becomes_a_contact_with_the_id_that_identity_would_mint(company: Company) -> None:
    with company.engine.begin() as connection:
        append_all(
            connection,
            [
                form("1", email=" Ming@Example.com ", name="王小明"),
                form("2", email="ming@example.com", phone="13817265349"),
                form("3", phone="138 1726 5349", name="小明"),
                form("4", email="other@example.com"),
                form("5", name="nobody can be reached"),
            ],
        )
    house = House.open(company.root)
    with Runner(house.lake, threads=1) as runner:
        contacts = bound(company, runner, house)
        first = runner.scalar(sa.select(minted(sa.literal(f"{FORM}:{source_key(1)}"))))
        people = {row.contact_id: row for row in runner.rows(sa.select(CONTACT))}
        events = runner.rows(sa.select(EVENT.c.event_id, EVENT.c.contact_id, EVENT.c.kind).order_by(EVENT.c.event_id))
        named = {(row.kind, row.value): row.contact_id for row in runner.rows(sa.select(IDENTIFIER))}
    house.close()
    assert contacts[1] == contacts[2] == contacts[3] == first
    assert contacts.keys() == {1, 2, 3, 4} and len({contacts[1], contacts[4]}) == 2
    assert people[first].email in ("Ming@example.com", "ming@example.com")
    assert named["email", "other@example.com"] == contacts[4]
    assert [(row.event_id, row.contact_id) for row in events] == [(f"inbox:{n}", contacts.get(n)) for n in range(1, 6)]
    assert [row.contact_id for row in company.rows(INBOX)] == [contacts.get(n) for n in range(1, 6)]


@pytest.mark.requirement("R90", "R122")
def test_an_erased_persons_rows_say_nothing_any_more(company: Company) -> None:
    with company.engine.begin() as connection:
        append(connection, form("1", email="Ming@example.com", name="王小明"))
        append(connection, dataclasses.replace(form("2", name="小明"), contact_id="c1"))
        append(connection, form("3", email="an@example.com"))
        assert forget(connection, {"c1": "erased:1"}, ["ming@example.com"], AT) == 2
    first, second, third = company.rows(INBOX)
    assert (first.payload, second.payload, second.contact_id) == ("{}", "{}", "erased:1")
    assert first.handled_at == second.handled_at == AT
    assert "an@example.com" in third.payload and third.handled_at is None


@pytest.mark.requirement("R74")
def test_an_empty_inbox_leaves_everything_as_published(found: Found) -> None:
    company = found()
    house = House.open(company.root)
    with Runner(house.lake, threads=1) as runner:
        assert bound(company, runner, house) == {}
        assert runner.rows(sa.select(CONTACT)) == runner.rows(sa.select(EVENT)) == []
    house.close()
