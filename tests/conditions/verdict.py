"""What a condition's plain meaning is asked of, and what it answers.

What belongs here: the shapes that every meaning shares, windows and bounds. What does not: any one meaning (`oracle.py`, `oracle_of_people.py`).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.conditions.world import Facts
from vesper.night import Night


def last_outside(within: Any, tonight: dt.date) -> dt.date:
    """The last day outside a window: so many days ago, or the same day of an earlier month; the last one that a shorter month has."""
    if within.endswith("d"):
        return tonight - dt.timedelta(days=int(within[:-1]))
    month = tonight.replace(day=1)
    for _ in range(int(within.split()[0])):
        month = (month - dt.timedelta(days=1)).replace(day=1)
    following = (month + dt.timedelta(days=32)).replace(day=1)
    return min(month + dt.timedelta(days=tonight.day - 1), following - dt.timedelta(days=1))


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds for a contact, and the number, first and last instant of the facts behind it."""

    truth: bool | None
    count: int = 0
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None


@dataclass(frozen=True)
class Case:
    """One contact of one company on one night."""

    id: str
    facts: Facts
    night: Night

    def recent(self, rows: Iterable[Any], within: Any) -> list[Any]:
        """Rows of the contact inside the window: `7d` is the business date and the six days before."""
        mine = [row for row in rows if row.contact_id == self.id and row.on <= self.night.business_on]
        return [row for row in mine if within is None or row.on > last_outside(within, self.night.business_on)]


def seen(truth: bool | None, instants: Iterable[dt.datetime], count: int | None = None) -> Verdict:
    found = sorted(instants)
    return Verdict(
        truth, len(found) if count is None else count, found[0] if found else None, found[-1] if found else None
    )


def inside(figure: Any, least: Any, most: Any) -> bool:
    return (least is None or figure >= least) and (most is None or figure <= most)
