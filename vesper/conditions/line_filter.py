"""Which order lines a condition means: by category and by product.

What belongs here: the one way in which every condition picks order lines. What does not: counting or ordering them (`bought.py`, `sequence.py`).
"""

from typing import Annotated

import sqlalchemy as sa
from pydantic import Field

from vesper.model.definition import Strict, Text
from vesper.tables.order import ORDER_LINE


class LineFilter(Strict):
    """The order lines that are meant: every test that is written must hold; without one, every line."""

    category: Annotated[tuple[Text, ...] | None, Field(min_length=1)] = None
    """Product categories, spelled as in the catalogue; any of them counts."""
    product_code: Annotated[tuple[Text, ...] | None, Field(min_length=1)] = None
    """Products; any of them counts."""

    def holds(self) -> sa.ColumnElement[bool]:
        """Whether a row of core__order_line is meant; null for a product of no known category where the category is tested."""
        line = ORDER_LINE.c
        lists = {line.category: self.category, line.product_code: self.product_code}
        tests = [column.in_(words) for column, words in lists.items() if words is not None]
        return sa.and_(sa.true(), *tests)
