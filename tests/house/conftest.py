"""What the tests of the house share: the rooms, and their modules."""

from pathlib import Path

import pytest

ROOMS = (
    "vesper",
    "warehouse",
    "connectors",
    "data_quality",
    "tasks",
    "flows",
    "deployments",
    "intake",
    "cli",
    "examples",
    "docs",
    "bench",
)


@pytest.fixture(scope="session")
def modules(repository: Path) -> list[Path]:
    """Every Python module of the rooms. Migrations are written once by a tool and never edited, so they are not counted."""
    files = [file for room in ROOMS for file in sorted((repository / room).rglob("*.py"))]
    return [
        f
        for f in files
        if f.exists()
        and f.read_text(encoding="utf-8").strip()
        and "versions" not in f.parts
        and ".vesper" not in f.parts
    ]
