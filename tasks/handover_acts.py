"""What people do with hand-overs between nights: withdraw one, close a human task, send waiting notices, look at what is open (R64, R113, R115).

What belongs here: these actions, each answering in markdown for the command line and the forms. What does not: the transactions
(`warehouse/ledger/handover_acts.py`), the night's own stage (`handover.py`).
"""

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.delivery import live
from tasks.handover_notices import Messenger, NoticeReport
from tasks.handover_profiles import profiles_in_force
from tasks.handover_sheet import policy_in
from tasks.handover_workbook import causes
from tasks.sql import Unanswered
from vesper.clock import instant, local_time, now
from vesper.handover import HANDED_AT
from vesper.handover_notices import withdrawals
from vesper.language import Translate, translator
from vesper.model.sales import SalesPolicy
from warehouse.house import House
from warehouse.ledger import handover_acts as in_ledger
from warehouse.ledger.handover_acts import ActRefused
from warehouse.lock import WorkspaceBusy, run_lock


def withdraw(root: Path, id: str, by: str, reason: str) -> str:
    """Withdraw a hand-over that sales have not accepted; whoever may have heard of it is told. Raises Unanswered."""
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        policy, at, zone = policy_in(house.definitions, _), _moment(house), house.workspace.company.zone

        def notices(handover_id: str, told: list[tuple[str, str]]) -> list[dict[str, Any]]:
            return withdrawals(handover_id, told, policy, at, zone)

        try:
            done = in_ledger.withdraw(house.engine, id.strip(), by, reason, at, notices)
        except ActRefused as refused:
            raise Unanswered(_refusal(refused, _)) from None
        said = [_("The hand-over {id} is withdrawn.").format(id=done.handover_id)]
        if done.kept_back:
            said.append(_("Notices that did not leave any more: {count}.").format(count=done.kept_back))
        if done.tasks:
            said.append(_("Its human task is closed, so marketing may write again."))
        if done.notices:
            said.append(_("Notices of the withdrawal: {count}.").format(count=done.notices))
            # Where a run is at work, the next delivery tells them.
            with suppress(WorkspaceBusy), run_lock(house.workspace.store):
                said += told(house, policy).warnings(_)
    finally:
        house.close()
    return " ".join(said)


def close_task(root: Path, id: str, by: str, reason: str) -> str:
    """Close a human task: marketing may write to its contact again from the next night on. Raises Unanswered."""
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        try:
            task_id = in_ledger.close_task(house.engine, id.strip(), by, reason, _moment(house))
        except ActRefused as refused:
            raise Unanswered(_refusal(refused, _)) from None
    finally:
        house.close()
    return _("The human task {id} is closed; marketing may write again.").format(id=task_id)


def listed(root: Path) -> str:
    """What is open: hand-overs by when their answer is due, human tasks by age. Contacts by their ids."""
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        zone = house.workspace.company.zone
        lines = [_("Hand-overs:")]
        for row in in_ledger.active(house.engine):
            said = _("- {id} · contact {contact} · score {score} · {owner} · {state} · answer by {due}")
            words = {
                "id": row.handover_id,
                "contact": row.contact_id,
                "score": row.score,
                "state": _state(row.state, _),
            }
            lines.append(said.format(**words, owner=row.owner or _("nobody yet"), due=_local(row.due_at, zone)))
        lines.append(_("Human tasks:"))
        for row in in_ledger.open_tasks(house.engine):
            said = _("- {id} · contact {contact} · {cause} · since {at}")
            words = {"id": row.task_id, "contact": row.contact_id, "cause": causes(_)[row.cause]}
            lines.append(said.format(**words, at=_local(row.opened_at, zone)))
    finally:
        house.close()
    return "\n".join(lines)


def told(house: House, policy: SalesPolicy) -> NoticeReport:
    """Send the notices that may go now; the caller holds the run lock. On a simulated clock nothing moves between nights: they wait."""
    if house.workspace.clock.mode == "simulated":
        return NoticeReport()
    messenger = Messenger(
        house.engine, house.workspace, house.definitions, policy, lambda ids: profiles_in_force(house, ids)
    )
    return messenger.deliver(now(), live())


def _moment(house: House) -> dt.datetime:
    """Now; on a simulated clock, an hour after the night's hand-over."""
    if house.workspace.clock.mode == "live":
        return now()
    return instant(house.business_on(), HANDED_AT, house.workspace.company.zone) + dt.timedelta(hours=1)


def _refusal(refused: ActRefused, _: Translate) -> str:
    said = {
        "unknown": _("Nothing here begins with {id}; `vesper handover list` shows what is open."),
        "ambiguous": _("More than one begins with {id}; write more of it."),
        "accepted": _("{id} was accepted by sales, so it is theirs to end; ask them to answer rejected or recycle."),
        "over": _("{id} is over already."),
        "closed": _("{id} is closed already."),
    }[refused.why]
    return said.format(id=refused.id)


def _state(state: str, _: Translate) -> str:
    return {"open": _("without an answer"), "accepted": _("accepted by sales")}.get(state, state)


def _local(at: dt.datetime, zone: str) -> str:
    return f"{local_time(at, zone):%Y-%m-%d %H:%M}"
