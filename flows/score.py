"""21:00: score, and then handover, segment, send and watch in the same process; it waits for the publish of prepare first (R49)."""

import datetime as dt
from pathlib import Path

from prefect import flow

from flows.ending import ends_in_a_sentence
from flows.form import business_on as night_field
from flows.form import field
from flows.form import workspace as workspace_field
from flows.night_of_run import night_of_run, run_name
from flows.stage import run_stages
from flows.wait_for_prepare import wait_for_prepare
from vesper.stage_report import StageReport

EVENING = ("score", "handover", "segment", "send", "watch")


@flow(name="score", flow_run_name=run_name, log_prints=False)
@ends_in_a_sentence
def score(
    workspace: Path = workspace_field(),
    business_on: dt.date | None = night_field(),
    only_score: bool = field("Only the score", "Stop after the score; do not refresh segments, send or watch.", False),
    wait_minutes: int = field(
        "Wait for prepare, in minutes", "How long to wait for tonight's contacts before this run ends as failed.", 45
    ),
) -> list[StageReport]:
    """Scores every contact, then refreshes segments, sends what may go, and watches the effect. Waits for prepare of the same night first."""
    night = night_of_run(workspace, business_on)
    wait_for_prepare(night, wait_minutes)
    return run_stages(["score"] if only_score else EVENING, night)
