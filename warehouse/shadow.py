"""Tables restricted to some contacts, readable under the names of the whole ones while a block lasts.

What belongs here: the engine's side of it. What does not: which tables and contacts (`tasks/incremental.py`).

The engine looks for a name among temporary views first, so a temporary view hides the table behind it and dropping the view shows it again.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from vesper.tables.declare import stored
from warehouse.part import Part
from warehouse.patch import Layers, current, within
from warehouse.runner import Runner
from warehouse.sql_text import sql_text, with_derived


def restrict(runner: Runner, rows: Sequence[sa.Select[Any]], name: str, keys: sa.Table) -> None:
    """Keep, in the place of a bound table, those rows of Selects whose contact_id stands in a kept table of keys; no two Selects have a row in common."""
    runner.materialize(sa.union_all(*[_of(select.subquery("rows"), keys) for select in rows]), of(name))


def restrict_layers(
    runner: Runner, table: sa.Table, parts: Sequence[Part], on: dt.date, keys: sa.Table, columns: Collection[str]
) -> sa.Table:
    """The same for a patched table by its parts: the rows of its whole are restricted, kept and given back, before they are put together with its patch.

    So few rows are held against what is void, and who writes the next patch need not look for the whole's rows again.
    """
    held = stored(table)
    every = list(held.c.keys())
    # A derived column may be made of any other.
    needed = {*columns, *held.info["grain"]} if set(columns) <= set(every) else set(every)
    names = [name for name in every if name in needed]
    layers = runner.layers(held, {part.key: part for part in parts if part.path})
    whole, patch = (sa.select(*[side.c[name] for name in names]).subquery() for side in (layers.whole, layers.patch))
    kept = runner.materialize(_of(whole, keys), f"{of(table.name)}__whole")
    rows = current(Layers(kept, _of(patch, keys).subquery(), layers.void, layers.grain))
    if len(names) < len(every):
        runner.materialize(rows, of(table.name))
    else:
        runner.keep_text(with_derived(table, sql_text(rows), on), of(table.name), table)
    return kept


def _of(rows: sa.FromClause, keys: sa.Table) -> sa.Select[Any]:
    return within(rows, keys, ["contact_id"])


@contextmanager
def shadowed(runner: Runner, names: Collection[str]) -> Iterator[None]:
    """Read restricted rows under the names of their tables; each was restricted before."""
    for name in names:
        runner.connection.execute(f'create temp view "{name}" as select * from "{of(name)}"')
    try:
        yield
    finally:
        for name in names:
            runner.connection.execute(f'drop view temp.main."{name}"')


def of(name: str) -> str:
    """The name under which the restricted rows of a table are kept."""
    return f"restricted__{name}"
