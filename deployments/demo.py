"""`vesper demo`: the grocer's night as a newcomer sees it first, and the same night with a broken input.

What belongs here: the order of the demonstration. What does not: composing and breaking data (`examples/grocer`), running flows (`up.py`).
"""

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deployments.night_as_flow import run_as_flow
from deployments.server import server_for_a_run
from examples.grocer.breakage import break_input
from examples.grocer.compose import compose
from tasks.night import WORDS, business_date, directly, published, run_night
from vesper.marts.visibility import VISIBILITY
from vesper.stage_report import StageFailed, StageReport

Say = Callable[[str], None]


def run_demo(root: Path, say: Say, tell: Callable[[StageReport], None]) -> list[StageReport]:
    """Compose the landing files, compute the night before (it sends nothing), then run the clock's night as a flow on a local server.

    The server starts beside the first two, since its first start takes as long as they do. `tell` gets each stage's report as it publishes.
    """
    started = time.monotonic()
    with server_for_a_run(root):
        say("Composing the grocer's landing files (published orders, composed contacts) ...")
        compose(root)
        business_on = business_date(root)
        before = business_on - dt.timedelta(days=1)
        if not published(root, VISIBILITY.name, before):
            say(f"Computing the night before, {before}, so that there is a yesterday; it sends nothing ...")
            run_night(directly, root, before, False)
        say(f"Running the night {business_on} as a flow on a local Prefect server ...")
        reports = run_as_flow(root, business_on, True, WORDS, tell)
    say(
        f"Done in {time.monotonic() - started:.0f} s. `.venv/bin/vesper up -w {root}` opens the dashboard with this run on it."
    )
    return reports


def break_demo(root: Path, way: str, say: Say, alarm: Say) -> int:
    """Break one input of a copy of the workspace and run its night again: one sentence, nothing sent, yesterday stands.

    Returns the exit code of the night: 0 when it went through with a warning or quarantined rows, 1 when it failed.
    """
    with tempfile.TemporaryDirectory(prefix="vesper-demo-") as folder:
        copy = Path(folder) / "grocer"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns("prefect", "sink", "report", "*.lock"))
        compose(copy)
        business_on = business_date(copy)
        say(break_input(copy, way))
        try:
            reports = run_night(directly, copy, business_on, True)
        except StageFailed as failed:
            alarm(str(failed))
            say(f"Nothing was sent: {_mails(copy)} mails in the sink. {_stands(copy, business_on)}")
            return 1
        for report in reports:
            for warning in report.warnings:
                say(f"WARNING {report.stage}: {warning}")
            for (source, rule), count in report.quarantined.items():
                say(f"SET ASIDE {report.stage}: {count} rows of {source} ({rule})")
        return 0


def _mails(root: Path) -> int:
    return len(list((root / ".vesper" / "sink").glob("*.eml")))


def _stands(root: Path, business_on: dt.date) -> str:
    before = business_on - dt.timedelta(days=1)
    stands = published(root, VISIBILITY.name, before)
    return f"The tables of {before} stand as they were published." if stands else "No night had been published before."
