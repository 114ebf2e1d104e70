"""What the campaigns brought, the funnel, and what needs an eye. The work stands in `tasks/`."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport


@flow(name="watch", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def watch(workspace: Path = workspace_field(), business_on: dt.date | None = night_field()) -> list[StageReport]:
    """Computes campaign effect, the funnel and the monitor, and lists what is off its target."""
    return run_stages(["watch"], night_of_run(workspace, business_on))
