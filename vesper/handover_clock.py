"""The business calendar: when sales work, when an answer is due, when a notice may leave. Pure functions of instants (UTC, naive).

What belongs here: working days and hours, and the two clocks that run on them (R68, R113). What does not: the numbers (policy/sales.yml).
"""

import datetime as dt
from collections.abc import Iterator

from vesper.clock import instant, local_time
from vesper.model.sales import WEEKDAYS, BusinessCalendar, FollowUp, Notices

DAY = dt.timedelta(days=1)
LONGEST = 400
"""Days that are looked ahead; a calendar without a working day in them is refused."""


class NoWorkingDay(ValueError):
    """The calendar has no working day in more than a year."""


def is_working(calendar: BusinessCalendar, day: dt.date) -> bool:
    """Whether sales work on a day: as the week says, but for holidays and the days that make up for them."""
    if day in calendar.extra_working_days:
        return True
    return WEEKDAYS[day.weekday()] in calendar.working_days and day not in calendar.holidays


def working_days(calendar: BusinessCalendar, since: dt.date) -> Iterator[dt.date]:
    """Working days from a day on, itself included."""
    for ahead in range(LONGEST):
        day = since + ahead * DAY
        if is_working(calendar, day):
            yield day
    raise NoWorkingDay(f"policy/sales.yml: there is no working day in the {LONGEST} days from {since} on")


def due_at(calendar: BusinessCalendar, follow_up: FollowUp, at: dt.datetime, zone: str) -> dt.datetime:
    """When an answer is due for what was handed over at an instant.

    The clock starts with the first working minute from then on. It counts whole working days, midnight to midnight in the company's zone, or only
    their working hours, as the policy says; what is handed over on a Friday evening with 24h is due on Tuesday when work begins.
    """
    start = _first_minute(calendar, at, zone)
    left = follow_up.within.timedelta
    for day in working_days(calendar, local_time(start, zone).date()):
        begins, ends = _counted(calendar, follow_up, day, zone)
        begins = max(begins, start)
        if ends > begins:
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
    raise AssertionError("working_days never ends by itself")


def leaves_at(calendar: BusinessCalendar, notices: Notices, at: dt.datetime, zone: str) -> dt.datetime:
    """When a notice made at an instant leaves: at once inside the hours of a working day, else with the next morning's digest."""
    local = local_time(at, zone)
    if is_working(calendar, local.date()) and notices.hours.holds(local.time()):
        return at
    for day in working_days(calendar, local.date()):
        digest = instant(day, notices.digest_at.time, zone)
        if digest >= at:
            return digest
    raise AssertionError("working_days never ends by itself")


def _first_minute(calendar: BusinessCalendar, at: dt.datetime, zone: str) -> dt.datetime:
    for day in working_days(calendar, local_time(at, zone).date()):
        begins = instant(day, calendar.hours.starts.time, zone)
        ends = instant(day, calendar.hours.ends.time, zone)
        if at < ends:
            return max(at, begins)
    raise AssertionError("working_days never ends by itself")


def _counted(
    calendar: BusinessCalendar, follow_up: FollowUp, day: dt.date, zone: str
) -> tuple[dt.datetime, dt.datetime]:
    """First and last instant of a working day that the clock counts."""
    if follow_up.counts == "working_hours":
        return instant(day, calendar.hours.starts.time, zone), instant(day, calendar.hours.ends.time, zone)
    return instant(day, dt.time(), zone), instant(day + DAY, dt.time(), zone)
