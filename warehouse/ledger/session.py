"""One connection of a worker to the ledger: held for a whole run, one short transaction after the other.

What belongs here: beginning, committing, and who waits for whom. What does not: what a transaction does (`dispatch.py`, `claim.py`).

Caps are counted and reserved in one transaction, so two transactions about one contact must not run side by side. SQLite has one writer anyway
(BEGIN IMMEDIATE); the threads of a process queue before it, because SQLite itself makes them sleep. On PostgreSQL a transaction is READ COMMITTED
and its first statement takes the lock of the contact: what it reads after that, nobody else is changing.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from warehouse.ledger.prepared import Prepared

_QUEUES: "weakref.WeakKeyDictionary[sa.Engine, threading.Lock]" = weakref.WeakKeyDictionary()
_GUARD = threading.Lock()
CACHE_KIBIBYTES = 32 * 1024
"""Messages are taken in no order of the file: with SQLite's own two megabytes each would be read from the disk again."""
CHECKPOINT_PAGES = 8000
"""Pages of the log (32 MB) before they are copied into the file: a page that ten commits changed is copied once."""
CONTACT_LOCK = "select pg_advisory_xact_lock(hashtext(%s))"


class Session:
    """A connection for one thread. Use as a context manager; two transactions of it cannot overlap."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect
        self._is_postgres = engine.dialect.name == "postgresql"
        isolation = {"isolation_level": "READ COMMITTED"} if self._is_postgres else {}
        self.connection = engine.connect().execution_options(**isolation)
        self._driver: Any = self.connection.connection.driver_connection
        self._queue = _queue_of(engine)
        if not self._is_postgres:
            _at_ease(self._driver)
        self._prepared: dict[int, Prepared] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()

    def prepared(self, statement: sa.ClauseElement) -> Prepared:
        """A statement compiled for this connection, once; statements are constants of their modules."""
        found = self._prepared.get(id(statement))
        if found is None:
            found = self._prepared[id(statement)] = Prepared(statement, self.dialect)
        return found

    @contextmanager
    def transaction(self, contact_id: str | None = None) -> Iterator[Any]:
        """A transaction on the bare connection, alone with a contact; yields a cursor of the driver."""
        if self._is_postgres:
            cursor = self._driver.cursor()
            try:
                if contact_id is not None:
                    cursor.execute(CONTACT_LOCK, (contact_id,))
                yield cursor
            except BaseException:
                self._driver.rollback()
                raise
            self._driver.commit()
            return
        with self._queue:
            cursor = self._driver.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction in SQLAlchemy's own way, for what is done once for many messages."""
        with self._queue, self.connection.begin():
            yield self.connection


def _at_ease(driver: Any) -> None:
    """Let SQLite keep more pages in memory, and copy its log less often, than suits a connection that does little."""
    driver.execute(f"pragma cache_size=-{CACHE_KIBIBYTES}")
    driver.execute(f"pragma wal_autocheckpoint={CHECKPOINT_PAGES}")


def _queue_of(engine: sa.Engine) -> Any:
    with _GUARD:
        return _QUEUES.setdefault(engine, threading.Lock())
