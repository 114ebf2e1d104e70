"""A past night computed again after rules changed: by the rules of then it has its bytes, by those of now exactly what they reach differs (R121)."""

import datetime as dt
from pathlib import Path

import pytest

from tasks import ops
from tasks.replay import rehearsed
from tests.cli.conftest import Vesper, vesper
from tests.night.looking import files, manifest, messages, snapshots
from tests.small_grocer import FIRST, LAST, SECOND, GrocerNights, change, copied
from vesper.marts import all_marts, reads
from vesper.stage_report import StageFailed
from warehouse.house import House
from warehouse.ledger.definitions import hash_of, in_force
from warehouse.ledger.engine import reading

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
    return {name: (one.published_rows, one.computed_rows) for name, one in found.items() if one.verdict != "same"}


@pytest.fixture(scope="module")
def coffee(grocer_nights: GrocerNights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After the last night a tag came to say something else. Read only."""
    to = tmp_path_factory.mktemp("coffee") / "grocer"
    return changed(grocer_nights.after[LAST], to, "tags/coffee_lover.yml", *COFFEE)


@pytest.mark.requirement("R119", "R121")
def test_the_rules_of_then_give_the_bytes_of_then_although_they_changed(coffee: Path) -> None:
    assert set(ops.replayed(coffee, SECOND).values()) == {"same"}


@pytest.mark.requirement("R107", "R121")
@pytest.mark.parametrize("on", [SECOND, LAST], ids=str)
def test_the_rules_of_now_change_exactly_what_they_reach_and_publish_nothing(
    coffee: Path, grocer_nights: GrocerNights, on: dt.date
) -> None:
    before = grocer_nights.after[LAST]
    found = differing(coffee, on)
    assert set(found) == {"mart__tag", "mart__persona"}
    lovers, more = found["mart__tag"]
    assert 0 < lovers < more
    assert (files(coffee), snapshots(coffee), manifest(coffee)) == (files(before), snapshots(before), manifest(before))
    assert messages(coffee) == messages(before)


@pytest.mark.requirement("R107", "R121")
def test_stages_that_follow_read_what_the_rules_of_now_made(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    """Points of a rule change who is an MQL, and so a segment two stages later."""
    rule = ("scoring/two_orders_7d.yml", "points: 10\n", "points: 30\n")
    found = differing(changed(grocer_nights.after[LAST], tmp_path / "points", *rule), LAST)
    assert set(found) >= {"mart__score", "mart__score_reason", "mart__segment_member"}
    assert set(found) <= reached_by("mart__score_reason", tmp_path / "points")


@pytest.mark.requirement("R110", "R121")
def test_the_command_lists_both_and_an_edited_file_comes_into_force_by_neither(
    coffee: Path, vesper: Vesper, tmp_path: Path
) -> None:
    root = copied(coffee, tmp_path / "edited")
    change(root / "definitions/tags/baby_at_home.yml", "within: 180d", "within: 1d")
    now = vesper("replay", LAST, "--rules", "now", "-w", root)
    assert now.code == 0
    assert "2018-01-01 按现行规则重新计算" in now.out and "| mart__tag | 不同 |" in now.out
    assert "| mart__score | 一致 |" in now.out
    house = House.open(root)
    try:
        with reading(house.engine) as connection:
            active = {item.name: item.hash for item in in_force(connection)}
    finally:
        house.close()
    assert active["tags/baby_at_home"] != hash_of((root / "definitions/tags/baby_at_home.yml").read_text("utf-8"))


@pytest.mark.requirement("R121")
def test_a_night_that_was_never_published_cannot_be_computed_by_the_rules_of_now(coffee: Path) -> None:
    with pytest.raises(StageFailed, match="nothing was published for this night"):
        ops.replay(coffee, FIRST - dt.timedelta(days=400), "now")


def reached_by(name: str, root: Path) -> set[str]:
    """Marts that read a mart, directly or through others, and itself."""
    house, found = House.open(root), {name}
    behind = {mart.table.name: reads(mart.select(house.night(LAST))) for mart in all_marts().values()}
    house.close()
    while more := {table for table, read in behind.items() if read & found} - found:
        found |= more
    return found
