"""The days of the example, the hour at which its files arrive, and chance that depends on nothing but the seed."""

import datetime as dt
import random

from vesper.clock import instant

ZONE = "Asia/Shanghai"
HISTORY = dt.date(2026, 5, 31)
"""Day of the first CRM and ERP exports, which hold everything before."""
FIRST, LAST = dt.date(2026, 6, 1), dt.date(2026, 9, 11)
"""Days of which web, mail and hotline speak: 103 of them. The last one is the night that `vesper.toml` plays."""
STORY = dt.date(2026, 8, 24)
"""Day 0 of the named people: a Monday."""
ARRIVAL = dt.time(19, 30)
"""Files come half an hour before the cut-off, so that the same evening's score knows the day."""


def arrival(on: dt.date) -> int:
    """When the file of a day arrives, in whole seconds since 1970."""
    return int(instant(on, ARRIVAL, ZONE).replace(tzinfo=dt.UTC).timestamp())


def file_day(at: dt.datetime) -> dt.date:
    """The day of the file that a moment (company time) stands in: what happens after the hour of arrival comes a day later."""
    return at.date() if at.time() < ARRIVAL else at.date() + dt.timedelta(days=1)


def days(since: dt.date = FIRST) -> list[dt.date]:
    """Every day from the first, or a later one, to the last."""
    return [since + dt.timedelta(days=step) for step in range((LAST - since).days + 1)]


def draw(seed: int, number: int, subject: str) -> random.Random:
    """A stream of chance of its own for one person or company and one subject."""
    return random.Random(f"instruments/{seed}/{number}/{subject}")


def moment(chance: random.Random, on: dt.date) -> dt.datetime:
    """A second of a working day, between eight and seven."""
    return dt.datetime.combine(on, dt.time(8)) + dt.timedelta(seconds=chance.randrange(11 * 3600))


def workday(chance: random.Random, first: dt.date = FIRST, last: dt.date = LAST) -> dt.date:
    """A day from first to last, mostly a Monday to Friday."""
    on = first + dt.timedelta(days=chance.randrange((last - first).days + 1))
    if on.weekday() > 4 and chance.random() < 0.85:
        on -= dt.timedelta(days=on.weekday() - 4)
    return max(on, first)


def zoned(at: dt.datetime) -> str:
    """A company wall-clock time in ISO 8601 with its offset, as servers write it."""
    return f"{at.isoformat()}+08:00"


def stamped(at: dt.datetime) -> str:
    """A company wall-clock time as an export writes it."""
    return at.strftime("%Y-%m-%d %H:%M:%S")
