"""The whole night as one flow run: the chain that `make run`, `vesper run` and the manual form start."""

import datetime as dt
from pathlib import Path
from typing import Literal

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport

Word = Literal["consolidate", "measure", "score", "handover", "segment", "send", "watch"]
WHOLE: tuple[Word, ...] = ("consolidate", "measure", "score", "handover", "segment", "send", "watch")


@flow(name="nightly", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def nightly(
    workspace: Path = workspace_field(),
    business_on: dt.date | None = night_field(),
    may_send: bool = field(
        "May send",
        "Only the night of the company's clock sends; any other date sends nothing, whatever is chosen here.",
        True,
    ),
    stages: list[Word] = field(
        "Stages", "In this order, each only after the one before has passed its gate.", list(WHOLE)
    ),
) -> list[StageReport]:
    """The whole night: consolidate, measure, score, handover, segment, send, watch. A gate that fails ends the run; nothing after it starts."""
    return run_stages(stages, night_of_run(workspace, business_on, may_send))
