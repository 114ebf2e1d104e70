"""Orders: lines with their contact and category, the roll-up by day, and which days a night must recompute."""

from typing import Any

import sqlalchemy as sa

from vesper.consolidate.source_record import field
from vesper.tables.contact import IDENTIFIER
from vesper.tables.declare import MONEY, previous
from vesper.tables.order import ORDER_LINE, PRODUCT

DISCOUNTS = ("retail_discount", "coupon_discount", "match_discount")


def order_lines(raw: sa.FromClause) -> sa.Select[Any]:
    """core__order_line from a raw order table. `line_number` counts from 1 inside an order, by product code."""
    card = sa.and_(IDENTIFIER.c.kind == "card", IDENTIFIER.c.value == raw.c.card)
    number = sa.func.row_number().over(partition_by=[raw.c.on, raw.c.order_id], order_by=raw.c.product_code)
    discount = sum((sa.func.coalesce(field(raw, name, MONEY), 0) for name in DISCOUNTS), start=sa.cast(0, MONEY))
    return sa.select(
        raw.c.on.label("ordered_on"),
        raw.c.order_id,
        number.label("line_number"),
        IDENTIFIER.c.contact_id,
        raw.c.product_code,
        PRODUCT.c.category,
        raw.c.quantity,
        raw.c.amount,
        discount.label("discount"),
        raw.c.ordered_at,
    ).select_from(
        raw.join(IDENTIFIER, card, isouter=True).join(
            PRODUCT, PRODUCT.c.product_code == raw.c.product_code, isouter=True
        )
    )


def order_days() -> sa.Select[Any]:
    """core__order_day: order lines of known contacts by contact and company day."""
    line = ORDER_LINE.c
    return (
        sa.select(
            line.ordered_on,
            line.contact_id,
            sa.func.count(line.order_id.distinct()).label("order_count"),
            sa.func.count().label("line_count"),
            sa.func.sum(line.amount).label("amount"),
            sa.func.min(line.ordered_at).label("first_at"),
            sa.func.max(line.ordered_at).label("last_at"),
        )
        .where(line.contact_id.is_not(None))
        .group_by(line.ordered_on, line.contact_id)
    )


def days_with_new_meaning(raw: sa.FromClause) -> sa.Select[Any]:
    """Days on which an old line now has another contact or another category: its card changed hands, or the catalogue changed."""
    card_before, product_before = previous(IDENTIFIER), previous(PRODUCT)
    cards = sa.and_(
        IDENTIFIER.c.kind == "card", card_before.c.kind == "card", card_before.c.value == IDENTIFIER.c.value
    )
    moved = (
        sa.select(sa.func.coalesce(IDENTIFIER.c.value, card_before.c.value).label("value"))
        .select_from(IDENTIFIER.join(card_before, cards, full=True))
        .where(IDENTIFIER.c.contact_id.is_distinct_from(card_before.c.contact_id))
    )
    codes = product_before.c.product_code == PRODUCT.c.product_code
    renamed = (
        sa.select(sa.func.coalesce(PRODUCT.c.product_code, product_before.c.product_code).label("value"))
        .select_from(PRODUCT.join(product_before, codes, full=True))
        .where(PRODUCT.c.category.is_distinct_from(product_before.c.category))
    )
    touched = sa.or_(raw.c.card.in_(moved), raw.c.product_code.in_(renamed))
    return sa.select(raw.c.on).where(touched).distinct()
