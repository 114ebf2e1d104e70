"""Time, in one place: business dates, cut-offs and company days.

The cut-off of a business date is an instant that the calendar gives, never the moment the program happens to run (architecture, section 3).
Nothing here reads the clock except `today`, which only the command line and the deployments call.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa

CUTOFF_HOUR = 20


def cutoff_at(business_on: dt.date, zone: str) -> dt.datetime:
    """The instant (UTC, naive) up to which received rows belong to the night: 20:00 of the business date in the company's zone."""
    return instant(business_on, dt.time(CUTOFF_HOUR), zone)


def instant(on: dt.date, at: dt.time, zone: str) -> dt.datetime:
    """UTC instant (naive) of a wall-clock time in a zone."""
    local = dt.datetime.combine(on, at, tzinfo=ZoneInfo(zone))
    return local.astimezone(dt.UTC).replace(tzinfo=None)


def local_time(at: dt.datetime, zone: str) -> dt.datetime:
    """Wall-clock time (naive) in a zone of a UTC instant (naive)."""
    return at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def today(zone: str) -> dt.date:
    """The live business date in the company's zone."""
    return dt.datetime.now(ZoneInfo(zone)).date()


def now() -> dt.datetime:
    """The live instant, UTC and naive. For manifests and attempts; never for data."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def local_day(instant_column: sa.ColumnElement[dt.datetime], zone: str) -> sa.ColumnElement[dt.date]:
    """SQL: the company's calendar day of a UTC instant column, daylight saving included."""
    return sa.cast(sa.func.timezone(zone, sa.func.timezone("UTC", instant_column)), sa.Date)


def utc_instant(local_column: sa.ColumnElement[dt.datetime], zone: str) -> sa.ColumnElement[dt.datetime]:
    """SQL: the UTC instant (naive) of a wall-clock column in a zone."""
    if zone == "UTC":
        return local_column
    return sa.func.timezone("UTC", sa.func.timezone(zone, local_column))


def after(moment: sa.ColumnElement[dt.datetime], length: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
    """SQL: the instant so much time later, earlier where the length is negative. DuckDB has no function for a bound timedelta."""
    microseconds = sa.literal(length // dt.timedelta(microseconds=1), sa.BigInteger)
    return sa.type_coerce(moment + sa.func.to_microseconds(microseconds, type_=sa.Interval), sa.DateTime)


def on(day: dt.date) -> sa.ColumnElement[dt.date]:
    """SQL: a date literal. DuckDB writes a bare literal date as text, so it is always cast."""
    return sa.cast(sa.literal(day.isoformat()), sa.Date)


def at(moment: dt.datetime) -> sa.ColumnElement[dt.datetime]:
    """SQL: an instant literal, cast for the same reason as `on`."""
    return sa.cast(sa.literal(moment.isoformat(sep=" ")), sa.DateTime)
