"""`bought: {category: [COFFEE], at_least: 1, within: 60d}`: in how many orders a contact bought from a category, or a product."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa
from pydantic import model_validator

from vesper.conditions.line_filter import LineFilter
from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, left_window, tally
from vesper.model.condition import ConditionBody, CountedInWindow
from vesper.problem import wrong
from vesper.tables.order import ORDER_LINE


class Bought(ConditionBody, LineFilter, CountedInWindow):
    """Number of orders with at least one line of the categories or products, in a window of company days."""

    word: ClassVar[str] = "bought"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line", "product"})

    @model_validator(mode="after")
    def _something(self) -> "Bought":
        if self.category is None and self.product_code is None:
            raise wrong("bought does not say what was bought.", "Write category: [...] or product_code: [...].")
        return self

    def people(self, asked: Asked) -> People:
        """Contacts by their number of such orders."""
        line = ORDER_LINE.c
        number = sa.func.count(line.order_id.distinct())
        first, last = sa.func.min(line.ordered_at), sa.func.max(line.ordered_at)
        since = first if self.within is None and self.minimum == 1 else NO_INSTANT
        counted = tally(line.contact_id, number, number, first, last, since).where(
            self.holds(), in_window(line.ordered_on, self.within, asked.night)
        )
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with such a line at an edge of the window."""
        line = ORDER_LINE.c
        yield from left_window(line.contact_id, line.ordered_on, self.within, asked.night, since, self.holds())
