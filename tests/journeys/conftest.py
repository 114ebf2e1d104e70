"""Ledgers and tables for the tests of journeys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conditions.world import Tables
from tests.journeys.company import CONTENT, Company
from warehouse.ledger.engine import open_ledger


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()
    del small.connection


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_ledger(f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def company(tables: Tables, ledger: sa.Engine, tmp_path: Path) -> Company:
    """A company without a journey yet; it has one content."""
    small = Company(tables, ledger, tmp_path)
    small.define(content__hello=CONTENT, content__reminder=CONTENT)
    return small


@pytest.fixture(params=["sqlite", "postgresql"])
def any_company(request: pytest.FixtureRequest, tables: Tables, tmp_path: Path) -> Iterator[Company]:
    """The same on both kinds of ledger."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = open_ledger(url)
    small = Company(tables, engine, tmp_path)
    small.define(content__hello=CONTENT, content__reminder=CONTENT)
    yield small
    engine.dispose()
