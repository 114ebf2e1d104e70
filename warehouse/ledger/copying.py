"""A whole ledger into an empty one: how it is backed up, put back, and carried from SQLite to PostgreSQL.

What belongs here: every row of every table, as it stands in one instant. What does not: files of the lake (`warehouse/backup.py`), what a restored
ledger may not do yet (`restore.py`).
"""

from collections.abc import Iterator

import sqlalchemy as sa

from warehouse.ledger.schema import LEDGER

BATCH = 5000


class LedgerNotEmpty(LookupError):
    """The ledger to fill holds rows already; nothing was copied."""


def copy_ledger(old: sa.Engine, new: sa.Engine) -> int:
    """Copy every row, all of one instant and in one transaction; returns how many. Both ledgers are migrated to the newest revision.

    Raises LedgerNotEmpty when the new one holds a row.
    """
    with _still(old) as reading, new.begin() as writing:
        for table in LEDGER.sorted_tables:
            if writing.execute(sa.select(table).limit(1)).first() is not None:
                raise LedgerNotEmpty(f"the ledger to fill holds rows in {table.name}; empty it, or name another one")
        counted = sum(_copied(reading, writing, table) for table in LEDGER.sorted_tables)
        if new.dialect.name == "postgresql":
            _count_on(writing)
        return counted


def _still(engine: sa.Engine) -> sa.Connection:
    """A reading connection that sees one instant: SQLite's read transaction, PostgreSQL's REPEATABLE READ."""
    return engine.connect().execution_options(read_only=True)


def _copied(reading: sa.Connection, writing: sa.Connection, table: sa.Table) -> int:
    counted = 0
    for rows in _batches(reading, table):
        writing.execute(table.insert(), rows)
        counted += len(rows)
    return counted


def _batches(reading: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, object]]]:
    every = sa.select(table).order_by(*table.primary_key).execution_options(yield_per=BATCH)
    for part in reading.execute(every).mappings().partitions():
        yield [dict(row) for row in part]


def _count_on(writing: sa.Connection) -> None:
    """Numbers that PostgreSQL gives out go on behind the copied ones."""
    for table in LEDGER.sorted_tables:
        number = table.autoincrement_column
        if number is not None and isinstance(number.type, sa.Integer):
            newest = sa.select(sa.func.coalesce(sa.func.max(number), 0) + 1).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, number.name)
            writing.execute(sa.select(sa.func.setval(sequence, newest, False)))
