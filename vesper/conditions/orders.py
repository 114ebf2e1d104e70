"""`orders: {at_least: 2, within: 7d}`: how many orders a contact placed in a window."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa

from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, left_window, tally
from vesper.model.condition import ConditionBody, CountedInWindow
from vesper.tables.order import ORDER_DAY


class Orders(ConditionBody, CountedInWindow):
    """Number of orders in a window of company days."""

    word: ClassVar[str] = "orders"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    def people(self, asked: Asked) -> People:
        """Contacts by their number of orders."""
        ever = self.within is None
        rows = self._reaching(asked).c if ever and self.minimum > 1 else ORDER_DAY.c
        number, first, last = sa.func.sum(rows.order_count), sa.func.min(rows.first_at), sa.func.max(rows.last_at)
        since = (
            sa.func.min(rows.reached_at)
            if "reached_at" in rows
            else first
            if ever and self.minimum == 1
            else NO_INSTANT
        )
        counted = tally(rows.contact_id, number, number, first, last, since)
        window = in_window(rows.ordered_on, self.within, asked.night)
        return bounded(counted.where(window), self.minimum, self.at_most, asked.night, ever=ever)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with orders at an edge of the window."""
        day = ORDER_DAY.c
        yield from left_window(day.contact_id, day.ordered_on, self.within, asked.night, since)

    def days(self, asked: Asked) -> sa.Select[Any]:
        """The company days of the window on which a contact ordered: contact_id, on, first_at, last_at."""
        day = ORDER_DAY.c
        found = sa.select(day.contact_id, day.ordered_on.label("on"), day.first_at, day.last_at)
        return found.where(in_window(day.ordered_on, self.within, asked.night))

    def _reaching(self, asked: Asked) -> sa.Subquery:
        """Order days; `reached_at` stands on the day whose orders reach the smallest count: its first order, or else its last."""
        day = ORDER_DAY.c
        so_far = sa.func.sum(day.order_count).over(partition_by=day.contact_id, order_by=day.ordered_on)
        before = so_far - day.order_count
        reached = sa.case(
            (before + 1 == self.minimum, day.first_at),
            (sa.and_(before < self.minimum, so_far >= self.minimum), day.last_at),
        )
        return sa.select(ORDER_DAY, reached.label("reached_at")).subquery("days")
