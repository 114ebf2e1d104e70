"""A past night computed again after rules changed: by the rules of then it has its bytes, by those of now exactly what they reach differs (R121)."""

import datetime as dt
from pathlib import Path

import pytest

from tasks import ops
from tasks.replay import rehearsed
from tests.cli.conftest import Vesper, vesper
from tests.night.looking import files, manifest, messages, snapshots
from tests.small_grocer import FIRST, LAST, SECOND, GrocerNights, change, copied
from vesper.stage_report import StageFailed

__all__ = ["vesper"]

COFFEE = ("at_least: 3, within: 90d", "at_least: 1, within: 90d")


def changed(before: Path, to: Path, file: str, old: str, new: str) -> Path:
    """A workspace in which one rule says something else since its last night, and is in force."""
    root = copied(before, to)
    change(root / "definitions" / file, old, new)
    ops.activate_all(root, "anna", "新规则")
    return root


def differing(root: Path, on: dt.date) -> dict[str, tuple[int, int]]:
    """Tables that the rules of now make otherwise, with the rows of both."""
    found = rehearsed(root, on)
    return {
        name: (one.published_rows, one.computed_rows) for name, one in found.items() if one.verdict != "same"
    }


@pytest.mark.requirement("R119", "R121")
def test_probe(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = changed(grocer_nights.after[LAST], tmp_path / "a", "tags/coffee_lover.yml", *COFFEE)
    import time
    t=time.time()
    print(differing(root, LAST)); print(time.time()-t)
    print(differing(root, SECOND)); print(time.time()-t)
    print(ops.replay(root, SECOND)); print(time.time()-t)
    root = changed(grocer_nights.after[LAST], tmp_path / "b", "scoring/two_orders_7d.yml", "points: ", "points: 1")
    print(differing(root, LAST))
    root = changed(grocer_nights.after[LAST], tmp_path / "c", "segments/silent_90d.yml", "90d", "80d")
    print(differing(root, LAST))
    print(ops.replay(root, LAST, "now"))
