"""Windows and caps as functions of instants: nothing is sent here."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.send.company import definitions, frequency
from vesper.clock import local_time
from vesper.model.timing import Hours
from vesper.send_limits import Cap, Limits, Touch, limits_of, next_opening, uncapped

T = dt.datetime(2018, 1, 2, 2)
H = dt.timedelta(hours=1)
DAY_LONG = 24 * H
SHANGHAI = ("Asia/Shanghai",)
DAY = Cap("all_channels", 2, 24 * H)
instants = st.integers(0, 20 * 24 * 60).map(lambda minutes: T + dt.timedelta(minutes=minutes))


def hours(starts: str, ends: str) -> Hours:
    return Hours.model_validate({"starts": starts, "ends": ends})


def touches(*at: dt.datetime, channel: str = "email") -> list[Touch]:
    return [Touch(moment, channel) for moment in at]


def most_in_a_window(at: list[dt.datetime], window: dt.timedelta) -> int:
    """The plain meaning of a cap: the fullest closed stretch of a length, tried from every touch on."""
    return max((sum(start <= other <= start + window for other in at) for start in at), default=0)


@pytest.mark.requirement("R86")
def test_the_third_touch_waits_until_the_first_has_left_the_window() -> None:
    assert uncapped(T, touches(T), [DAY]) == T
    assert uncapped(T + H, touches(T, T), [DAY]) == T + 24 * H + dt.timedelta(seconds=1)
    assert uncapped(T + 24 * H, touches(T, T + 5 * H), [DAY]) == T + 24 * H + dt.timedelta(seconds=1)


@pytest.mark.requirement("R86")
def test_touches_later_than_the_instant_count_too() -> None:
    assert uncapped(T, touches(T + H, T + 2 * H), [DAY]) == T + 25 * H + dt.timedelta(seconds=1)


def test_a_cap_that_others_broke_already_does_not_forbid_forever() -> None:
    assert uncapped(T + 72 * H, touches(T, T, T), [DAY]) == T + 72 * H


def test_a_cap_of_one_channel_does_not_count_the_others() -> None:
    mail = Cap("mail", 1, 24 * H, "email")
    assert uncapped(T, touches(T, channel="sms"), [mail]) == T
    assert uncapped(T, touches(T), [mail]) != T


@pytest.mark.requirement("R86", "R87")
@given(
    st.lists(instants, max_size=12),
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 170)), min_size=1, max_size=3),
    st.randoms(),
)
def test_no_stretch_ever_holds_more_than_its_cap(
    asked: list[dt.datetime], numbers: list[tuple[int, int]], chance: Any
) -> None:
    """Whatever the order in which messages ask."""
    caps = [Cap(f"cap{limit}", limit, within * H) for limit, within in numbers]
    chance.shuffle(asked)
    sent: list[dt.datetime] = []
    for moment in asked:
        place = uncapped(moment, touches(*sent), caps)
        assert place is not None
        assert place >= moment
        sent.append(place)
    for cap in caps:
        assert most_in_a_window(sent, cap.window) <= cap.limit


@pytest.mark.requirement("R82")
def test_inside_a_window_a_message_goes_at_once_and_the_end_is_outside() -> None:
    evening = [hours("19:00", "21:00")]
    assert next_opening(dt.datetime(2018, 1, 1, 11, 30), evening, "Asia/Shanghai") == dt.datetime(2018, 1, 1, 11, 30)
    assert next_opening(dt.datetime(2018, 1, 1, 13, 0), evening, "Asia/Shanghai") == dt.datetime(2018, 1, 2, 11, 0)


@pytest.mark.requirement("R82")
def test_a_window_over_midnight() -> None:
    night = [hours("22:00", "02:00")]
    assert next_opening(dt.datetime(2018, 1, 1, 17, 0), night, "Asia/Shanghai") == dt.datetime(2018, 1, 1, 17, 0)
    assert next_opening(dt.datetime(2018, 1, 1, 18, 0), night, "Asia/Shanghai") == dt.datetime(2018, 1, 2, 14, 0)


@pytest.mark.requirement("R82")
def test_a_window_that_daylight_saving_swallows_opens_the_next_day() -> None:
    """2018-03-11 has no 02:30 in New York."""
    before = dt.datetime(2018, 3, 11, 6, 0)  # 01:00 EST
    assert next_opening(before, [hours("02:15", "02:45")], "America/New_York") == dt.datetime(2018, 3, 12, 6, 15)


def test_a_window_without_a_minute_never_opens() -> None:
    assert next_opening(T, [hours("10:00", "10:00")], "Asia/Shanghai") is None
    assert Limits(("Asia/Shanghai",), ((hours("10:00", "10:00"),),)).earliest(T, ()) is None


@pytest.mark.requirement("R82")
@given(
    st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2018, 12, 31)),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]),
    st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), min_size=1, max_size=2),
)
def test_a_message_always_lands_inside_its_windows(at: dt.datetime, zone: str, minutes: list[tuple[int, int]]) -> None:
    """Also over the change of daylight saving, and with quiet hours beside the windows."""
    stretches = tuple(hours(f"{a // 60:02}:{a % 60:02}", f"{b // 60:02}:{b % 60:02}") for a, b in minutes)
    loud = (hours("08:00", "21:00"),)
    placed = Limits((zone,), (stretches, loud)).in_window(at)
    if placed is not None:
        assert placed >= at
        assert any(s.holds(local_time(placed, zone).time()) for s in stretches)
        assert loud[0].holds(local_time(placed, zone).time())


@pytest.mark.requirement("R82", "R86", "R87")
def test_what_binds_whom() -> None:
    known = definitions(policy=frequency())
    prospect = limits_of(known, ("Asia/Shanghai",), "marketing", "prospect")
    assert [cap.name for cap in prospect.caps] == ["all_channels", "prospect_mail"]
    assert [cap.name for cap in limits_of(known, ("Asia/Shanghai",), "marketing", "loyal").caps] == ["all_channels"]
    assert limits_of(known, ("Asia/Shanghai",), "operational", "prospect") == Limits(("Asia/Shanghai",))
    requested = limits_of(known, ("Asia/Shanghai",), "requested", None)
    assert requested.caps == ()
    assert requested.in_window(dt.datetime(2018, 1, 1, 13)) == dt.datetime(2018, 1, 2, 0)  # quiet from 21:00 to 08:00


@pytest.mark.requirement("R86")
def test_a_cap_of_the_calendar_begins_anew_at_midnight_of_the_persons_zone() -> None:
    day, week = (Cap(name, 1, window, calendar=True) for name, window in (("day", DAY_LONG), ("week", 7 * DAY_LONG)))
    late = dt.datetime(2018, 1, 2, 15, 59)  # 23:59 in Shanghai, a Tuesday
    assert uncapped(late, touches(late - 3 * H), [day], SHANGHAI) == dt.datetime(2018, 1, 2, 16)
    assert uncapped(late, touches(late - 24 * H), [day], SHANGHAI) == late
    assert uncapped(late, touches(late - 3 * H), [week], SHANGHAI) == dt.datetime(2018, 1, 7, 16)  # Monday 00:00
    both = ("Asia/Shanghai", "Europe/Berlin")
    assert uncapped(late, touches(late - 3 * H), [day], both) == dt.datetime(2018, 1, 2, 23)


@pytest.mark.requirement("R86")
@given(
    asked=st.lists(instants, max_size=12),
    limit=st.integers(1, 3),
    days=st.sampled_from([1, 7]),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
)
def test_no_day_and_no_week_holds_more_than_its_cap(asked: list[dt.datetime], limit: int, days: int, zone: str) -> None:
    cap = Cap("cap", limit, days * DAY_LONG, calendar=True)
    sent: list[dt.datetime] = []
    for moment in asked:
        place = uncapped(moment, touches(*sent), [cap], (zone,))
        assert place is not None
        assert place >= moment
        sent.append(place)
    local = [local_time(at, zone).date() for at in sent]
    periods = Counter(day if days == 1 else day.isocalendar()[:2] for day in local)
    assert all(count <= limit for count in periods.values())
