"""`anniversary: {field: birth_on, within: 0d}`: the yearly return of a date falls today, or in the coming days (R76).

Who was born on 29 February has it on 28 February in common years, so that it comes once in every year.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.model.timing import DaysAhead
from vesper.tables.contact import CONTACT

AnniversaryField = Literal["birth_on", "first_seen_on"]


class Anniversary(ConditionBody, Strict):
    """The day and month of a contact's date return in a window that begins today; never in the year of the date itself."""

    word: ClassVar[str] = "anniversary"
    feeds: ClassVar[frozenset[str]] = frozenset({"contact"})

    field: AnniversaryField = Field(examples=["birth_on"])
    """Date of core__contact."""
    within: DaysAhead = DaysAhead("0d")
    """Days ahead: 0d asks for today alone, 7d for today and the seven days after it."""

    def people(self, asked: Asked) -> People:
        """Contacts whose anniversary falls in the window."""
        return sa.select(*evidence(CONTACT.c.contact_id, 1)).where(self._returns(self._window(asked.night.business_on)))

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Who stated no date has no anniversary, nor is it certain that today is none."""
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c[self.field].is_(None))

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts whose anniversary lies in one of the two windows and not in the other."""
        days = set(self._window(since)) ^ set(self._window(asked.night.business_on))
        yield sa.select(CONTACT.c.contact_id).where(self._returns(sorted(days)))

    def _window(self, today: dt.date) -> list[dt.date]:
        return [today + dt.timedelta(days=ahead) for ahead in range(self.within.days + 1)]

    def _returns(self, days: Iterable[dt.date]) -> sa.ColumnElement[bool]:
        """SQL: whether the date's anniversary is one of the days. Month and day are compared as one number, 229 for 29 February."""
        value = CONTACT.c[self.field]
        month_day = sa.extract("month", value) * 100 + sa.extract("day", value)
        years = groupby(sorted(days), key=lambda day: day.year)
        return sa.or_(
            sa.false(),
            *[
                sa.and_(month_day.in_([of for day in group for of in _dates_on(day)]), sa.extract("year", value) < year)
                for year, group in years
            ],
        )


def _dates_on(day: dt.date) -> list[int]:
    """The months and days whose anniversary falls on a day."""
    leapless = (day.month, day.day) == (2, 28) and not calendar.isleap(day.year)
    return [day.month * 100 + day.day, *([229] if leapless else [])]
