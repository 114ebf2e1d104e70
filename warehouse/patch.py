"""A patched table: a whole part of an earlier night, a patch of the rows that differ since, and the keys of the rows they make void.

What belongs here: the layers of such a table as Selects, how the next night's layers follow from the last one's, and by which rows two
states of a table differ. What does not: files (`runner.py`) and which keys a night touches (the stages).

Patch and void are a function of the whole and of what the table holds: a row that comes to equal the whole's again leaves the patch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

MOST = 10
"""A patch and its void hold at most one row for this many of the whole; beyond, the table is written whole again."""


@dataclass(frozen=True)
class Layers:
    """The three parts of a table as something to select from: `whole` and `patch` in its stored columns, `void` in its grain."""

    whole: sa.FromClause
    patch: sa.FromClause
    void: sa.FromClause
    grain: tuple[str, ...]


def is_too_much(patch_count: int, void_count: int, whole_count: int) -> bool:
    """Whether a patch costs its readers more than a new whole would."""
    return MOST * (patch_count + void_count) > whole_count


def current(layers: Layers) -> sa.CompoundSelect[Any]:
    """All rows that hold."""
    return sa.union_all(without(layers.whole, layers.void, layers.grain), sa.select(layers.patch))


def sizes(layers: Layers, column: str, label: str) -> sa.Select[Any]:
    """How many rows that hold have which value in a column of the grain: a void key takes one row of the whole away, so no row is looked for."""
    sides = ((layers.whole, 1), (layers.void, -1), (layers.patch, 1))
    counts = [
        sa.select(side.c[column], (sign * sa.func.count()).label("number")).group_by(side.c[column])
        for side, sign in sides
    ]
    every = sa.union_all(*counts).subquery("every")
    number = sa.cast(sa.func.sum(every.c.number), sa.BigInteger)
    return sa.select(every.c[column], number.label(label)).group_by(every.c[column]).having(number != 0)


def within(rows: sa.FromClause, keys: sa.FromClause, columns: Sequence[str]) -> sa.Select[Any]:
    """Rows whose key is among some keys."""
    return sa.select(rows).where(_has(rows, keys, columns))


def without(rows: sa.FromClause, keys: sa.FromClause, columns: Sequence[str]) -> sa.Select[Any]:
    """Rows whose key is not among some keys."""
    return sa.select(rows).where(~_has(rows, keys, columns))


def _has(rows: sa.FromClause, keys: sa.FromClause, columns: Sequence[str]) -> sa.Exists:
    return sa.exists(
        sa.select(sa.literal(1)).where(*[rows.c[name] == keys.c[name] for name in columns]).select_from(keys)
    )


def next_patch(
    layers: Layers, new: sa.FromClause, old: sa.FromClause, touched: sa.FromClause
) -> sa.CompoundSelect[Any]:
    """The patch after a night: untouched rows of the last one, and touched rows that differ from the whole's.

    Args:
        new: all rows that hold tonight of the touched keys, `hashed`.
        old: all rows of the whole of the touched keys, `hashed`.
    """
    stays = without(layers.patch, touched, touched.c.keys())
    return sa.union_all(stays, _unknown(new, old, layers.patch.c.keys()))


def next_void(layers: Layers, new: sa.FromClause, old: sa.FromClause, touched: sa.FromClause) -> sa.CompoundSelect[Any]:
    """The keys that are void after a night: untouched ones of the last one, and touched rows of the whole that hold no longer."""
    stays = without(layers.void, touched, touched.c.keys())
    return sa.union_all(stays, _unknown(old, new, layers.grain))


def hashed(rows: sa.FromClause) -> sa.Select[Any]:
    """Rows, and `row_hash` beside them."""
    return sa.select(rows, row_hash(rows).label("row_hash"))


def row_hash(rows: sa.FromClause) -> sa.ColumnElement[Any]:
    """One number for all values of a row; two rows of a table that differ have two, but for one chance in 2^64."""
    return sa.func.hash(*rows.c)


def unlike(rows: sa.FromClause, others: sa.FromClause, columns: Sequence[str]) -> sa.Select[Any]:
    """Some columns of the rows that no row of the others equals in every column, both with the same columns in the same order."""
    # Hashed in subqueries: a comparison with an expression over the outer row costs the engine three times as much.
    return _unknown(hashed(rows).subquery("mine"), hashed(others).subquery("known"), columns)


def _unknown(rows: sa.FromClause, others: sa.FromClause, columns: Sequence[str]) -> sa.Select[Any]:
    """Some columns of the rows whose hash no row of the others has, both `hashed`."""
    return sa.select(*[rows.c[name] for name in columns]).where(rows.c.row_hash.not_in(sa.select(others.c.row_hash)))


def turned(
    whole: sa.FromClause, void: sa.FromClause, other: sa.FromClause, grain: Sequence[str], columns: Sequence[str]
) -> sa.Select[Any]:
    """Some columns of the rows of a whole that are void, but were not in another state on top of the same whole."""
    keys = unlike(void, other, grain).subquery("turned")
    return sa.select(*[whole.c[name] for name in columns]).where(_has(whole, keys, grain))
