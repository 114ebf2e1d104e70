"""Patched tables at work: writing what a night changes, and finding by which rows two states of a table differ.

What belongs here: the order in which a runner executes the Selects of `patch.py`. What does not: which keys a night touches (the stages).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from vesper.tables.declare import stored
from warehouse import patch
from warehouse.lint import refuse_unstable
from warehouse.part import PATCH, VOID, WHOLE, Part
from warehouse.runner import Prepared, Runner
from warehouse.sql_text import shaped


@dataclass(frozen=True)
class Restricted:
    """What holds rows of the touched keys alone: whether the Select of the new rows does, and the whole's rows where they are kept already."""

    has_new: bool = False
    old: sa.FromClause | None = None


def write_patch(
    runner: Runner,
    select: Any,
    table: sa.Table,
    before: Sequence[Part],
    touched: sa.FromClause,
    is_whole: bool | None = None,
    restricted: Restricted | None = None,
) -> tuple[Part, ...]:
    """The parts of a patched table after a night that touches some keys: whole, patch and void, or one new whole.

    Args:
        select: rows that hold tonight of the touched keys; rows of other keys are left out here.
        before, touched: the parts of the night before; keys in columns of the grain, distinct.
        is_whole: write a whole, or write none; None lets the sizes decide.
        restricted: what the caller restricted to the touched keys before, so that it is not looked for again.

    Raises ValueError when two rows have one key: in a patch, no later check would see it.
    """
    refuse_unstable(select, table.name)
    base = {part.key: part for part in before if part.path}
    layers = runner.layers(stored(table), base)
    kept: list[sa.Table] = []
    try:
        new, old = _of_touched(runner, kept, shaped(select, table).subquery("rows"), layers.whole, touched, restricted)
        _refuse_twins(runner, table, new)
        fresh = _kept(runner, kept, patch.next_patch(layers, new, old, touched))
        void = _kept(runner, kept, patch.next_void(layers, new, old, touched))
        if is_whole is None:
            whole_count = base[WHOLE].row_count if WHOLE in base else 0
            is_whole = patch.is_too_much(_count(runner, fresh), _count(runner, void), whole_count)
        if is_whole:
            # Kept first, as in `write_difference`: the engine marks a column as never null by what it knows of the rows, so both must know alike.
            every = patch.current(patch.Layers(layers.whole, fresh, void, layers.grain))
            return (runner.write_kept(table, WHOLE, _kept(runner, kept, every)),)
        (whole,) = [part for part in before if part.key == WHOLE]
        return (whole, runner.write_kept(table, PATCH, fresh), runner.write_kept(table, VOID, void))
    finally:
        for one in kept:
            runner.forget(one.name)


def write_difference(
    runner: Runner, prepared: Prepared, table: sa.Table, before: Sequence[Part], is_whole: bool | None = None
) -> tuple[Part, ...]:
    """The parts of a patched table after a night that states all its rows: those that the whole does not hold are found here.

    Args:
        prepared: the Select of all rows, in shape and without anything unstable.
        before, is_whole: as in `write_patch`, whose parts these are.

    Raises ValueError when two rows have one key.
    """
    held = stored(table)
    base = {part.key: part for part in before if part.path}
    old = runner.layers(held, {WHOLE: base[WHOLE]}).whole
    kept: list[sa.Table] = []
    try:
        new = runner.keep_text(prepared.text, "_patch_all", held)
        kept.append(new)
        fresh = _kept(runner, kept, patch.unlike(new, old, held.c.keys()))
        void = _kept(runner, kept, patch.unlike(old, new, held.info["grain"]))
        _refuse_twice(runner, table, fresh)
        counts = {rows.name: _count(runner, rows) for rows in (new, fresh, void)}
        anew = _count(runner, patch.within(new, fresh, held.info["grain"]).subquery("anew"))
        is_sum = counts[new.name] == base[WHOLE].row_count - counts[void.name] + counts[fresh.name]
        if not is_sum or anew != counts[fresh.name]:
            _refuse_twice(runner, table, new)
        if is_whole is None:
            is_whole = patch.is_too_much(counts[fresh.name], counts[void.name], base[WHOLE].row_count)
        if is_whole:
            return (runner.write_kept(table, WHOLE, new),)
        (whole,) = [part for part in before if part.key == WHOLE]
        return (whole, runner.write_kept(table, PATCH, fresh), runner.write_kept(table, VOID, void))
    finally:
        for one in kept:
            runner.forget(one.name)


def _kept(runner: Runner, kept: list[sa.Table], select: Any) -> sa.Table:
    """A Select's rows under a name of their own, which the list is told of."""
    kept.append(runner.materialize(select, f"_patch_{len(kept)}"))
    return kept[-1]


def _of_touched(
    runner: Runner,
    kept: list[sa.Table],
    rows: sa.FromClause,
    whole: sa.FromClause,
    touched: sa.FromClause,
    restricted: Restricted | None,
) -> tuple[sa.Table, sa.Table]:
    """The touched keys' rows of tonight and those of the whole, with their hashes.

    KeyError where rows that the caller restricted lack a column of the whole: hashes of other columns would all differ.
    """
    given = restricted or Restricted()
    new = rows if given.has_new else patch.within(rows, touched, touched.c.keys()).subquery("all_new")
    old = patch.within(whole, touched, touched.c.keys()).subquery("all_old") if given.old is None else given.old
    columns = sa.select(*[old.c[column.name] for column in whole.c]).subquery("old_rows")
    return _kept(runner, kept, patch.hashed(new)), _kept(runner, kept, patch.hashed(columns))


def _count(runner: Runner, rows: sa.FromClause) -> int:
    return int(runner.scalar(sa.select(sa.func.count()).select_from(rows)))


def _refuse_twins(runner: Runner, table: sa.Table, new: sa.Table) -> None:
    """The same as `_refuse_twice`, which is asked only where two keys have one hash: hashes cost a fraction of the keys."""
    keys = sa.func.hash(*[new.c[name] for name in stored(table).info["grain"]])
    if runner.scalar(sa.select(sa.func.count() > sa.func.count(keys.distinct())).select_from(new)):
        _refuse_twice(runner, table, new)


def _refuse_twice(runner: Runner, table: sa.Table, new: sa.Table) -> None:
    names = stored(table).info["grain"]
    grain = [new.c[name] for name in names]
    twice = _count(runner, sa.select(*grain).group_by(*grain).having(sa.func.count() > 1).subquery("twice"))
    if twice:
        raise ValueError(f"{table.name}: {twice} keys of {', '.join(names)} have more than one row")


def holds_columns(runner: Runner, table: sa.Table, parts: Sequence[Part]) -> bool:
    """Whether every part with rows has all columns that the table's files hold today; an older one may lack some."""
    wanted = set(stored(table).c.keys())
    files = runner.lake.files(part for part in parts if part.key != VOID)
    return all(wanted <= set(pq.read_schema(file).names) for file in files)


def keep_differing(
    runner: Runner, table: sa.Table, before: Sequence[Part], now: Sequence[Part], columns: Sequence[str], name: str
) -> tuple[sa.Table, sa.Table]:
    """Keep some stored columns of the rows that only the first of two states of a table holds, and of those that only the second one holds.

    Only parts that differ are read, and of a whole part that both have only the rows that are void in one of them.
    """
    is_layered = table.info.get("patched", False)
    has_base = is_layered and any(part.key == WHOLE and part in now for part in before)
    is_anew = is_layered and not has_base
    went = _bound(runner, table, [part for part in before if is_anew or part not in now], f"{name}_went")
    came = _bound(runner, table, [part for part in now if is_anew or part not in before], f"{name}_came")
    rows: list[list[Any]] = [[patch.unlike(went, came, columns)], [patch.unlike(came, went, columns)]]
    if has_base:
        was, holds = (runner.layers(stored(table), {part.key: part for part in parts}) for parts in (before, now))
        rows[0].append(patch.turned(was.whole, holds.void, was.void, was.grain, columns))
        rows[1].append(patch.turned(was.whole, was.void, holds.void, was.grain, columns))
    try:
        gone, new = (sa.union_all(*selects) for selects in rows)
        return runner.materialize(gone, f"{name}_before"), runner.materialize(new, f"{name}_now")
    finally:
        runner.forget(went.name)
        runner.forget(came.name)


def _bound(runner: Runner, table: sa.Table, parts: Sequence[Part], name: str) -> sa.Table:
    """Parts as files hold them, under a name of their own."""
    bound = stored(table).to_metadata(sa.MetaData(), name=name)
    runner.bind_parts(bound, parts)
    return bound
