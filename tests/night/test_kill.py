"""SIGKILL in the middle of `vesper run nightly`, three times, and a rerun: the tables of an undisturbed night, each mail once."""

from pathlib import Path

import pytest

from tasks.night import WORDS, directly, run_night
from tests.night.killing import faults, moments, outside_sink, run_and_kill, steps_of, unknown_mails
from tests.night.looking import engine_of, mails_of, runs
from tests.small_grocer import LAST, SECOND, GrocerNights, copied
from warehouse.ledger.runs import RunStart, start_run

KILLS = 3
# A seed whose moments lie in consolidate, in score and among the mails.
SEED = 3


def test_moments_are_spread_and_the_same_for_a_seed() -> None:
    steps = {"consolidate": 30, "send": 60}
    chosen = moments(20, steps, SEED)
    assert chosen == moments(20, steps, SEED) != moments(20, steps, SEED + 1)
    assert {one.stage for one in chosen} == set(WORDS)
    assert [one.stage for one in moments(1, steps, SEED)] == ["send"]
    assert all(0 <= one.steps <= steps.get(one.stage, 0) for one in chosen)
    assert chosen[-1].stage == "watch"


@pytest.mark.slow
@pytest.mark.requirement("R62", "R86", "R88")
def test_after_kills_every_table_is_as_without_and_each_mail_arrived_once(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    whole = grocer_nights.after[LAST]
    root, sink = copied(grocer_nights.after[SECOND], tmp_path / "killed"), tmp_path / "sink"
    steps = steps_of(whole, whole / ".vesper" / "sink")
    assert steps["consolidate"] > 3
    assert steps["send"] > len(mails_of(whole)) > 20
    with outside_sink(root, sink):
        killed = run_and_kill(root, moments(KILLS, steps, SEED), sink)
    assert killed.kills == KILLS, killed
    assert faults(whole, root, sink) == []
    assert unknown_mails(root) <= KILLS
    # A kill between two stages leaves no run behind.
    assert 1 <= len(runs(root, "crashed")) <= KILLS


@pytest.mark.requirement("R62")
def test_what_a_kill_left_is_tidied_by_the_next_night(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    """A draft in the lake and a run that never ended. (The lock is the kernel's: tests/warehouse/test_lock.py.)"""
    root = copied(grocer_nights.after[LAST], tmp_path / "left")
    draft = root / ".vesper/lake/.tmp/left"
    draft.write_bytes(b"half a file")
    engine = engine_of(root)
    start_run(engine, RunStart("score", LAST, "", False))
    engine.dispose()
    assert runs(root, "running") == ["score"]
    run_night(directly, root, LAST, False, ["measure"])
    assert not draft.exists()
    assert (runs(root, "running"), runs(root, "crashed")) == ([], ["score"])
