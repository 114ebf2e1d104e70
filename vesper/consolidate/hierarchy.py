"""What is above what: parents that form no ring, whatever sources declare.

What belongs here: cutting rings and nonsense out of (child, parent). What does not: where a parent comes from (`company.py`).
"""

from typing import Any

import sqlalchemy as sa

MOST_LEVELS = 12
"""Something deeper below its top than this has no parent: what looks so deep is a ring or nonsense."""


def parents(rows: sa.FromClause, child: str, parent: str) -> sa.Select[Any]:
    """(child, parent) of the rows that have a parent they can keep.

    Declarations that contradict each other in a ring are all dropped, since nothing says which one is wrong; then whatever is still deeper than
    MOST_LEVELS, so that no ring is left however long it was.
    """
    declared = (
        sa.select(rows.c[child].label("child"), rows.c[parent].label("parent"))
        .where(rows.c[parent].is_not(None), rows.c[parent] != rows.c[child])
        .cte("declared")
    )
    ways = _ways(declared, "way")
    in_ring = sa.select(ways.c.child).where(ways.c.top == ways.c.child)
    straight = sa.select(declared).where(declared.c.child.not_in(in_ring)).cte("straight")
    deep = _ways(straight, "straight_way")
    too_deep = sa.select(deep.c.child).where(deep.c.level >= MOST_LEVELS)
    return sa.select(straight.c.child.label(child), straight.c.parent.label(parent)).where(
        straight.c.child.not_in(too_deep)
    )


def _ways(edges: sa.FromClause, name: str) -> sa.CTE:
    """(child, top, level): every step from a child upwards, until it is back where it began or MOST_LEVELS above."""
    first = sa.select(edges.c.child, edges.c.parent.label("top"), sa.literal(1).label("level"))
    way = first.cte(name, recursive=True)
    step = (
        sa.select(way.c.child, edges.c.parent, way.c.level + 1)
        .join_from(way, edges, edges.c.child == way.c.top)
        .where(way.c.level < MOST_LEVELS, way.c.top != way.c.child)
    )
    return way.union_all(step)
