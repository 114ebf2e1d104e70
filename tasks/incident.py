"""`vesper incident`: a campaign or journey went wrong. It is paused, who was reached is counted and listed, its answers score nothing (R109).

What belongs here: the action and its words. What does not: the rows (`warehouse/ledger/incident.py`), leaving events out
(`vesper/consolidate/incident.py`).
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from tasks.explain_asked import page, table
from tasks.sql import Unanswered
from vesper.clock import local_time
from vesper.language import Translate, translator
from vesper.model.outreach import outreaches
from vesper.privacy import mask_name
from vesper.tables.contact import CONTACT
from vesper.wording import figure
from warehouse import durable
from warehouse.house import House
from warehouse.ledger import incident as in_ledger
from warehouse.ledger.incident import Fate
from warehouse.runner import Runner

FATES = ("reached", "unknown", "stopped", "not_sent")
ENDING = ".csv"


def incident(root: Path, campaign_id: str, reason: str, by: str, file: Path | None = None) -> str:
    """Pause a campaign or journey, record the incident, and say who was reached, unknown and stopped; with `file`, list them there.

    The list holds contact ids and masked names. Raises Unanswered for a campaign that nobody knows, or a file that is no .csv or there already.
    """
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        _must_be_known(house, campaign_id, _)
        if file is not None and (file.suffix.lower() != ENDING or file.exists()):
            raise Unanswered(_("{file}: name a new file that ends in {ending}.").format(file=file.name, ending=ENDING))
        on = house.binds_on()
        number = in_ledger.record(house.engine, campaign_id, by, reason, on)
        people = list(in_ledger.fates(house.engine, campaign_id))
        if file is not None:
            durable.write(file, _listed(house, people, _))
    finally:
        house.close()
    return _worded(number, campaign_id, people, str(on), file, _)


def _must_be_known(house: House, campaign_id: str, _: Translate) -> None:
    is_planned = next(in_ledger.fates(house.engine, campaign_id), None) is not None
    if campaign_id not in outreaches(house.definitions_at(None)) and not is_planned:
        raise Unanswered(_("There is no campaign and no journey {word}.").format(word=campaign_id))


def _worded(number: int, campaign_id: str, people: Iterable[Fate], on: str, file: Path | None, _: Translate) -> str:
    counted = Counter(one.fate for one in people)
    rows = [[_(fate.replace("_", " ")), figure(counted[fate])] for fate in FATES]
    said = [
        _("Messages that a server has accepted cannot be recalled."),
        _("The campaign is paused from the next transaction on; `vesper resume --campaign {id}` lets it go on.").format(
            id=campaign_id
        ),
        _("From the night of {on} on, answers to its messages count in no score, stage or segment.").format(on=on),
    ]
    said += [_("Who it was: {file}, contact ids with masked names.").format(file=file.name)] if file else []
    title = _("Incident {number}: {id}").format(number=number, id=campaign_id)
    return page(title, table([_("messages"), _("count")], rows), "\n".join(f"- {line}" for line in said))


def _listed(house: House, people: Iterable[Fate], _: Translate) -> bytes:
    """The list as CSV, readable by Excel: one row for each message."""
    names = _names(house)
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow([_("contact"), _("name"), _("step"), _("what became of it"), _("at")])
    for one in people:
        at = f"{local_time(one.at, house.workspace.company.zone):%Y-%m-%d %H:%M}" if one.at else ""
        name = mask_name(names.get(one.contact_id)) or ""
        sheet.writerow([one.contact_id, name, one.step_id, _(one.fate.replace("_", " ")), at])
    return text.getvalue().encode("utf-8-sig")


def _names(house: House) -> dict[str, str]:
    with Runner(house.lake) as runner:
        runner.bind_snapshot(CONTACT, house.lake.in_force(CONTACT.name))
        return {row.contact_id: row.name for row in runner.rows(sa.select(CONTACT.c.contact_id, CONTACT.c.name))}
