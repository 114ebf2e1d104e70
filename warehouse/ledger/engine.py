"""Opening the ledger: SQLite in WAL mode, or PostgreSQL by URL alone; migrated with Alembic to the newest revision."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from warehouse.ledger import (  # noqa: F401  their tables are the ledger's as well
    channel_schema,
    experiment_schema,
    handover_schema,
    intake_schema,
    journey_schema,
    send_schema,
)

MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_MILLISECONDS = 30_000
Synchronous = Literal["full", "normal"]
"""`full` outlives a power cut; `normal` outlives a crash of the process, and a power cut may take the last commits."""


def open_ledger(url: str, synchronous: Synchronous = "full") -> sa.Engine:
    """An engine on a migrated ledger. Writers begin with a lock, so two of them never read the same state and both write."""
    engine = connect(url, synchronous)
    migrate(engine)
    return engine


def connect(url: str, synchronous: Synchronous = "full") -> sa.Engine:
    """An engine without migration. `synchronous` is SQLite's: PostgreSQL has a setting of its own."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
    sa.event.listen(engine, "connect", partial(_durable, synchronous))
    sa.event.listen(engine, "begin", _locked)
    return engine


def _durable(synchronous: Synchronous, connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        f"busy_timeout={BUSY_MILLISECONDS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"pragma {pragma}")


def _locked(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")


def reading(engine: sa.Engine) -> sa.Connection:
    """A connection for reading only: it never waits for a writer."""
    return engine.connect().execution_options(read_only=True)


def migrate(engine: sa.Engine) -> None:
    """Bring the ledger to the newest revision; does nothing when it is there already."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    head = script.get_current_head()
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": None})
        if context.get_current_revision() == head:
            return
        _upgrade(script, connection)


def _upgrade(script: Any, connection: sa.Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    environment = EnvironmentContext(
        config, script, fn=lambda revision, _context: script._upgrade_revs("head", revision)
    )
    environment.configure(connection=connection, render_as_batch=True)
    with environment.begin_transaction():
        environment.run_migrations()
