"""One stage as one Prefect task: call the plain function, put its report on the dashboard, log one line. What a stage does stands in `tasks/`.

A task gets a path, a date and a flag, never a connection: Prefect keeps what it is given. No retries: a stage is idempotent and fails for a reason
that a second try does not mend; what is worth retrying (reading over a network) retries inside its connector.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from flows.artifacts import keep_failure, keep_report
from flows.ending import as_stage_failed, failed_state, failure_of
from flows.night_of_run import NightOfRun
from flows.progress import progress_of
from vesper.language import translator
from vesper.load import read_workspace
from vesper.stage_report import StageReport
from vesper.wording import headline, stage_title

if TYPE_CHECKING:
    from tasks.night import Stage

Outcome = StageReport | State
Listener = Callable[[StageReport], None]

# Who is told when a stage has published, beside the dashboard: the terminal of a run in this process.
LISTENER: ContextVar[Listener] = ContextVar("listener", default=lambda report: None)


def run_stages(words: Sequence[str], night: NightOfRun) -> list[StageReport]:
    """Stages by their words, in the night's order, each as a task of this flow run and only after the one before has published.

    Raises StageFailed, after which no later stage starts.
    """
    from tasks.night import run_night

    step = progress_of(len(words)) if len(words) > 1 else None

    def call(stage: "Stage", root: Path, business_on: dt.date, may_send: bool) -> StageReport:
        report = as_a_task(stage, root, business_on, may_send)
        LISTENER.get()(report)
        if step:
            step()
        return report

    return run_night(call, night.root, night.business_on, night.may_send, words)


def as_a_task(stage: "Stage", root: Path, business_on: dt.date, may_send: bool) -> StageReport:
    """Run one stage as a task of the flow run around it. Raises StageFailed."""
    outcome = task_of(stage)(root, business_on, may_send)
    if isinstance(outcome, State):
        raise failure_of(outcome)
    return outcome


def task_of(stage: "Stage") -> Task[[Path, dt.date, bool], Outcome]:
    """The task around a stage's plain function; it is named by the stage's word in the graph of the run.

    No tags: for each tag of a task Prefect asks for a concurrency slot, with a courier of its own that keeps the run's context until the end.
    """

    def body(root: Path, business_on: dt.date, may_send: bool) -> Outcome:
        _ = translator(read_workspace(root).company.language)
        try:
            report = stage.run(root, business_on, may_send)
        except Exception as error:
            failed = as_stage_failed(error, f"{stage.word} {business_on}")
            keep_failure(stage.word, failed, root, _)
            return failed_state(failed)
        keep_report(report, root, _)
        get_run_logger().info(headline(report, _))
        return report

    options: dict[str, Any] = {
        "name": stage.word,
        "task_run_name": stage.word,
        "description": stage_title(stage.word),
    }
    return task(**options, cache_policy=NO_CACHE, persist_result=False, log_prints=False)(body)
