"""Waiting until prepare has published tonight's tables. The truth is the ledger's pointer, not an event: events may be lost."""

import datetime as dt
import time
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.ending import failed_state, failure_of
from flows.night_of_run import NightOfRun
from vesper.language import translator
from vesper.load import read_workspace
from vesper.stage_report import StageFailed

LAST_OF_PREPARE = "mart__visibility"
POLL_SECONDS = 10


def wait_for_prepare(night: NightOfRun, minutes: int) -> None:
    """Return as soon as the last table of prepare stands for this business date; raises StageFailed when the time is over."""
    outcome = _wait(night.root, night.business_on, minutes)
    if isinstance(outcome, State):
        raise failure_of(outcome)


@task(name="wait for prepare", task_run_name="wait for prepare", cache_policy=NO_CACHE, persist_result=False)
def _wait(root: Path, business_on: dt.date, minutes: int) -> State | None:
    from tasks.night import published

    over_at = time.monotonic() + minutes * 60
    while not published(root, LAST_OF_PREPARE, business_on):
        if time.monotonic() >= over_at:
            return failed_state(StageFailed(_too_late(root, business_on, minutes)))
        time.sleep(POLL_SECONDS)
    return None


def _too_late(root: Path, business_on: dt.date, minutes: int) -> str:
    _ = translator(read_workspace(root).company.language)
    sentence = _(
        "score {on}: prepare has not published {table} for this night within {minutes} minutes, so nobody was scored and yesterday's scores stand. "
        "Look at the run `prepare {on}`, then start the form `score` again."
    )
    return sentence.format(on=business_on, table=LAST_OF_PREPARE, minutes=minutes)
