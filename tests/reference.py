"""Real and labelled data that stands beside the repository and is never part of it; tests that use it skip, saying why, where it is absent."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of reference data."""
    if not DATA.is_dir():
        pytest.skip(f"reference data is absent: {DATA} (it is not part of the repository)")
    return DATA
