"""How a run ends when it cannot go on: Failed, with one sentence as its message, and the trace, if any, in the run's log only."""

import logging
import traceback
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect.client.schemas.objects import State
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.states import Failed

from vesper.stage_report import StageFailed

P = ParamSpec("P")
R = TypeVar("R")
Log = logging.Logger | logging.LoggerAdapter[logging.Logger]

OWN_ROOMS = ("vesper", "warehouse", "connectors", "data_quality", "tasks", "flows")


def ends_in_a_sentence(body: Callable[P, R]) -> Callable[P, R | State[R]]:
    """A flow whose error ends it Failed with the sentence alone as `state.message`; the StageFailed itself is the state's data in this process."""

    @wraps(body)
    def run(*args: P.args, **kwargs: P.kwargs) -> R | State[R]:
        try:
            return body(*args, **kwargs)
        except Exception as error:
            return failed_state(as_stage_failed(error, body.__name__))

    return run


def failed_state(failed: StageFailed) -> State:
    """The state that carries a sentence to the dashboard, and the whole failure to a caller in this process."""
    return Failed(message=str(failed), data=failed)


def failure_of(state: State) -> StageFailed:
    """The failure that a Failed state carries, to be raised; only its sentence when it comes from another process.

    A new one each time: raising the state's own would hang this call's frames, with everything open in them, on a state that Prefect keeps.
    """
    found = state.result(raise_on_failure=False)
    return StageFailed(str(found), found.report) if isinstance(found, StageFailed) else StageFailed(state.message or "")


def as_stage_failed(error: Exception, doing: str) -> StageFailed:
    """Any error as one sentence. Errors of our own are sentences already; of a foreign one only kind and place are told, for its text may hold data.

    The trace goes to the log and not along with the failure: Prefect keeps what a run ends with, and a trace keeps the stage's open connections.
    """
    if error.__cause__ is not None:
        _log_places(error.__cause__)
    if isinstance(error, StageFailed):
        return StageFailed(str(error), error.report)
    if type(error) is LookupError or type(error).__module__.split(".")[0] in OWN_ROOMS:
        return StageFailed(str(error))
    _log_places(error)
    return StageFailed(
        f"{doing}: stopped by an unexpected {type(error).__name__} at {_place(error)}; nothing more was published. "
        "Run `vesper doctor`, and report it with the log of this run"
    )


def _place(error: BaseException) -> str:
    """File and line where the error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _log_places(error: BaseException) -> None:
    """The trace without its text: places are for engineers, values may be personal."""
    try:
        log: Log = get_run_logger()
    except MissingContextError:  # called outside a run
        log = get_logger("vesper")
    log.error("%s at\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
