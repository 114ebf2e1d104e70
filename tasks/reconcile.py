"""Reconciling a workspace: looks for evidence of what servers took, and settles what nobody knew (R120).

What belongs here: one look, and its sentences. What does not: reading a place (`connectors/channels/evidence.py`), the verdicts
(`warehouse/ledger/reconcile.py`), the hold of a restored ledger (`warehouse/ledger/restore.py`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.channels.evidence import Evidence, evidence_of
from tasks.provider_record import asked_by_channel
from tasks.returned_mail import take_returned
from vesper.language import Translate, translator
from vesper.model.outreach import outreach_of
from vesper.model.sales import SalesPolicy
from vesper.model.workspace import Workspace
from warehouse.house import House
from warehouse.ledger.outbox import channels
from warehouse.ledger.reconcile import Rules, doubts
from warehouse.ledger.reconcile import reconcile as settle
from warehouse.ledger.restore import Reconciled, take_evidence, waiting_since
from warehouse.ledger.sms_answer import shown_by_receipts
from warehouse.ledger.worker import recover

SETTLED_AFTER = dt.timedelta(minutes=15)
"""How long a server may take to write down a mail that it has taken: it may take ten minutes to say so."""


def reconcile(root: Path, by: str, settled_after: dt.timedelta | None = None) -> str:
    """Settle every message of unknown fate that can be settled; in a ledger that was restored, find out first what was sent since its backup."""
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        lines = []
        since = waiting_since(house.engine)
        if since is not None:
            lines.append(_restored(house, since, by, _))
        counts = settled(house, settled_after)
    finally:
        house.close()
    lines += _lines(counts, evidence_of(house.workspace).where, _)
    return "\n".join(lines)


def settled(house: House, settled_after: dt.timedelta | None = None) -> Counter[str]:
    """What became of the messages of unknown fate, by verdict. What dead workers left is taken in first."""
    recover(house.engine, house.workspace.store)
    take_returned(house)
    if not doubts(house.engine):
        return Counter()
    places = _places(house)
    wait = settled_after if settled_after is not None else _wait(house.workspace)
    shown = {**_shown(places), **shown_by_receipts(house.engine)}
    rules = Rules(shown, lambda channel, at: places[channel].covers(at), _resends(house), wait, _where(places))
    return settle(house.engine, rules)


def _restored(house: House, since: dt.datetime, by: str, _: Translate) -> str:
    """Take in what was sent since the backup, so that a resume sends none of it again."""
    places = _places(house)
    sent = {id: at for id, at in _shown(places).items() if at >= since}
    is_whole = all(place.covers(since) for place in places.values())
    found: Reconciled = take_evidence(house.engine, sent, is_whole, _where(places), by, _taken_once(house))
    said = _(
        "Sent since the backup, by {where}: {found}. Messages of the backup among them: {accepted}. Nobody can tell of {doubtful}; they are unknown."
    )
    line = said.format(where=_where(places), found=found.found, accepted=found.accepted, doubtful=found.doubtful)
    return "\n".join([line, *_of_notices(found, house, _)])


def _taken_once(house: House) -> tuple[str, ...]:
    """Channels on which sales may be told again: their receiver takes a key once only."""
    policy = house.definitions.of(SalesPolicy).get("sales")
    crm = policy.notices.webhook if policy else None
    return ("webhook",) if crm and crm.deduplicates else ()


def _of_notices(found: Reconciled, house: House, _: Translate) -> list[str]:
    """What sales may have heard, and what they will hear again; nothing in a company that hands nobody over."""
    if "sales" not in house.definitions.of(SalesPolicy):
        return []
    lines = []
    if found.told:
        lines.append(_("Notices to sales that were told already: {count}.").format(count=found.told))
    if found.perhaps_told:
        said = _(
            "Notices to sales that may have been told before the restore: {count}. They are not told again; ask sales, with `vesper handover list`."
        )
        lines.append(said.format(count=found.perhaps_told))
    lines.append(
        _(
            "Hand-overs made since the backup are not in it: the next night makes them again and tells sales; let them know."
        )
    )
    return lines


def _places(house: House) -> dict[str, Evidence]:
    """Where each channel that has messages leaves traces."""
    asked = asked_by_channel(house)
    return {
        channel: evidence_of(house.workspace, channel, asked.get(channel, ())) for channel in channels(house.engine)
    }


def _shown(places: Mapping[str, Evidence]) -> dict[str, dt.datetime]:
    return {id: at for place in places.values() for id, at in place.shown().items()}


def _where(places: Mapping[str, Evidence]) -> str:
    return ", ".join(sorted({place.where for place in places.values()} - {"nowhere"})) or "nowhere"


def _wait(workspace: Workspace) -> dt.timedelta:
    """A loopback sink died with its worker, so nothing of it can still appear."""
    is_inside = workspace.mail.server == workspace.sms.provider == "loopback" and not workspace.mail.log
    return dt.timedelta() if is_inside else SETTLED_AFTER


def _resends(house: House) -> Callable[[str], bool]:
    def resends(campaign_id: str) -> bool:
        outreach = outreach_of(house.definitions, campaign_id)
        return outreach is not None and outreach.on_unknown == "resend"

    return resends


def _lines(counts: Counter[str], where: str, _: Translate) -> list[str]:
    said = {
        "accepted": _("Taken by the server after all: {count}."),
        "not_accepted": _("Surely not taken, planned again: {count}."),
        "resend": _("Planned again because their campaign says so (on_unknown: resend): {count}."),
        "abandoned": _("Given up after 72 hours without evidence: {count}. `vesper explain` lists them."),
        "exhausted": _("Not taken and tried often enough: {count}."),
        "unknown": _(
            "Still unknown: {count}. Evidence is looked for in {where}; set [mail] log in vesper.toml to name another place."
        ),
    }
    lines = [text.format(count=counts[name], where=where) for name, text in said.items() if counts[name]]
    return lines or [_("No message is of unknown fate.")]
