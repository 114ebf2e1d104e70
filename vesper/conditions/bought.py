"""`bought: {category: [COFFEE], at_least: 1, within: 60d}`: in how many orders a contact bought from a category."""

from typing import Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, tally
from vesper.model.condition import ConditionBody, Counted
from vesper.model.definition import Text
from vesper.tables.order import ORDER_LINE


class Bought(ConditionBody, Counted):
    """Number of orders with at least one line of the categories, in a window of company days."""

    word: ClassVar[str] = "bought"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line", "product"})

    category: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Product categories, spelled as in the catalogue; any of them counts."""

    def people(self, asked: Asked) -> People:
        """Contacts by their number of orders with the categories."""
        line = ORDER_LINE.c
        number = sa.func.count(line.order_id.distinct())
        first, last = sa.func.min(line.ordered_at), sa.func.max(line.ordered_at)
        since = first if self.within is None and self.minimum == 1 else NO_INSTANT
        counted = tally(line.contact_id, number, number, first, last, since).where(
            line.category.in_(self.category), in_window(line.ordered_on, self.within, asked.night)
        )
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)
