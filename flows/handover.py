"""The hand-over to sales: who is ready, who gets whom, notices. The work stands in `tasks/`; the forms of a working day in `handover_ops.py`."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport


@flow(name="handover", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def handover(workspace: Path = workspace_field(), business_on: dt.date | None = night_field()) -> list[StageReport]:
    """Hands who is ready over to sales, with a notice for each, and takes their answers in. Run twice, it tells nobody twice."""
    return run_stages(["handover"], night_of_run(workspace, business_on))
