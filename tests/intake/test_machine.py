"""Which clicks a machine made: what one request tells, what several tell together, in any order."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.machine import machine_rows
from tests.intake.conftest import Company
from vesper.machine import (
    AFTER_ACCEPTANCE,
    BURST,
    BURST_LINKS,
    CLICKED,
    OPENED,
    Seen,
    told_by_request,
    told_together,
)
from warehouse.ledger.inbox import Arrival, append_all, has_waiting, keep_answers, not_in_lake

AT = dt.datetime(2026, 3, 2, 3)
PEOPLE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 MicroMessenger/7.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
)
MACHINES = (
    "",
    "Mozilla/5.0",
    " Mozilla/5.0 ()",
    "python-requests/2.31",
    "curl/8.4",
    "Barracuda Sentinel (EE)",
    "Googlebot/2.1",
)


def seen(id: int, seconds: float, link: str = "a", message: str = "m", kind: str = CLICKED) -> Seen:
    return Seen(id, message, kind, AT + dt.timedelta(seconds=seconds), link)


@pytest.mark.requirement("R51")
def test_what_one_request_tells() -> None:
    assert [told_by_request(CLICKED, "GET", agent) for agent in PEOPLE] == [None] * 3
    assert all(told_by_request(CLICKED, "GET", agent) for agent in MACHINES)
    assert told_by_request(CLICKED, "HEAD", PEOPLE[0]) == "head"
    assert told_by_request(CLICKED, "GET", PEOPLE[0], is_trap=True) == "trap"


@pytest.mark.requirement("R51")
def test_three_links_in_two_seconds_are_a_burst_and_three_clicks_on_one_are_not() -> None:
    burst = [seen(1, 0, "a"), seen(2, 1, "b"), seen(3, 2, "c")]
    assert told_together(burst, {}) == dict.fromkeys((1, 2, 3), "burst")
    assert told_together([seen(1, 0, "a"), seen(2, 1, "b"), seen(3, 2.1, "c")], {}) == {}
    assert told_together([seen(n, n / 10) for n in range(5)], {}) == {}
    assert told_together([seen(1, 0, "a", "m1"), seen(2, 0, "b", "m2"), seen(3, 0, "c", "m3")], {}) == {}
    assert told_together([seen(1, 0, "a", kind=OPENED), seen(2, 0, "b"), seen(3, 0, "c")], {}) == {}
    after = [*burst, seen(4, 60, "a")]
    assert 4 not in told_together(after, {}), "who comes back a minute later is a person"


@pytest.mark.requirement("R51")
def test_a_click_before_the_mail_can_be_read_is_a_scanners() -> None:
    taken = {"m": AT}
    edge = AFTER_ACCEPTANCE.total_seconds()
    assert told_together([seen(1, edge), seen(2, edge + 0.1), seen(3, -5)], taken) == {1: "too_soon", 3: "too_soon"}


clicks = st.lists(
    st.builds(seen, st.integers(0, 40), st.floats(0, 6), st.sampled_from("abcd"), st.sampled_from(["m", "n"])),
    max_size=14,
    unique_by=lambda one: one.id,
)


@pytest.mark.requirement("R51")
@given(clicks, st.randoms(), st.booleans())
def test_any_order_and_any_repetition_tell_the_same(rows: list[Seen], random: object, is_taken: bool) -> None:
    taken = {"m": AT} if is_taken else {}
    told = told_together(rows, taken)
    mixed = [*rows, *rows]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert told_together(mixed, taken) == told
    for one in rows:
        assert (one.id in told) == (
            is_in_burst(one, rows) or (one.message_id in taken and one.at <= AT + AFTER_ACCEPTANCE)
        )


def is_in_burst(one: Seen, rows: Sequence[Seen]) -> bool:
    """The rule said again, slowly: some window of two seconds around the click holds three links."""
    mine = [other for other in rows if other.message_id == one.message_id]
    windows = [[other for other in mine if first.at <= other.at <= first.at + BURST] for first in mine]
    return any(one in window and len({other.link for other in window}) >= BURST_LINKS for window in windows)


@pytest.mark.requirement("R51", "R17")
def test_rows_of_the_inbox_are_marked_together_and_a_click_waits_for_its_burst(company: Company) -> None:
    company.message("m" * 26, "a@example.com")
    at = dt.datetime(2018, 1, 3)
    arrivals = [
        Arrival("vesper_click", str(n), CLICKED, at, {"url": f"https://shop.example/{n}"}, None, "m" * 26)
        for n in range(3)
    ]
    with company.engine.begin() as connection:
        assert keep_answers(connection, [*arrivals, arrivals[0]], lambda id: f"series of {id}") == [True] * 3 + [False]
        assert not has_waiting(connection), "three seconds later they are looked at together"
        append_all(connection, [Arrival("x", "1", "form_submitted", at)])
        assert has_waiting(connection)
        rows = not_in_lake(connection, None)
    assert machine_rows(company.engine, rows) == {row.inbox_id for row in rows[:3]}
    assert {(row.contact_id, row.payload["series_id"]) for row in rows[:3]} == {("c-" + "m" * 26, "series of winback")}
