"""`orders: {at_least: 2, within: 7d}`: how many orders a contact placed in a window."""

from typing import ClassVar

import sqlalchemy as sa

from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, tally
from vesper.model.condition import ConditionBody, Counted
from vesper.tables.order import ORDER_DAY


class Orders(ConditionBody, Counted):
    """Number of orders in a window of company days."""

    word: ClassVar[str] = "orders"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line"})

    def people(self, asked: Asked) -> People:
        """Contacts by their number of orders."""
        rows = self._days(asked)
        number = sa.func.sum(rows.c.order_count)
        since = NO_INSTANT if self.within or not self.minimum else sa.func.min(rows.c.reached_at)
        counted = tally(rows.c.contact_id, number, number, sa.func.min(rows.c.first_at), sa.func.max(rows.c.last_at), since)
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)

    def _days(self, asked: Asked) -> sa.Subquery:
        """Order days in the window; `reached_at` stands on the day whose orders reach the smallest count (its last order, unless its first does)."""
        day = ORDER_DAY.c
        before = sa.func.sum(day.order_count).over(partition_by=day.contact_id, order_by=day.ordered_on) - day.order_count
        reached = sa.case(
            (before + 1 == self.minimum, day.first_at),
            (sa.and_(before < self.minimum, before + day.order_count >= self.minimum), day.last_at),
        )
        return sa.select(ORDER_DAY, reached.label("reached_at")).where(in_window(day.ordered_on, self.within, asked.night)).subquery("days")
