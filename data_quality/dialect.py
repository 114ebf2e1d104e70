"""`duckdb+audit://`: the SQLAlchemy dialect under which Great Expectations runs on DuckDB. Used by gate.py only;
nothing else may open it.

Great Expectations fetches rows after it closed the connection; closing rolls back, and the cursors of the usual dialect
share one native connection, so the
rows would be gone. Here every cursor is native and transactions do nothing. The memory database needs a name
(`:memory:gate`): Great Expectations
opens more than one engine, and unnamed ones do not see each other's views.
"""

from typing import Any

import duckdb
import duckdb_sqlalchemy as driver
from sqlalchemy.dialects import registry

URL = "duckdb+audit:///:memory:gate"


class AuditConnection(driver.ConnectionWrapper):
    """A connection whose cursors are native ones, each with its own result."""

    def __init__(self, native: duckdb.DuckDBPyConnection) -> None:
        super().__init__(native)
        self.native = native

    def cursor(self) -> driver.CursorWrapper:
        return driver.CursorWrapper(self.native.cursor(), self)


class AuditDialect(driver.Dialect):
    """DuckDB without transactions."""

    driver = "audit"
    supports_statement_cache = False

    def connect(self, *arguments: Any, **options: Any) -> Any:
        wrapped = super().connect(*arguments, **options)
        native = wrapped._ConnectionWrapper__c
        native.execute("SET autoinstall_known_extensions = false")
        return AuditConnection(native)

    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing to begin."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing to commit."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing to roll back: that would drop a result that is still to be read."""


def register() -> None:
    """Make the URL known to SQLAlchemy."""
    registry.register("duckdb.audit", __name__, "AuditDialect")
