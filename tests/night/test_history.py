"""Histories keep every night: what a past night said is asked again with the same answer (R23), long after its snapshot is gone."""

from pathlib import Path

import pytest

from tests.night.looking import table
from tests.small_grocer import LAST, NIGHTS, GrocerNights

HISTORIES = (
    "mart__visibility",
    "mart__visibility_gap",
    "mart__monitor",
    "mart__segment_change",
    "mart__lifecycle_change",
)


@pytest.mark.slow
@pytest.mark.requirement("R23")
@pytest.mark.parametrize("name", HISTORIES)
def test_each_night_stands_in_the_history_as_it_was_published(grocer_nights: GrocerNights, name: str) -> None:
    newest = _by_night(grocer_nights.after[LAST], name)
    for on in NIGHTS:
        published = _by_night(grocer_nights.after[on], name)
        assert newest.get(on, []) == published.get(on, [])
    if not name.endswith("change"):
        assert sorted(newest) == sorted(NIGHTS)


def _by_night(root: Path, name: str) -> dict[object, list[dict[str, object]]]:
    nights: dict[object, list[dict[str, object]]] = {}
    for row in table(root, name).to_pylist():
        nights.setdefault(row["business_on"], []).append(row)
    return nights
