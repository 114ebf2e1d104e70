"""Sources into one golden contact, with everything set aside that breaks a rule. The work stands in `tasks/`."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport


@flow(name="consolidate", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def consolidate(workspace: Path = workspace_field(), business_on: dt.date | None = night_field()) -> list[StageReport]:
    """Reads every source up to the cut-off, sets broken rows aside with their rule, cleans, and matches people into one golden contact each."""
    return run_stages(["consolidate"], night_of_run(workspace, business_on))
