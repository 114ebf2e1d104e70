"""A small company for each test of the watch stage, and one for a whole module, where a property runs on it many times."""

from collections.abc import Iterator

import pytest

from tests.measure.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    small = Shop()
    yield small
    small.engine.dispose()


@pytest.fixture(scope="module")
def lasting() -> Iterator[Shop]:
    small = Shop()
    yield small
    small.engine.dispose()
