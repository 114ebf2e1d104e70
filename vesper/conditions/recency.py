"""How many company days ago something was: the bounds, and whom the passing of time moves over them.

What belongs here: what `last_order`, `last_event` and `first_event` share. What does not: which fact they look at.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import on
from vesper.conditions.people import NO_INSTANT, day_starts_at
from vesper.model.definition import Strict
from vesper.night import Night
from vesper.problem import wrong

Day = sa.ColumnElement[dt.date]
DayCount = Annotated[int, Field(ge=0)]


class DaysAgo(Strict):
    """Company days between a fact and the business date, with a lower bound, an upper bound or both."""

    at_least_days_ago: DayCount | None = None
    """Smallest number of days; 90 matches on the 90th day after the fact, not on the 89th."""
    at_most_days_ago: DayCount | None = None
    """Largest number of days."""

    @model_validator(mode="after")
    def _bounded(self) -> "DaysAgo":
        if self.at_least_days_ago is None and self.at_most_days_ago is None:
            raise wrong("The number of days needs a bound.", "Write at_least_days_ago or at_most_days_ago.")
        return self

    def old_enough(self, day: Day, night: Night) -> Iterator[sa.ColumnElement[bool]]:
        """What must hold of the day of the fact tonight."""
        if self.at_least_days_ago is not None:
            yield day <= on(night.days_ago(self.at_least_days_ago))
        if self.at_most_days_ago is not None:
            yield day >= on(night.days_ago(self.at_most_days_ago))

    def since_at(self, day: Day, night: Night) -> sa.ColumnElement[dt.datetime]:
        """The instant at which the fact had grown old enough; null where it need not be old."""
        if self.at_least_days_ago is None:
            return NO_INSTANT
        return day_starts_at(day + sa.literal(self.at_least_days_ago), night)

    def grown(self, day: Day, night: Night, since: dt.date) -> sa.ColumnElement[bool]:
        """A fact of this day may have reached or passed a bound after the night of `since`."""
        ages = [
            dt.timedelta(days=bound) for bound in (self.at_least_days_ago, self.at_most_days_ago) if bound is not None
        ]
        return sa.or_(*[day.between(on(since - age), on(night.business_on - age)) for age in ages])
