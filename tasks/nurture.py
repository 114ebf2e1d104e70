"""What journeys ask colleagues to do: the list, and closing one, for the command line and the forms.

What belongs here: these two, answered in words. What does not: opening tasks (`journey_turn.py`), the rows (`warehouse/ledger/nurture.py`).
"""

import datetime as dt
from pathlib import Path

from tasks.sql import Unanswered
from vesper.clock import instant, local_time, now
from vesper.language import Translate, translator
from vesper.send_person import PLANNED_AT
from warehouse.house import House
from warehouse.ledger.nurture import TaskRefused, close, open_tasks


def listed(root: Path, owner: str | None = None) -> str:
    """Open tasks, those due first, each on a line; contacts by their ids."""
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        zone, found = house.workspace.company.zone, open_tasks(house.engine, owner)
        if not found:
            return _("No journey asks anybody for anything now.")
        said = _("- {id} · {kind} · contact {contact} · {owner} · due {due} · journey {journey}, step {step}")
        moment = _moment(house)
        lines = []
        for task in found:
            due = local_time(task.due_at, zone).isoformat(sep=" ", timespec="minutes")
            words = {"id": task.task_id, "kind": kind_in(task.kind, _), "contact": task.contact_id, "owner": task.owner}
            line = said.format(**words, due=due, journey=task.journey_id, step=task.step_id)
            lines.append(f"{line} · {_('overdue')}" if task.due_at < moment else line)
        return "\n".join(lines)
    finally:
        house.close()


def close_task(root: Path, id: str, by: str, reason: str) -> str:
    """Close a task; a journey that waits for it goes on in the next turn. Raises Unanswered."""
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        try:
            task_id = close(house.engine, id.strip(), by, reason, _moment(house))
        except TaskRefused as refused:
            raise Unanswered(_refusal(refused, _)) from None
        return _("The task {id} is closed.").format(id=task_id)
    finally:
        house.close()


def kind_in(kind: str, _: Translate) -> str:
    """What is to be done, in words."""
    return {"visit": _("visit"), "demo": _("demonstration"), "trial": _("trial"), "call": _("call")}[kind]


def _moment(house: House) -> dt.datetime:
    """Now; on a simulated clock the evening of the day that is played."""
    if house.workspace.clock.mode == "live":
        return now()
    return instant(house.business_on(), PLANNED_AT, house.workspace.company.zone)


def _refusal(refused: TaskRefused, _: Translate) -> str:
    said = {
        "unknown": _("No task begins with {id}; `vesper task list` shows what is open."),
        "ambiguous": _("More than one task begins with {id}; write more of it."),
        "closed": _("The task {id} is closed already."),
    }
    return said[refused.why].format(id=refused.id)
