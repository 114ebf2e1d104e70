"""Between nights: sends the messages whose window is open now. It plans nothing; the night has planned."""

from pathlib import Path

from prefect import flow

from flows.artifacts import keep_campaigns, keep_page
from flows.ending import ends_in_a_sentence
from flows.form import workspace as workspace_field


@flow(name="deliver", flow_run_name="deliver", log_prints=False)
@ends_in_a_sentence
def deliver(workspace: Path = workspace_field()) -> str:
    """Sends the planned messages whose sending window is open now. Each is checked for consent and frequency once more, and goes once."""
    from tasks import ops

    answer = ops.deliver(workspace)
    keep_page("deliver", answer, "deliver")
    keep_campaigns(workspace)
    return answer
