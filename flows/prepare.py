"""20:00: consolidate and measure, so that the score at 21:00 stands on tonight's contacts."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from vesper.stage_report import StageReport


@flow(name="prepare", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def prepare(workspace: Path = workspace_field(), business_on: dt.date | None = night_field()) -> list[StageReport]:
    """Brings every source into one golden contact and measures market visibility, before the score at 21:00."""
    return run_stages(["consolidate", "measure"], night_of_run(workspace, business_on))
