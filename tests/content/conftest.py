"""One database for all tests of contents; each puts its own tables."""

from collections.abc import Iterator

import pytest

from tests.conditions.world import Tables


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()
    del small.connection  # a connection that is still referred to at exit makes DuckDB complain
