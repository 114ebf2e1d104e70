"""Forms around sending: preview, forecast, rollout of a campaign, tasks of journeys, why somebody got what, what is unknown, backup (R110).

What belongs here: the fields. What does not: stopping and resuming (`ops.py`), hand-overs (`handover_ops.py`); the work stands in `tasks/`.
"""

from pathlib import Path
from typing import Literal

from flows.form import field, in_folder
from flows.form import workspace as workspace_field
from flows.ops import BY, action

MOST_DAYS = 120
CAMPAIGN = "Id of the campaign or journey: the name of its file."


@action("preview")
def preview(
    workspace: Path = workspace_field(),
    what: str = field("What", "Id of a campaign, a journey, a content or a matrix."),
    people: int = field("People", "So many real people, masked; each variant is shown once at least.", 6),
) -> str:
    """Shows what the edited files would say to a few real people, masked, in both parts of the mail. Sends nothing."""
    from tasks.preview import preview as previewed

    return previewed(workspace, what, people)


@action("set-campaign-state")
def set_campaign_state(
    workspace: Path = workspace_field(),
    campaign: str = field("Campaign", CAMPAIGN),
    state: Literal["draft", "pilot", "partial", "full", "stopped"] = field(
        "State",
        "pilot: 100 to 200 people or test contacts; partial: a share; full: everybody; stopped: nothing leaves any more.",
    ),
    reason: str = field("Reason", "Why. Leaving out a step needs one; it stands in the ledger and on the dashboard."),
    by: str = field("Your name", BY),
) -> str:
    """Takes a campaign or journey one step further, or back. Back to the state before is the same form with that state."""
    from tasks.set_state import set_state

    return set_state(workspace, campaign, state, by, reason)


@action("forecast")
def forecast(
    workspace: Path = workspace_field(),
    days: int = field("Days", "So many days from the newest night on, at most 120.", 7),
    files: bool = field("By the edited files", "By what stands in the files now, not by what is in force.", False),
) -> str:
    """Shows whom the journeys would give what in the days to come, if nothing more happened. Writes and sends nothing."""
    from tasks import journey_forecast

    return journey_forecast.forecast(workspace, min(max(days, 1), MOST_DAYS), files)


@action("show-tasks")
def show_tasks(
    workspace: Path = workspace_field(),
    owner: str = field("Whose", "Only this colleague's. Left empty: everybody's.", ""),
) -> str:
    """Shows what journeys ask colleagues to do: visits, demonstrations, trials, calls; those due first. Changes nothing."""
    from tasks import nurture

    return nurture.listed(workspace, owner.strip() or None)


@action("close-task")
def close_task(
    workspace: Path = workspace_field(),
    id: str = field("Task", "Its number, or the beginning of it; show-tasks lists them."),
    reason: str = field("Reason", "What came of it. It stands in the ledger."),
    by: str = field("Your name", BY),
) -> str:
    """Closes a task that a journey asked for; the journey goes on for that person within seconds, or in the next night."""
    from tasks import nurture

    return nurture.close_task(workspace, id, by, reason)


@action("explain-message")
def explain_message(
    workspace: Path = workspace_field(),
    person: str = field(
        "Whom",
        "A contact's id or a card. No phone and no mail address: what stands here is kept with the run.",
    ),
    campaign: str = field("Campaign", CAMPAIGN),
) -> str:
    """Says why somebody got what they got of a campaign or journey, or why not."""
    from tasks.explain import explain_why

    return explain_why(workspace, person, campaign)


@action("reconcile")
def reconcile(workspace: Path = workspace_field(), by: str = field("Your name", BY)) -> str:
    """Looks for messages of unknown fate where mail servers leave traces, and settles what can be settled. Sends nothing."""
    from tasks.reconcile import reconcile as settled

    return settled(workspace, by)


@action("show-map")
def show_map(
    workspace: Path = workspace_field(),
    what: str = field("What", "Id of a matrix or a journey map. Left empty: all of them.", ""),
) -> str:
    """Shows the matrix of contents and the journey map, with their gaps by name."""
    from tasks.content_page import map_of

    return map_of(workspace, what)


@action("backup")
def backup(
    workspace: Path = workspace_field(),
    folder: Path = field(
        "Folder", "Folder of the backup, inside the company's folder, such as backup; copy it elsewhere."
    ),
) -> str:
    """Copies ledger, lake, landed files and definitions; what is there from an earlier backup is not copied again."""
    from tasks.backup import backup as back_up

    return back_up(workspace, in_folder(workspace, folder))
