"""Whose clock a message keeps to: the person's, every possible one where only the country is known, all markets where nothing is."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.send.company import (
    NIGHT,
    Person,
    campaign,
    definitions,
    delivered,
    fill,
    frequency,
    lake,
    messages,
    night,
    plan_of,
    planned,
    rows_of,
    workspace,
)
from vesper.clock import local_time
from vesper.model.timing import Hours
from vesper.send_limits import Limits, limits_of, limits_of_message
from vesper.tables.contact import CONTACT
from vesper.zone import CHINA, every_zone, zone_of, zones_of

SHANGHAI, NEW_YORK, LONDON, BERLIN = CHINA, "America/New_York", "Europe/London", "Europe/Berlin"
MARKETS = ("America/New_York", "America/Los_Angeles", "Europe/Berlin")
EVENING = [{"starts": "19:00", "ends": "21:00"}]


@pytest.fixture
def shop() -> Any:
    engine = lake()
    yield engine
    engine.dispose()


def inside(at: dt.datetime, zone: str, hours: Sequence[Hours]) -> bool:
    return any(stretch.holds(local_time(at, zone).time()) for stretch in hours)


@pytest.mark.requirement("R82")
def test_the_zone_comes_from_the_province_else_from_the_country_of_the_phone(shop: sa.Engine) -> None:
    known = {
        "province": Person("province", None, province="上海"),
        "both": Person("both", None, province="新疆", phone="+4915112345678"),
        "china": Person("china", None, phone="+8613812345678"),
        "germany": Person("germany", None, phone="+4915112345678"),
        "hong_kong": Person("hong_kong", None, phone="+85291234567"),
        "america": Person("america", None, phone="+12125550123"),
        "nothing": Person("nothing", None),
        "strange": Person("strange", None, phone="+9991234567"),
    }
    fill(shop, known.values())
    found = dict(tuple(row) for row in rows_of(shop, sa.select(CONTACT.c.contact_id, zone_of())))
    assert found == {
        "province": SHANGHAI,
        "both": SHANGHAI,
        "china": SHANGHAI,
        "germany": BERLIN,
        "hong_kong": "Asia/Hong_Kong",
        "america": "+1",
        "nothing": None,
        "strange": None,
    }
    assert {zone for zone in found.values() if zone} <= set(every_zone())


@pytest.mark.requirement("R82")
def test_where_less_is_known_every_possible_zone_counts() -> None:
    nowhere, markets = definitions(policy=frequency()), definitions(policy=frequency(zones=MARKETS))
    assert zones_of(BERLIN, nowhere, SHANGHAI) == (BERLIN,)
    assert zones_of(None, nowhere, SHANGHAI) == (SHANGHAI,)
    assert zones_of(None, markets, SHANGHAI) == MARKETS
    assert zones_of("+1", markets, SHANGHAI) == ("America/Los_Angeles", "America/New_York")
    assert {NEW_YORK, "Pacific/Honolulu"} <= set(zones_of("+1", nowhere, SHANGHAI))
    assert zones_of(LONDON, markets, SHANGHAI) == (LONDON,)


@pytest.mark.requirement("R82")
@given(
    at=st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2020, 12, 31)),
    zones=st.lists(st.sampled_from(every_zone()), min_size=1, max_size=3),
    minutes=st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), min_size=1, max_size=2),
)
def test_an_opening_lies_in_the_window_of_every_possible_zone(
    at: dt.datetime, zones: list[str], minutes: list[tuple[int, int]]
) -> None:
    """Whatever the clocks of the zones do meanwhile: forward, back, by half an hour."""
    own = [
        Hours.model_validate({"starts": f"{a // 60:02}:{a % 60:02}", "ends": f"{b // 60:02}:{b % 60:02}"})
        for a, b in minutes
    ]
    quiet = frequency(windows={})
    named = tuple(name for zone in zones for name in zones_of(zone, definitions(policy=quiet), SHANGHAI))
    limits = limits_of(definitions(policy=quiet), named, "marketing", None, tuple(own))
    opening = limits.in_window(at)
    if opening is not None:
        loud = [Hours.model_validate({"starts": "08:00", "ends": "21:00"})]
        assert opening >= at
        assert all(inside(opening, zone, own) and inside(opening, zone, loud) for zone in named)


@pytest.mark.requirement("R82")
def test_a_campaign_has_windows_of_its_own_and_quiet_hours_stay_quiet() -> None:
    early = campaign(windows=[{"starts": "07:00", "ends": "09:00"}])
    known = definitions(early, policy=frequency())

    class Message:
        campaign_id, purpose, stage_at_plan, zone, channel = early.id, "marketing", "loyal", None, "email"

    limits = limits_of_message(known, SHANGHAI, Message)  # type: ignore[arg-type]
    assert limits.in_window(dt.datetime(2018, 1, 1, 13)) == dt.datetime(
        2018, 1, 2, 0
    )  # 08:00, when quiet hours are over
    assert limits_of(known, (SHANGHAI,), "operational", None, early.windows) == Limits((SHANGHAI,))


@pytest.mark.requirement("R82", "R113")
def test_each_person_waits_for_the_window_of_their_own_clock(shop: sa.Engine, tmp_path: Path) -> None:
    each = campaign(windows=EVENING)
    fill(
        shop,
        [
            Person("c1", "1@example.com", province="北京"),
            Person("c2", "2@example.com", phone="+4915112345678"),
            Person("c3", "3@example.com"),
            Person("c4", "4@example.com", phone="+12125550123"),
        ],
    )
    rows = {row.contact_id: row for row in rows_of(shop, plan_of(each, night(definitions(each), tmp_path)))}
    assert rows["c1"].not_before == dt.datetime(2018, 1, 2, 11)
    assert rows["c2"].not_before == dt.datetime(2018, 1, 1, 18)
    assert rows["c3"].not_before == dt.datetime(2018, 1, 2, 11)
    assert [rows[id].zone for id in sorted(rows)] == [SHANGHAI, BERLIN, None, "+1"]
    # From Newfoundland to Samoa no evening is the same, and the company names no markets.
    assert (rows["c4"].decision, rows["c4"].detail) == ("no_window", "+1")


@pytest.mark.requirement("R82")
def test_a_message_that_meets_no_window_in_its_time_is_not_made(shop: sa.Engine, tmp_path: Path) -> None:
    each = campaign(max_lateness="2h")
    fill(shop, [Person("c1", "1@example.com")])
    assert [row.decision for row in rows_of(shop, plan_of(each, night(definitions(each), tmp_path)))] == ["no_window"]


@pytest.mark.requirement("R82", "R113")
@pytest.mark.parametrize(
    "on",
    [
        NIGHT,
        dt.date(2018, 3, 10),  # New York and Los Angeles go forward in the night
        dt.date(2018, 3, 24),  # Berlin and London go forward
        dt.date(2018, 10, 27),  # Berlin and London go back
        dt.date(2018, 11, 3),  # New York and Los Angeles go back
    ],
)
def test_nothing_leaves_outside_its_windows_on_any_day_of_the_year(
    ledger: sa.Engine, tmp_path: Path, on: dt.date
) -> None:
    """Planned, claimed and handed over: every message inside the windows of all zones that its person may be in."""
    policy = frequency(zones=MARKETS)
    phones = [None, "+8613812345678", "+4915112345678", "+442071234567", "+12125550123", "+819012345678"]
    persons = [Person(f"c{n}", f"person{n}@example.com", phone=phone) for n, phone in enumerate(phones)]
    first, second = [
        campaign(id, starts_on=on, ends_on=on + dt.timedelta(days=9), windows=windows)
        for id, windows in (("a", []), ("b", [{"starts": "10:00", "ends": "20:00"}]))
    ]
    known = definitions(first, second, policy=policy)
    planned(ledger, known, tmp_path, persons, on)
    delivered(ledger, known, workspace(tmp_path), persons, days=5, on=on)
    sent = [row for row in messages(ledger) if row.state == "accepted"]
    # Those whose zone nobody knows have an hour in common only in the second campaign's window.
    assert len(sent) >= 9
    for row in sent:
        windows = (first.windows or policy.windows["marketing"]) if row.campaign_id == "a" else second.windows
        for zone in zones_of(row.zone, known, SHANGHAI):
            assert inside(row.sending_at, zone, windows), (row.contact_id, row.zone, row.sending_at)
