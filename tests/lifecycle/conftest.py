"""One database for the tests of stages and leads; each puts its own tables."""

from collections.abc import Iterator

import pytest

from tests.conditions.world import Tables


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()
    del small.connection
