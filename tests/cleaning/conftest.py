"""What the tests of cleaning share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cleaning.rows import Cleaning


@pytest.fixture
def cleaning(tmp_path: Path) -> Iterator[Cleaning]:
    """The whole cleaning, on a runner of the test's own."""
    own = Cleaning(tmp_path)
    yield own
    own.close()
