"""The forms of the hand-over on a working day: withdraw, close a human task, sheets out and in, what is open (R64, R110, R115).

The work stands in `tasks/handover_acts.py`, `tasks/handover_sheet.py` and `tasks/alignment_sheet.py`.
"""

from pathlib import Path

from flows.form import field, in_folder
from flows.form import workspace as workspace_field
from flows.ops import BY, action

SHEET = "Name of the workbook in the company's folder, such as handover.xlsx."


@action("show-handovers")
def show_handovers(workspace: Path = workspace_field()) -> str:
    """Shows what is open with sales: hand-overs by when their answer is due, and human tasks. Changes nothing."""
    from tasks import handover_acts

    return handover_acts.listed(workspace)


@action("withdraw-handover")
def withdraw_handover(
    workspace: Path = workspace_field(),
    id: str = field("Hand-over", "Its number, or the beginning of it."),
    reason: str = field("Reason", "Why sales should not follow it up. It stands in the ledger."),
    by: str = field("Your name", BY),
) -> str:
    """Withdraws a hand-over that sales have not accepted, and tells whoever has heard of it. Its human task is closed."""
    from tasks import handover_acts

    return handover_acts.withdraw(workspace, id, by, reason)


@action("close-human-task")
def close_human_task(
    workspace: Path = workspace_field(),
    id: str = field("Human task", "Its number, or the beginning of it."),
    reason: str = field("Reason", "What came of the conversation. It stands in the ledger."),
    by: str = field("Your name", BY),
) -> str:
    """Closes a human task: marketing may write to its contact again."""
    from tasks import handover_acts

    return handover_acts.close_task(workspace, id, by, reason)


@action("write-handover-sheet")
def write_handover_sheet(
    workspace: Path = workspace_field(),
    file: Path = field("Sheet", SHEET),
    owner: str = field("Representative", "Only this one's hand-overs. Left empty: all of them.", ""),
    personal: bool = field("With personal data", "Names, numbers and addresses as they are; masked otherwise.", False),
) -> str:
    """Writes the open hand-overs as a sheet on which sales answer. Changes nothing else."""
    from tasks import handover_sheet

    return handover_sheet.write(workspace, in_folder(workspace, file), owner or None, personal)


@action("take-handover-sheet")
def take_handover_sheet(workspace: Path = workspace_field(), file: Path = field("Sheet", SHEET)) -> str:
    """Takes in the answers of a filled-in hand-over sheet: all of them count from the next night on, or none."""
    from tasks import handover_sheet

    return handover_sheet.take(workspace, in_folder(workspace, file))


@action("write-alignment-sheet")
def write_alignment_sheet(workspace: Path = workspace_field(), file: Path = field("Sheet", SHEET)) -> str:
    """Writes the weekly alignment of marketing and sales: acceptance by rule, rejections, deals that were never handed over."""
    from tasks import alignment_sheet

    return alignment_sheet.write(workspace, in_folder(workspace, file))
