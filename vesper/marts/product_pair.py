"""Products that are bought together more often than chance would bring: what `bought_with` recommends from (R118).

What belongs here: counting pairs over all orders, once a night. What does not: whom one of them is recommended to (`vesper/recommend.py`).

lift = orders with both x all orders / (orders with the one x orders with the other). Only products that stand in enough orders by themselves are
paired at all, so that the pairs of a supermarket stay few.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.tally import in_window
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.model.content_word import LIST_LENGTH
from vesper.model.recommendation import BoughtWith, Recommendation
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table
from vesper.tables.order import ORDER_LINE

PRODUCT_PAIR = table(
    "mart__product_pair",
    column("business_on", DATE, "Night", required=True),
    column("recommendation_id", TEXT, "Recommendation whose rule counts", required=True),
    column("rule_place", INTEGER, "Place of the rule in it, from 1", required=True),
    column("product_code", TEXT, "Product that somebody bought", required=True),
    column("other_code", TEXT, "Product that goes with it", required=True),
    column("together_count", INTEGER, "Orders with both, in the rule's window", required=True, between=(2, 10**9)),
    column("lift_ratio", RATIO, "How many times as often together as chance alone would bring", required=True),
    column("place", INTEGER, "Place among what goes with the product, the highest lift first, from 1", required=True),
    column("definition_hash", TEXT, "Hash of the recommendation", required=True),
    grain=("recommendation_id", "rule_place", "product_code", "other_code"),
    owner="marketing",
    says="Which products are bought in one order more often than by chance; at most 50 for each product.",
    minimum_rows=0,
)


@mart(PRODUCT_PAIR, stage="measure")
def product_pair(night: Night) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The pairs of every rule `bought_with`; no rows where no recommendation has one."""
    found = [
        _pairs(one, place, rule.bought_with, night)
        for one in night.definitions.of(Recommendation).values()
        for place, rule in enumerate(one.rules, 1)
        if rule.bought_with is not None
    ]
    return sa.union_all(*found) if found else _none()


def _none() -> sa.Select[Any]:
    return sa.select(*[sa.cast(sa.null(), c.type).label(c.name) for c in PRODUCT_PAIR.c]).where(sa.false())


def _pairs(recommendation: Recommendation, place: int, rule: BoughtWith, night: Night) -> sa.Select[Any]:
    """The pairs of one rule, ranked for each product."""
    name = f"{recommendation.id}_{place}"
    lifted = _lifted(rule, night, name).cte(f"lifted_{name}")
    order = (lifted.c.lift_ratio.desc(), lifted.c.together_count.desc(), lifted.c.other_code)
    number = sa.func.row_number().over(partition_by=lifted.c.product_code, order_by=order)
    ranked = sa.select(lifted, number.label("place")).where(lifted.c.lift_ratio >= rule.lift).cte(f"ranked_{name}")
    made: dict[str, Any] = {
        "business_on": on(night.business_on),
        "recommendation_id": sa.literal(recommendation.id),
        "rule_place": sa.literal(place),
        "definition_hash": sa.literal(hash_of(night, f"recommendations/{recommendation.id}")),
    }
    columns = [made[c.name].label(c.name) if c.name in made else ranked.c[c.name] for c in PRODUCT_PAIR.c]
    return sa.select(*columns).where(ranked.c.place <= LIST_LENGTH)


def _lifted(rule: BoughtWith, night: Night, name: str) -> sa.Select[Any]:
    """product_code, other_code, together_count and lift_ratio of every two products of enough orders."""
    line = ORDER_LINE.c
    lines = sa.select(line.ordered_on, line.order_id, line.product_code)
    bought = lines.where(in_window(line.ordered_on, rule.within, night)).distinct().cte(f"basket_{name}")
    orders = sa.select(bought.c.ordered_on, bought.c.order_id).distinct().subquery("orders")
    total = sa.select(sa.func.count()).select_from(orders).scalar_subquery()
    often = (
        sa.select(bought.c.product_code, sa.func.count().label("orders"))
        .group_by(bought.c.product_code)
        .having(sa.func.count() >= rule.at_least)
        .cte(f"often_{name}")
    )
    counted = _together(bought, often, rule).cte(f"together_{name}")
    turned = sa.select(counted.c.other_code, counted.c.product_code, counted.c.together_count)
    both = sa.union_all(sa.select(counted), turned).cte(f"both_ways_{name}")
    one, other = often.alias("one"), often.alias("other")
    chance = sa.cast(one.c.orders, sa.Double) * other.c.orders / total
    return (
        sa.select(both, (sa.cast(both.c.together_count, sa.Double) / chance).label("lift_ratio"))
        .join(one, one.c.product_code == both.c.product_code)
        .join(other, other.c.product_code == both.c.other_code)
    )


def _together(bought: sa.CTE, often: sa.CTE, rule: BoughtWith) -> sa.Select[Any]:
    """product_code, other_code, together_count of each two products of enough orders, the lower code first: the other way round is the same."""
    frequent = bought.join(often, often.c.product_code == bought.c.product_code)
    line = sa.select(bought).select_from(frequent).subquery("line")
    other = sa.select(bought).select_from(frequent).subquery("other_line")
    same = sa.and_(
        line.c.ordered_on == other.c.ordered_on,
        line.c.order_id == other.c.order_id,
        line.c.product_code < other.c.product_code,
    )
    return (
        sa.select(
            line.c.product_code, other.c.product_code.label("other_code"), sa.func.count().label("together_count")
        )
        .join_from(line, other, same)
        .group_by(line.c.product_code, other.c.product_code)
        .having(sa.func.count() >= rule.at_least)
    )
