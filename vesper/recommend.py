"""Which products are recommended to some people: asked for the people of one batch of letters, in memory only (R118).

What belongs here: the Select of one recommendation. What does not: which products go together (`marts/product_pair.py`), the letter
(`tasks/recommended.py`).

Purchases count as the newest published night has them. Who refuses personalisation is recommended nothing, the company's own list neither: choosing
for them is what they refused (PIPL article 24). A name is shown once: of several products that are called the same, the first one stands.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.replenishment_due import next_need
from vesper.content_variant import refuses_personalisation
from vesper.marts.product_pair import PRODUCT_PAIR
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.recommendation import Recommendation, RecommendationRule, Replenishment, Stated
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.order import ORDER_LINE, PRODUCT


def recommended_to(recommendation: Recommendation, contact_ids: Collection[str], night: Night) -> sa.Select[Any]:
    """contact_id, place (from 1), product_code and product_name, at most `most` products for each person, in that order.

    The catalogue has no names: a product is called by its type, else its category, else its code.
    """
    people = _people(contact_ids).cte("people")
    is_counted = any(rule.replenishment is not None for rule in recommendation.rules)
    bought = (_often_bought(people) if is_counted else _bought(people)).cte("bought")
    found = [
        _found(recommendation, place, rule, people, bought, night) for place, rule in enumerate(recommendation.rules, 1)
    ]
    every = (sa.union_all(*found) if len(found) > 1 else found[0]).cte("every")
    called = sa.func.coalesce(_stated(PRODUCT.c.product_type), _stated(PRODUCT.c.category), every.c.product_code)
    named = (
        sa.select(every, called.label("product_name"))
        .join_from(every, PRODUCT, PRODUCT.c.product_code == every.c.product_code, isouter=True)
        .cte("named")
    )
    order = (named.c.rule_place, named.c.rank, named.c.product_code)
    again = sa.func.row_number().over(partition_by=(named.c.contact_id, named.c.product_name), order_by=order)
    first = sa.select(named, again.label("again")).cte("first")
    order = (first.c.rule_place, first.c.rank, first.c.product_code)
    place = sa.func.row_number().over(partition_by=first.c.contact_id, order_by=order)
    placed = sa.select(first, place.label("place")).where(first.c.again == 1).cte("placed")
    columns = (placed.c[name] for name in ("contact_id", "place", "product_code", "product_name"))
    return (
        sa.select(*columns).where(placed.c.place <= recommendation.most).order_by(placed.c.contact_id, placed.c.place)
    )


def _people(contact_ids: Collection[str]) -> sa.Select[Any]:
    """Those of the batch whom something may be chosen for."""
    id = CONTACT.c.contact_id
    return sa.select(id).where(id.in_(sorted(set(contact_ids))), id.not_in(refuses_personalisation()))


def _bought(people: sa.CTE) -> sa.Select[Any]:
    """What these people ever bought: contact_id, product_code."""
    line = ORDER_LINE.c
    theirs = line.contact_id.in_(sa.select(people.c.contact_id))
    return sa.select(line.contact_id, line.product_code).where(theirs).distinct()


def _often_bought(people: sa.CTE) -> sa.Select[Any]:
    """The same with how regularly: contact_id, product_code, category, in how many orders, and when last."""
    line = ORDER_LINE.c
    return (
        sa.select(
            line.contact_id,
            line.product_code,
            line.category,
            sa.func.count(sa.distinct(sa.func.concat(line.ordered_on, "|", line.order_id))).label("orders"),
            sa.func.max(line.ordered_on).label("last_on"),
        )
        .where(line.contact_id.in_(sa.select(people.c.contact_id)))
        .group_by(line.contact_id, line.product_code, line.category)
    )


def _found(
    recommendation: Recommendation, place: int, rule: RecommendationRule, people: sa.CTE, bought: sa.CTE, night: Night
) -> sa.Select[Any]:
    """contact_id, rule_place, rank, product_code of one rule."""
    if rule.replenishment is not None:
        return _due(rule.replenishment, place, people, bought, night)
    if rule.list is not None:
        return _listed(rule.list, place, people)
    return _bought_with(recommendation, place, bought)


def _bought_with(recommendation: Recommendation, place: int, bought: sa.CTE) -> sa.Select[Any]:
    """What goes with something the person bought, by the highest lift of any of it, without what they bought."""
    pair = PRODUCT_PAIR.c
    has = bought.alias(f"has_{place}")
    lift = sa.func.max(pair.lift_ratio)
    key = (bought.c.contact_id, pair.other_code)
    strongest = (
        sa.select(*key, lift.label("lift"), sa.func.max(pair.together_count).label("together"))
        .join_from(bought, PRODUCT_PAIR, pair.product_code == bought.c.product_code)
        .outerjoin(has, sa.and_(has.c.contact_id == bought.c.contact_id, has.c.product_code == pair.other_code))
        .where(pair.recommendation_id == recommendation.id, pair.rule_place == place, has.c.contact_id.is_(None))
        .group_by(*key)
        .cte(f"strongest_{place}")
    )
    order = (strongest.c.lift.desc(), strongest.c.together.desc(), strongest.c.other_code)
    rank = sa.func.row_number().over(partition_by=strongest.c.contact_id, order_by=order)
    return _row(strongest.c.contact_id, place, rank, strongest.c.other_code)


def _due(rule: Replenishment, place: int, people: sa.CTE, bought: sa.CTE, night: Night) -> sa.Select[Any]:
    """Of each category that is due, the product bought in most orders, of several the one bought last; the soonest first."""
    need = next_need(rule.category, night).cte(f"need_{place}")
    window = rule.within.timedelta
    is_due = need.c.next_need_on.between(on(night.business_on - window), on(night.business_on + window))
    same = sa.and_(need.c.contact_id == bought.c.contact_id, need.c.category == bought.c.category)
    order = (bought.c.orders.desc(), bought.c.last_on.desc(), bought.c.product_code)
    number = sa.func.row_number().over(partition_by=(need.c.contact_id, need.c.category), order_by=order)
    usual = (
        sa.select(
            need.c.contact_id,
            need.c.category,
            need.c.next_need_on,
            bought.c.product_code,
            number.label("number"),
        )
        .join_from(need, bought, same)
        .where(is_due, need.c.contact_id.in_(sa.select(people.c.contact_id)))
        .cte(f"usual_{place}")
    )
    soonest = sa.func.row_number().over(
        partition_by=usual.c.contact_id, order_by=(usual.c.next_need_on, usual.c.category)
    )
    return _row(usual.c.contact_id, place, soonest, usual.c.product_code).where(usual.c.number == 1)


def _listed(rule: Stated, place: int, people: sa.CTE) -> sa.Select[Any]:
    """The codes in the company's order, for everybody or for the members of a segment."""
    listed = _numbered(rule.codes, place)
    found = _row(people.c.contact_id, place, listed.c.rank, listed.c.product_code)
    found = found.select_from(people.join(listed, sa.true()))
    if rule.segment is None:
        return found
    member = sa.select(SEGMENT_MEMBER.c.contact_id).where(SEGMENT_MEMBER.c.segment_id == rule.segment)
    return found.where(people.c.contact_id.in_(member))


def _numbered(codes: Sequence[str], place: int) -> sa.CTE:
    rows = [
        sa.select(sa.literal(number).label("rank"), sa.literal(code).label("product_code"))
        for number, code in enumerate(codes, 1)
    ]
    return (sa.union_all(*rows) if len(rows) > 1 else rows[0]).cte(f"listed_{place}")


def _row(contact_id: Any, place: int, rank: Any, product_code: Any) -> sa.Select[Any]:
    return sa.select(
        contact_id.label("contact_id"),
        sa.literal(place).label("rule_place"),
        sa.cast(rank, sa.Integer).label("rank"),
        product_code.label("product_code"),
    )


def _stated(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.nullif(sa.func.trim(text), "", type_=sa.String)
