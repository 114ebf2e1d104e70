"""`last_order: {at_least_days_ago: 90}`: how long ago the last order was. Who never ordered has no last order and never matches (R31)."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa

from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.recency import DaysAgo
from vesper.conditions.sets import never_ordered
from vesper.marts.activity import ACTIVITY
from vesper.model.condition import ConditionBody


class LastOrder(ConditionBody, DaysAgo):
    """Company days between the last order and the business date."""

    word: ClassVar[str] = "last_order"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    def people(self, asked: Asked) -> People:
        """Contacts by the day of their last order."""
        had, night = ACTIVITY.c, asked.night
        since = self.since_at(had.last_order_on, night)
        answer = sa.select(*evidence(had.contact_id, 1, had.last_at, had.last_at, since))
        return answer.where(*self.old_enough(had.last_order_on, night))

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """Who never ordered has no last order: neither long ago nor lately."""
        return never_ordered()

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts whose last order reached or passed a bound."""
        had = ACTIVITY.c
        yield sa.select(had.contact_id).where(self.grown(had.last_order_on, asked.night, since))
