"""Parts of a table: how a cut table is divided by day and month, how a patched one is layered, and what names a part's file.

What belongs here: keys of parts, and what follows from keys, counts and hashes alone. What does not: files and rows (`runner.py`, `patch.py`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

WHOLE = "all"
PATCH = "patch"
"""Rows of a patched table that are new or differ since its whole part was written."""
VOID = "void"
"""Keys of rows of the whole part that hold no longer: replaced in the patch, or gone."""


@dataclass(frozen=True)
class Part:
    """One immutable file of a table. `path` is relative to the lake and empty for a part known to hold no row."""

    key: str
    path: str
    row_count: int
    sha256: str
    recipe: str | None = None


@dataclass(frozen=True)
class Span:
    """The days that one part holds, both inclusive."""

    key: str
    first_on: dt.date
    last_on: dt.date


def span_of(day: dt.date, business_on: dt.date) -> Span:
    """The part that holds a day: the day itself in the open month, the whole month once it is closed."""
    if (day.year, day.month) >= (business_on.year, business_on.month):
        return Span(day.isoformat(), day, day)
    first = day.replace(day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return Span(f"{first:%Y-%m}", first, following - dt.timedelta(days=1))


def days_of(key: str) -> tuple[dt.date, dt.date]:
    """First and last day of a part by its key (`2017-03` or `2017-12-30`)."""
    if len(key) == len("2017-03"):
        span = span_of(dt.date.fromisoformat(f"{key}-01"), dt.date.max)
        return span.first_on, span.last_on
    day = dt.date.fromisoformat(key)
    return day, day


def row_count_of(parts: Iterable[Part]) -> int:
    """How many rows parts hold together: a void row takes one of the whole away."""
    return sum(-part.row_count if part.key == VOID else part.row_count for part in parts)


def fingerprint_of(parts: Iterable[Part]) -> str:
    """One hash over keys and contents: equal fingerprint, equal table."""
    return hashlib.sha256(repr(sorted((p.key, p.sha256) for p in parts)).encode()).hexdigest()
