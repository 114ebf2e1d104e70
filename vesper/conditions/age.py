"""`age: {at_least: 25, at_most: 44}`: full years of the contact tonight (R30).

They come from the day of birth; where nobody stated it, from the survey's age band, which answers only if all of it lies inside or outside. Who was
born on 29 February grows older on 28 February in common years, as the anniversary has it (R76).
"""

import calendar
import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import on
from vesper.conditions.people import Asked, People, evidence
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.problem import wrong
from vesper.tables.contact import CONTACT

FROM_TO, AND_ABOVE = r"^(\d{1,3})-(\d{1,3})岁?$", r"^(\d{1,3})(?:\+|岁以上)$"
"""How a band is written: 25-34 or 65+. Any other text says no age."""
OLDEST = 150
Years = Annotated[int, Field(ge=0, le=OLDEST)]


class Age(ConditionBody, Strict):
    """Full years of age tonight, both bounds included."""

    word: ClassVar[str] = "age"
    feeds: ClassVar[frozenset[str]] = frozenset({"contact", "demographic"})

    at_least: Years | None = None
    """Youngest that matches."""
    at_most: Years | None = None
    """Oldest that matches."""

    @model_validator(mode="after")
    def _bounded(self) -> "Age":
        if self.at_least is None and self.at_most is None:
            raise wrong("An age needs a bound.", "Write at_least or at_most.")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise wrong(
                "at_least {low} is above at_most {high}: nobody can match.",
                "Swap them or drop one.",
                low=self.at_least,
                high=self.at_most,
            )
        return self

    def people(self, asked: Asked) -> People:
        """Contacts of that age."""
        born = self._born(asked.night.business_on)
        holds = sa.case((CONTACT.c.birth_on.is_not(None), born), else_=self._inside())
        return sa.select(*evidence(CONTACT.c.contact_id, 1)).where(sa.func.coalesce(holds, sa.false()))

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Contacts without a day of birth whose band is missing, says no age, or lies on a bound."""
        answered = sa.func.coalesce(sa.or_(self._inside(), self._outside()), sa.false())
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c.birth_on.is_(None), sa.not_(answered))

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts who since then came of the youngest age, or grew past the oldest."""
        birth_on, today = CONTACT.c.birth_on, asked.night.business_on
        for years in (self.at_least, None if self.at_most is None else self.at_most + 1):
            if years is not None:
                born_since = sa.and_(birth_on > on(born_by(since, years)), birth_on <= on(born_by(today, years)))
                yield sa.select(CONTACT.c.contact_id).where(born_since)

    def _born(self, today: dt.date) -> sa.ColumnElement[bool]:
        """SQL: the day of birth gives such an age."""
        birth_on = CONTACT.c.birth_on
        youngest = [] if self.at_least is None else [birth_on <= on(born_by(today, self.at_least))]
        oldest = [] if self.at_most is None else [birth_on > on(born_by(today, self.at_most + 1))]
        return sa.and_(*youngest, *oldest)

    def _inside(self) -> sa.ColumnElement[bool]:
        """SQL: every age of the band is such an age."""
        low, high = _band()
        youngest = [] if self.at_least is None else [low >= self.at_least]
        return sa.and_(low.is_not(None), *youngest, *([] if self.at_most is None else [high <= self.at_most]))

    def _outside(self) -> sa.ColumnElement[bool]:
        """SQL: no age of the band is such an age."""
        low, high = _band()
        younger = [] if self.at_least is None else [high < self.at_least]
        return sa.or_(sa.false(), *younger, *([] if self.at_most is None else [low > self.at_most]))


def born_by(today: dt.date, years: int) -> dt.date:
    """The latest day of birth of who is that many years old."""
    year, leap_day = today.year - years, (today.month, today.day) == (2, 29)
    if leap_day and not calendar.isleap(year):
        return dt.date(year, 2, 28)
    last_of_common = (today.month, today.day) == (2, 28) and not calendar.isleap(today.year)
    return dt.date(year, 2, 29) if last_of_common and calendar.isleap(year) else today.replace(year=year)


def _band() -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """The first and the last age of the contact's band; null where it says none."""
    band = CONTACT.c.age_band

    def number(form: str, place: int) -> sa.ColumnElement[Any]:
        return sa.try_cast(sa.func.nullif(sa.func.regexp_extract(band, form, place), ""), sa.Integer)

    above = number(AND_ABOVE, 1)
    return (
        sa.func.coalesce(number(FROM_TO, 1), above),
        sa.func.coalesce(number(FROM_TO, 2), sa.case((above.is_not(None), sa.literal(OLDEST)))),
    )
