"""The business calendar: what is a working day, when an answer is due, when a notice may leave (R68, R113)."""

import datetime as dt

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.handover.world import ZONE
from vesper.clock import instant, local_time
from vesper.handover_clock import NoWorkingDay, due_at, is_working, leaves_at
from vesper.model.sales import BusinessCalendar, FollowUp, Notices

FRIDAY = dt.date(2026, 3, 6)
HOLIDAY = dt.date(2026, 3, 9)
MADE_UP = dt.date(2026, 3, 7)


def calendar(**changes: object) -> BusinessCalendar:
    return BusinessCalendar.model_validate(changes)


def at(day: dt.date, clock: str, zone: str = ZONE) -> dt.datetime:
    return instant(day, dt.time.fromisoformat(clock), zone)


def due(day: dt.date, clock: str, days: BusinessCalendar, zone: str = ZONE, **follow_up: object) -> str:
    found = due_at(days, FollowUp.model_validate(follow_up), at(day, clock, zone), zone)
    return f"{local_time(found, zone):%a %d %H:%M}"


@pytest.mark.requirement("R68")
@pytest.mark.parametrize(
    ("handed", "expected"),
    [("10:00", "Mon 09 10:00"), ("21:00", "Tue 10 09:00"), ("08:00", "Mon 09 09:00"), ("18:00", "Tue 10 09:00")],
)
def test_24_hours_of_working_days(handed: str, expected: str) -> None:
    assert due(FRIDAY, handed, calendar()) == expected


@pytest.mark.requirement("R68")
def test_holidays_and_the_days_that_make_up_for_them() -> None:
    days = calendar(holidays=(HOLIDAY,), extra_working_days=(MADE_UP,))
    assert [is_working(days, FRIDAY + dt.timedelta(days=n)) for n in range(5)] == [True, True, False, False, True]
    assert due(FRIDAY, "21:00", days) == "Tue 10 09:00"
    assert due(FRIDAY, "10:00", days) == "Sat 07 10:00"


@pytest.mark.requirement("R68")
def test_hours_that_are_worked() -> None:
    assert due(FRIDAY, "16:00", calendar(), counts="working_hours", within="4h") == "Mon 09 11:00"
    assert due(FRIDAY, "21:00", calendar(), counts="working_hours", within="24h") == "Wed 11 15:00"


@pytest.mark.requirement("R68")
def test_daylight_saving_keeps_24_hours() -> None:
    """New York loses an hour on Sunday 8 March: of a Friday of 24 hours nothing, of a Sunday that is worked one."""
    days = calendar(extra_working_days=(dt.date(2026, 3, 8),))
    assert due(dt.date(2026, 3, 6), "10:00", days, "America/New_York") == "Sun 08 11:00"


@settings(max_examples=150, deadline=None)
@given(
    hours=st.integers(0, 24 * 60), within=st.integers(1, 200), counts=st.sampled_from(["working_days", "working_hours"])
)
def test_due_is_later_lies_in_working_time_and_grows(hours: int, within: int, counts: str) -> None:
    days, start = calendar(holidays=(HOLIDAY,)), at(FRIDAY, "00:00") + dt.timedelta(hours=hours)
    found = due_at(days, FollowUp.model_validate({"within": f"{within}h", "counts": counts}), start, ZONE)
    assert found >= start + dt.timedelta(hours=within)
    assert is_working(days, local_time(found - dt.timedelta(seconds=1), ZONE).date())
    later = due_at(
        days, FollowUp.model_validate({"within": f"{within}h", "counts": counts}), start + dt.timedelta(hours=1), ZONE
    )
    assert later >= found


@pytest.mark.requirement("R113")
@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (FRIDAY, "21:00", "Fri 06 21:00"),
        (FRIDAY, "22:00", "Mon 09 09:00"),
        (FRIDAY, "07:59", "Fri 06 09:00"),
        (MADE_UP, "12:00", "Mon 09 09:00"),
    ],
)
def test_notices_leave_in_their_hours_or_with_the_digest(day: dt.date, clock: str, expected: str) -> None:
    found = leaves_at(calendar(), Notices(), at(day, clock), ZONE)
    assert f"{local_time(found, ZONE):%a %d %H:%M}" == expected


def test_a_year_of_holidays_is_refused() -> None:
    never = calendar(
        working_days=("monday",), holidays=tuple(dt.date(2026, 1, 5) + dt.timedelta(weeks=n) for n in range(80))
    )
    with pytest.raises(NoWorkingDay, match=r"policy/sales\.yml"):
        leaves_at(never, Notices(), at(FRIDAY, "12:00"), ZONE)
