"""How times are written in definitions: `21:00`, `7d`, `3d ago`. Strings with a meaning, so that no YAML reader changes them on the way.

What belongs here: the types and their reading. What does not: instants and zones (`vesper/clock.py`).
"""

import datetime as dt
import re
from calendar import monthrange
from functools import cache
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from vesper.model.definition import Strict
from vesper.problem import wrong


class WrittenTime(str):
    """A string of one fixed form; subclasses say which."""

    pattern: ClassVar[str]
    example: ClassVar[str]

    @classmethod
    def read(cls, text: str) -> Self:
        """The text as this type; raises the error that `check` shows when the form is another."""
        if not re.fullmatch(cls.pattern, text):
            raise wrong(
                "{word} is not written as a time here.", "Write it like {example}.", word=text, example=cls.example
            )
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls.read, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{cls.pattern}$", "examples": [cls.example]}


class ClockTime(WrittenTime):
    """A time of day in the company's zone, e.g. 21:00."""

    pattern = r"([01]\d|2[0-3]):[0-5]\d"
    example = '"21:00"'

    @property
    def time(self) -> dt.time:
        return dt.time.fromisoformat(self)


class Duration(WrittenTime):
    """A length of time: 7d, 24h or 30m. Days roll: 7d is 7 x 24 hours on instants, and seven company days on dates."""

    pattern = r"[1-9]\d{0,4}[dhm]"
    example = "7d, 24h"

    @property
    def timedelta(self) -> dt.timedelta:
        unit = {"d": "days", "h": "hours", "m": "minutes"}[self[-1]]
        return dt.timedelta(**{unit: int(self[:-1])})

    @property
    def days(self) -> int:
        """Whole days; hours are rounded up, so that 24h is 1 and 36h is 2."""
        return -(-self.timedelta // dt.timedelta(days=1))


class Days(Duration):
    """A length of time in whole days, e.g. 7d."""

    pattern = r"[1-9]\d{0,4}d"
    example = "7d"

    def before(self, day: dt.date) -> dt.date:
        """The last day outside the window of so many days that ends on a day."""
        return day - dt.timedelta(days=self.days)


class Window(WrittenTime):
    """A stretch of company days that ends on the business date: 7d, or calendar months: 6 months.

    `6 months` begins the day after the same day of the month six months ago; where that month is shorter, after its last day.
    """

    pattern = r"[1-9]\d{0,4}d|1 month|([2-9]|[1-9]\d{1,2}) months"
    example = "7d, 6 months"

    def before(self, day: dt.date) -> dt.date:
        """The last day outside the window that ends on a day."""
        if self.endswith("d"):
            return Days(self).before(day)
        months = day.year * 12 + day.month - 1 - int(self.split()[0])
        year, month = divmod(months, 12)
        return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

    @property
    def days(self) -> int:
        """Its length where only a length will do: a month counts as 31 days."""
        return Days(self).days if self.endswith("d") else 31 * int(self.split()[0])


class Lasting(WrittenTime):
    """How long something lasted: 30s, 2m or 1h."""

    pattern = r"[1-9]\d{0,4}[hms]"
    example = "2m, 30s"

    @property
    def seconds(self) -> int:
        return int(self[:-1]) * {"h": 3600, "m": 60, "s": 1}[self[-1]]


class DaysAhead(Days):
    """Days from today on: 0d is today alone, 7d today and the seven days after it."""

    pattern = r"(0|[1-9]\d{0,2})d"
    example = "0d, 7d"


class Ago(WrittenTime):
    """A day counted back from the night's business date: `today`, `3d ago`. Used in examples."""

    pattern = r"today|\d{1,5}d ago"
    example = "3d ago"

    @property
    def days(self) -> int:
        return 0 if self == "today" else int(self.split("d")[0])


class Hours(Strict):
    """A stretch of the day; the end is not part of it. `ends` before `starts` means over midnight."""

    starts: ClockTime
    """First minute."""
    ends: ClockTime
    """The minute it is over."""

    def holds(self, at: dt.time) -> bool:
        """Whether a time of day lies inside."""
        if self.starts.time <= self.ends.time:
            return self.starts.time <= at < self.ends.time
        return at >= self.starts.time or at < self.ends.time

    def overlaps(self, other: "Hours") -> bool:
        """Whether two stretches share a minute."""
        return self.holds(other.starts.time) or other.holds(self.starts.time)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise wrong("There is no time zone {word}.", "Write one such as Asia/Shanghai.", word=name)
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""A time zone by its name in the tz database, e.g. Asia/Shanghai."""
