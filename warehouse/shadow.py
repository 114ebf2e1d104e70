"""Tables restricted to some contacts, readable under the names of the whole ones while a block lasts.

What belongs here: the engine's side of it. What does not: which tables and contacts (`tasks/incremental.py`).

The engine looks for a name among temporary views first, so a temporary view hides the table behind it and dropping the view shows it again.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from warehouse.runner import Runner


def restrict(runner: Runner, name: str, keys: str, columns: Sequence[str]) -> None:
    """Keep some columns of the rows of a bound table whose contact_id stands in a kept table of keys."""
    listed = ", ".join(f'"{column}"' for column in columns)
    runner.connection.execute(
        f'create or replace temp table "{of(name)}" as select {listed} from memory.main."{name}" '
        f'where contact_id in (select contact_id from "{keys}")'
    )


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
