"""One database for the tests of tags, tiers and personas; each puts its own tables."""

from collections.abc import Iterator

import pytest

from tests.conditions.world import Tables


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()
    del small.connection
