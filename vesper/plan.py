"""What a change of definitions would move: two tables of the same night held against each other, one for each set of definitions.

What belongs here: the Selects of movement and of a few people who show it. What does not: computing the two nights (`tasks/trial.py`), words
(`tasks/plan.py`), the plan of one campaign (`send.py`). R61, R107, R119.

`before` is always what the definitions in force make of the night, the declared table what the edited files make of the same facts.
"""

from typing import Any

import sqlalchemy as sa

from vesper.privacy import masked_name
from vesper.tables.contact import CONTACT

BAND_WIDTH = 10
SAMPLES = 3
ENTERS, LEAVES = "enters", "leaves"


def movement(after: sa.FromClause, before: sa.FromClause, groups: tuple[str, ...]) -> sa.Select[Any]:
    """One row per group with movement or members: the group's columns, before_count, after_count, entered_count, left_count."""
    both = _both(after, before, groups).subquery("both")
    count = sa.func.count
    return (
        sa.select(
            *[both.c[name] for name in groups],
            count().filter(both.c.was).label("before_count"),
            count().filter(both.c.is_now).label("after_count"),
            count().filter(both.c.is_now, ~both.c.was).label("entered_count"),
            count().filter(both.c.was, ~both.c.is_now).label("left_count"),
        )
        .group_by(*[both.c[name] for name in groups])
        .order_by(*[both.c[name] for name in groups])
    )


def people_moved(after: sa.FromClause, before: sa.FromClause, groups: tuple[str, ...]) -> sa.Select[Any]:
    """A few people of each group who enter or leave, the smallest ids, so always the same: the group's columns, direction, contact_id, name (masked)."""
    both = _both(after, before, groups).subquery("both")
    direction = sa.case((both.c.is_now, ENTERS), else_=LEAVES)
    place = sa.func.row_number().over(
        partition_by=[*[both.c[name] for name in groups], both.c.is_now], order_by=both.c.contact_id
    )
    moved = (
        sa.select(both, direction.label("direction"), place.label("place"))
        .where(both.c.is_now != both.c.was)
        .subquery("moved")
    )
    return (
        sa.select(
            *[moved.c[name] for name in groups],
            moved.c.direction,
            moved.c.contact_id,
            masked_name(CONTACT.c.name).label("name"),
        )
        .join_from(moved, CONTACT, CONTACT.c.contact_id == moved.c.contact_id, isouter=True)
        .where(moved.c.place <= SAMPLES)
        .order_by(*[moved.c[name] for name in groups], moved.c.direction, moved.c.contact_id)
    )


def score_totals(after: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """One row: contact_count, changed_count, mql_before, mql_after, mql_gained, mql_lost (R61)."""
    joined, was, now = _scores(after, before)
    count = sa.func.count
    return sa.select(
        count().label("contact_count"),
        count().filter(now.score.is_distinct_from(was.score)).label("changed_count"),
        count().filter(_true(was.is_mql)).label("mql_before"),
        count().filter(_true(now.is_mql)).label("mql_after"),
        count().filter(_true(now.is_mql), ~_true(was.is_mql)).label("mql_gained"),
        count().filter(_true(was.is_mql), ~_true(now.is_mql)).label("mql_lost"),
    ).select_from(joined)


def score_bands(after: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """One row per band of ten points: band (its lowest score), before_count, after_count."""
    joined, was, now = _scores(after, before)
    ends = sa.union_all(
        sa.select(_band(was.score).label("band"), sa.literal(1).label("was"), sa.literal(0).label("now"))
        .select_from(joined)
        .where(was.score.is_not(None)),
        sa.select(_band(now.score).label("band"), sa.literal(0).label("was"), sa.literal(1).label("now"))
        .select_from(joined)
        .where(now.score.is_not(None)),
    ).subquery("ends")
    return (
        sa.select(
            ends.c.band,
            sa.func.sum(ends.c.was).label("before_count"),
            sa.func.sum(ends.c.now).label("after_count"),
        )
        .group_by(ends.c.band)
        .order_by(ends.c.band)
    )


def mql_moved(after: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """A few people who become MQL or stop being one: direction, contact_id, name (masked), before_score, after_score. The largest change first."""
    joined, was, now = _scores(after, before)
    direction = sa.case((_true(now.is_mql), ENTERS), else_=LEAVES)
    id = sa.func.coalesce(now.contact_id, was.contact_id)
    change = sa.func.abs(sa.func.coalesce(now.score, 0) - sa.func.coalesce(was.score, 0))
    moved = (
        sa.select(
            direction.label("direction"),
            id.label("contact_id"),
            was.score.label("before_score"),
            now.score.label("after_score"),
            sa.func.row_number().over(partition_by=_true(now.is_mql), order_by=[change.desc(), id]).label("place"),
        )
        .select_from(joined)
        .where(_true(now.is_mql) != _true(was.is_mql))
        .subquery("moved")
    )
    return (
        sa.select(
            moved.c.direction,
            moved.c.contact_id,
            masked_name(CONTACT.c.name).label("name"),
            moved.c.before_score,
            moved.c.after_score,
        )
        .join_from(moved, CONTACT, CONTACT.c.contact_id == moved.c.contact_id, isouter=True)
        .where(moved.c.place <= SAMPLES)
        .order_by(moved.c.direction, moved.c.place)
    )


def changed_rules(after: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """One row per scoring rule: rule_id, and before and after the contacts it gives points to and the sum of its points."""
    ends = sa.union_all(
        sa.select(before.c.rule_id, before.c.points, sa.true().label("was")),
        sa.select(after.c.rule_id, after.c.points, sa.false().label("was")),
    ).subquery("ends")
    count, total = sa.func.count(), sa.func.sum(ends.c.points)
    return (
        sa.select(
            ends.c.rule_id,
            count.filter(ends.c.was).label("before_count"),
            count.filter(~ends.c.was).label("after_count"),
            sa.func.coalesce(total.filter(ends.c.was), 0).label("before_points"),
            sa.func.coalesce(total.filter(~ends.c.was), 0).label("after_points"),
        )
        .group_by(ends.c.rule_id)
        .order_by(ends.c.rule_id)
    )


def visibilities(after: sa.FromClause, before: sa.FromClause) -> sa.Select[Any]:
    """One row per market: market_id, before_ratio, after_ratio, before_band, after_band."""
    new, old = after.c, before.c
    return (
        sa.select(
            sa.func.coalesce(new.market_id, old.market_id).label("market_id"),
            old.visibility_ratio.label("before_ratio"),
            new.visibility_ratio.label("after_ratio"),
            old.band.label("before_band"),
            new.band.label("after_band"),
        )
        .join_from(after, before, old.market_id == new.market_id, full=True)
        .order_by(sa.func.coalesce(new.market_id, old.market_id))
    )


def _both(after: sa.FromClause, before: sa.FromClause, groups: tuple[str, ...]) -> sa.Select[Any]:
    """Members of either side, one row each, with `was` and `is_now`."""
    keys = (*groups, "contact_id")
    same = sa.and_(*[after.c[name] == before.c[name] for name in keys])
    return sa.select(
        *[sa.func.coalesce(after.c[name], before.c[name]).label(name) for name in keys],
        before.c.contact_id.is_not(None).label("was"),
        after.c.contact_id.is_not(None).label("is_now"),
    ).join_from(after, before, same, full=True)


def _scores(after: sa.FromClause, before: sa.FromClause) -> tuple[sa.FromClause, Any, Any]:
    joined = after.join(before, before.c.contact_id == after.c.contact_id, full=True)
    return joined, before.c, after.c


def _true(flag: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(flag, sa.false())


def _band(score: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.floor(score / sa.literal(BAND_WIDTH)), sa.Integer) * BAND_WIDTH
