"""A company of one's own for each test of the hand-over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handover.world import Company


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Before its first night."""
    made = Company(tmp_path / "company")
    yield made
    made.house.close()
