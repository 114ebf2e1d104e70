"""Reference tables that ship with Vesper (`definitions/reference/*.csv`): read here, explained in SOURCE.md beside them."""

import csv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "definitions" / "reference"


@cache
def reference_rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one reference table, in the order of its file."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
