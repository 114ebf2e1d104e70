"""SIGKILL in the middle of `vesper run nightly`, and what is lost or doubled.

What belongs here: a small grocer, many kills and one ending, and the counts. What does not: how a night is killed and compared; tests and bench
share that (`tests/night/killing.py`). The mail server stands outside the night and outlives every kill, as real ones do.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from examples.grocer.compose import compose
from tasks.night import directly, run_night
from tests.night.killing import Killed, faults, moments, outside_sink, run_and_kill, steps_of, unknown_mails
from tests.night.looking import mails, messages, runs
from tests.small_grocer import HOUSEHOLDS, LAST, SECOND, SINCE, copied, define

REDRAWS = 5


def nights(folder: Path) -> tuple[Path, Path]:
    """A small grocer before the night that sends, and a copy of it after an undisturbed one."""
    before = folder / "before"
    define(before)
    compose(before, households=HOUSEHOLDS, since=SINCE)
    run_night(directly, before, SECOND, False)
    whole = copied(before, folder / "whole")
    run_night(directly, whole, LAST, True)
    return before, whole


def kill(root: Path, sink: Path, steps: dict[str, int], count: int, seed: int) -> Killed:
    """So many kills. A moment of the last stage may come too late, when the night is over: then another one is drawn, and killed in a rerun."""
    done = run_and_kill(root, moments(count, steps, seed), sink)
    for more in range(1, REDRAWS):
        missing = count - done.kills
        if missing <= 0:
            break
        again = run_and_kill(root, moments(missing, steps, seed + more), sink)
        done = Killed(done.moments + again.moments, done.kills + again.kills)
    return done


def counted(whole: Path, root: Path, sink: Path, killed: Killed) -> dict[str, Any]:
    """What the kills left behind. A mail is lost when it did not arrive and the ledger does not list it as unknown."""
    arrived, intended = mails(sink), messages(root)
    unknown = {id for id, state in intended.items() if state == "unknown"}
    found = faults(whole, root, sink)
    return {
        "kills": killed.kills,
        "duplicates": sum(count - 1 for count in arrived.values()),
        "losses": len(messages(whole).keys() - arrived.keys() - unknown),
        "unknown": unknown_mails(root),
        "delivered": len(arrived.keys() & intended.keys()),
        "intended": len(messages(whole)),
        "tables_equal": not any(line.endswith(" differs") for line in found),
        "faults": found,
        "crashed_runs": len(runs(root, "crashed")),
        "moments": dict(sorted(Counter(moment.stage for moment in killed.moments).items())),
    }


def run(kills: int, seed: int) -> dict[str, Any]:
    """So many kills of whole nights, and what they left."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vesper-crash-") as name:
        folder = Path(name)
        before, whole = nights(folder)
        root, sink = copied(before, folder / "killed"), folder / "sink"
        steps = steps_of(whole, whole / ".vesper" / "sink")
        with outside_sink(root, sink):
            killed = kill(root, sink, steps, kills, seed)
        return counted(whole, root, sink, killed) | {"seed": seed, "wall_s": round(time.monotonic() - started, 1)}
