"""Who belongs to which segment tonight, who entered and who left. The work stands in `tasks/`."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport


@flow(name="segment", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def segment(workspace: Path = workspace_field(), business_on: dt.date | None = night_field()) -> list[StageReport]:
    """Refreshes every segment from tonight's facts and scores, with who entered and who left since yesterday."""
    return run_stages(["segment"], night_of_run(workspace, business_on))
