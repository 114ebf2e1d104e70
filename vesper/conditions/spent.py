"""`spent: {at_least: 100, within: 90d}`: how much a contact paid in a window."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa

from vesper.conditions.people import Asked, People
from vesper.conditions.tally import bounded, in_window, left_window, tally
from vesper.model.condition import Amount, ConditionBody
from vesper.tables.order import ORDER_DAY


class Spent(ConditionBody, Amount):
    """Sum paid in a window of company days."""

    word: ClassVar[str] = "spent"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    def people(self, asked: Asked) -> People:
        """Contacts by the sum they paid."""
        day = ORDER_DAY.c
        counted = tally(
            day.contact_id,
            sa.func.sum(day.amount),
            sa.func.sum(day.order_count),
            sa.func.min(day.first_at),
            sa.func.max(day.last_at),
        ).where(in_window(day.ordered_on, self.within, asked.night))
        return bounded(counted, self.at_least, self.at_most, asked.night, ever=False)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with orders at an edge of the window."""
        day = ORDER_DAY.c
        yield from left_window(day.contact_id, day.ordered_on, self.within, asked.night, since)
