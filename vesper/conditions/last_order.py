"""`last_order: {at_least_days_ago: 90}`: how long ago the last order was. Who never ordered has no last order and never matches (R31)."""

from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import on
from vesper.conditions.people import NO_INSTANT, Asked, People, day_starts_at, evidence
from vesper.conditions.sets import never_ordered
from vesper.marts.activity import ACTIVITY
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict
from vesper.problem import wrong

DayCount = Annotated[int, Field(ge=0)]


class LastOrder(ConditionBody, Strict):
    """Company days between the last order and the business date."""

    word: ClassVar[str] = "last_order"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    at_least_days_ago: DayCount | None = None
    """Smallest number of days; 90 matches on the 90th day after the order, not on the 89th."""
    at_most_days_ago: DayCount | None = None
    """Largest number of days."""

    @model_validator(mode="after")
    def _bounded(self) -> "LastOrder":
        if self.at_least_days_ago is None and self.at_most_days_ago is None:
            raise wrong("last_order needs a bound.", "Write at_least_days_ago or at_most_days_ago.")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by the day of their last order."""
        had = ACTIVITY.c
        due = day_starts_at(had.last_order_on + sa.literal(self.at_least_days_ago or 0), asked.night)
        since = NO_INSTANT if self.at_least_days_ago is None else due
        answer = sa.select(*evidence(had.contact_id, 1, had.last_at, had.last_at, since))
        if self.at_least_days_ago is not None:
            answer = answer.where(had.last_order_on <= on(asked.night.days_ago(self.at_least_days_ago)))
        if self.at_most_days_ago is not None:
            answer = answer.where(had.last_order_on >= on(asked.night.days_ago(self.at_most_days_ago)))
        return answer

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """Who never ordered has no last order: neither long ago nor lately."""
        return never_ordered()
