"""Tables that are the newest version of what one source says: the product catalogue."""

from typing import Any

import sqlalchemy as sa

from vesper.consolidate.source_record import field
from vesper.tables.order import PRODUCT


def products(raw: sa.FromClause) -> sa.Select[Any]:
    """core__product from a raw product table; fields that the source lacks are NULL."""
    return sa.select(*[field(raw, c.name).label(c.name) for c in PRODUCT.c])
