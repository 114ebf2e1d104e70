"""Ledgers and lakes for the tests of the warehouse: a SQLite file and a database of the test run's PostgreSQL, opened by URL alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import new_database
from warehouse.lake import Lake
from warehouse.ledger.engine import open_ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[sa.Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(ledger: sa.Engine, tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", ledger)


@pytest.fixture
def small_lake(tmp_path: Path) -> Iterator[Lake]:
    """A lake on SQLite, for what does not depend on the ledger's kind."""
    engine = open_ledger(f"sqlite:///{tmp_path / 'small.db'}")
    yield Lake(tmp_path / "lake", engine)
    engine.dispose()
