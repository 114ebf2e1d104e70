"""The tick and the web app are kept alive: which they are, and that one that dies is there again."""

import fcntl
import os
import signal
import time
from pathlib import Path

import pytest

from deployments.kept import Kept, kept_of
from vesper.model.workspace import Clock, Company, Intake, Workspace


def company(**settings: object) -> Workspace:
    return Workspace(root=Path("/data/company"), company=Company(name="示例公司"), **settings)  # type: ignore[arg-type]


@pytest.mark.requirement("R74")
def test_the_tick_is_for_the_live_clock_and_the_web_app_for_an_address() -> None:
    simulated = Clock(mode="simulated", simulated_on="2018-01-01")  # type: ignore[arg-type]
    address = Intake(address="http://127.0.0.1:8025")
    assert [one.name for one in kept_of(company(), {})] == ["tick"]
    assert [one.name for one in kept_of(company(intake=address), {})] == ["intake", "tick"]
    assert kept_of(company(clock=simulated), {}) == []


def is_the_tick(root: Path) -> bool:
    """Whether some process holds the lock of the workspace's one tick."""
    with (root / ".vesper" / "tick.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.requirement("R74")
def test_a_process_that_is_killed_is_started_again_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "x"\n', encoding="utf-8")
    kept = Kept("tick", "intake.tick", tmp_path)
    said = []
    try:
        kept.start()
        first = kept.pid
        assert first is not None
        while not ((tmp_path / ".vesper" / "tick.lock").exists() and is_the_tick(tmp_path)):
            time.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        over_at = time.monotonic() + 60
        while (kept.pid == first or not is_the_tick(tmp_path)) and time.monotonic() < over_at:
            said += [line for line in [kept.look()] if line]
            time.sleep(0.05)
        assert kept.pid not in (None, first) and is_the_tick(tmp_path)
        assert len(said) == 1 and "started again" in said[0]
    finally:
        kept.stop()
    assert not is_the_tick(tmp_path)


@pytest.mark.requirement("R74")
def test_early_deaths_double_the_pause_and_a_steady_life_makes_it_short_again(tmp_path: Path) -> None:
    now = 0.0
    kept = Kept("nothing", "module_that_is_not_there", tmp_path, clock=lambda: now)
    kept.start()
    pauses = []
    try:
        for _ in range(8):
            while (said := kept.look()) is None:
                time.sleep(0.02)
            pauses.append(said.partition(" in ")[2].partition(" s;")[0])
            now += 100
            kept.look()
        now += 10_000
        while (said := kept.look()) is None:
            time.sleep(0.02)
        pauses.append(said.partition(" in ")[2].partition(" s;")[0])
    finally:
        kept.stop()
    assert pauses == ["2", "4", "8", "16", "32", "60", "60", "60", "1"]
