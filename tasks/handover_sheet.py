"""Hand-overs out to sales as a sheet, their answers back in as a file of the source handover_sheet (R115).

What belongs here: writing the sheet of what is active, and landing what it says when it comes back. What does not: how the sheet looks
(`handover_workbook.py`), what an answer does (`vesper/handover_answers.py`, on the next night).
"""

import csv
import datetime as dt
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.handover_profiles import profiles_in_force
from tasks.handover_workbook import ENDING, Answer, answers, workbook
from tasks.new_mqls import title_of
from tasks.sql import Unanswered
from vesper.clock import instant, local_time, now
from vesper.definition_set import DefinitionSet
from vesper.handover import HANDED_AT
from vesper.language import Translate, translator
from vesper.model.sales import SalesPolicy
from vesper.model.source import Source
from vesper.privacy import mask_email, mask_name, mask_phone
from warehouse import durable
from warehouse.house import House
from warehouse.ledger.handover import reasons_of
from warehouse.ledger.handover_acts import active, known

SOURCE = "handover_sheet"
COLUMNS = ("outcome_id", "handover_id", "contact_id", "outcome", "reason_code", "owner", "at")
MASKS = {"name": mask_name, "phone": mask_phone, "email": mask_email}


def write(root: Path, file: Path, owner: str | None = None, personal: bool = False) -> str:
    """Write the hand-overs that sales have not ended, of one representative or of all, as a workbook readable by its owner alone.

    Names, phones and addresses are masked unless `personal` (R122). Raises Unanswered for a name that does not end in .xlsx, for a file that is
    there already, and for a representative that nobody is.
    """
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        policy = policy_in(house.definitions, _)
        if file.suffix.lower() != ENDING:
            raise Unanswered(_("{file}: a hand-over sheet is named {ending}.").format(file=file.name, ending=ENDING))
        if file.exists():
            said = _("{file} is there already, and answers may stand in it; take it in, or choose another name.")
            raise Unanswered(said.format(file=file.name))
        if owner is not None and owner not in policy.team:
            said = _("There is no representative {word}; policy/sales.yml has {words}.")
            raise Unanswered(said.format(word=owner, words=", ".join(policy.team)))
        rows = _rows(house, policy, owner, personal)
        durable.write(file, workbook(rows, policy, house.workspace.company.language, _))
    finally:
        house.close()
    return _("{file}: {count} hand-overs to answer.").format(file=file.name, count=len(rows))


def take(root: Path, sheet: Path) -> str:
    """Land every answer of a filled-in sheet as rows of the source handover_sheet, which the next night takes in; says how many.

    Raises Unanswered, and lands nothing, when the workspace has no such source, when a row cannot be read, or names no hand-over that can be answered.
    """
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        policy = policy_in(house.definitions, _)
        source = house.definitions.of(Source).get(SOURCE)
        if source is None:
            said = _(
                "Answers come in by the source {id}: write definitions/sources/{id}.yml with `preset: {id}` and an owner first."
            )
            raise Unanswered(said.format(id=SOURCE))
        found = answers(sheet, policy, _)
        kept = known(house.engine, [one.handover_id for one in found])
        _refuse_unknown(sheet, found, kept, _)
        at = _moment(house)
        rows = [_landed(one, kept[one.handover_id], at, house.workspace.company.zone) for one in found]
        on = local_time(at, house.workspace.company.zone).date()
        _land(house, source, on, at, rows)
    finally:
        house.close()
    return _("{file}: {count} answers; they count from the next night on.").format(file=sheet.name, count=len(rows))


def policy_in(definitions: DefinitionSet, _: Translate) -> SalesPolicy:
    """The policy/sales of a set; raises Unanswered where it has none."""
    policy = definitions.of(SalesPolicy).get("sales")
    if policy is None:
        raise Unanswered(_("The company hands nobody over: it has no definitions/policy/sales.yml."))
    return policy


def _rows(house: House, policy: SalesPolicy, owner: str | None, personal: bool) -> list[dict[str, Any]]:
    zone, language = house.workspace.company.zone, house.workspace.company.language
    _ = translator(language)
    waiting = [row for row in active(house.engine) if owner in (None, row.owner)]
    profiles = profiles_in_force(house, {row.contact_id for row in waiting})
    why = reasons_of(house.engine, {row.handover_id for row in waiting})
    rows = []
    for row in waiting:
        person = dict(profiles[row.contact_id].person) if row.contact_id in profiles else {}
        if not personal:
            person |= {name: mask(person.get(name)) for name, mask in MASKS.items()}
        titles = [
            f"{title_of(r.rule_id, house.definitions, language, _)} {r.points:+d}" for r in why.get(row.handover_id, ())
        ]
        named = policy.team[row.owner].name if row.owner in policy.team else None
        told = {"handover_id": row.handover_id, "contact_id": row.contact_id, "score": row.score, "owner": named}
        due = f"{local_time(row.due_at, zone):%Y-%m-%d %H:%M}"
        rows.append({**person, **told, "due_at": due, "reasons": ", ".join(titles)})
    return rows


def _refuse_unknown(sheet: Path, found: Sequence[Answer], kept: Mapping[str, Any], _: Translate) -> None:
    """A row that names no hand-over, one that was withdrawn, or one that another row answers."""
    seen: dict[str, int] = {}
    for one in found:
        row = kept.get(one.handover_id)
        said = None
        if row is None:
            said = _("{file}, row {row}: there is no hand-over {id}; copy it from the sheet as it was written.")
        elif row.state == "withdrawn":
            said = _("{file}, row {row}: the hand-over {id} was withdrawn; empty the answer.")
        elif one.handover_id in seen:
            said = _("{file}, row {row}: row {other} answers the hand-over {id} too; leave one of them.")
        if said:
            other = seen.get(one.handover_id, 0)
            raise Unanswered(said.format(file=sheet.name, row=one.row, id=one.handover_id, other=other))
        seen[one.handover_id] = one.row


def _moment(house: House) -> dt.datetime:
    """Now; on a simulated clock, the evening of the night that is played."""
    if house.workspace.clock.mode == "live":
        return now().replace(microsecond=0)
    return instant(house.business_on(), HANDED_AT, house.workspace.company.zone) + dt.timedelta(minutes=30)


def _landed(one: Answer, kept: Any, at: dt.datetime, zone: str) -> dict[str, str]:
    said_at = instant(one.answered_at.date(), one.answered_at.time(), zone) if one.answered_at else at
    return {
        "outcome_id": f"{one.handover_id}-{one.outcome}",
        "handover_id": one.handover_id,
        "contact_id": kept.contact_id,
        "outcome": one.outcome,
        "reason_code": one.reason_code or "",
        "owner": kept.owner or "",
        "at": f"{said_at:%Y-%m-%d %H:%M:%S}",
    }


def _land(house: House, source: Source, on: dt.date, at: dt.datetime, rows: Sequence[Mapping[str, str]]) -> None:
    """The day's file, whole: answers landed earlier on that day stay in it. On a simulated clock it arrives when the clock says."""
    file = house.workspace.landing / source.path.replace("{on}", on.isoformat())
    whole = {row["outcome_id"]: dict(row) for row in _read(file)} | {row["outcome_id"]: dict(row) for row in rows}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(whole[key] for key in sorted(whole))
    durable.write(file, text.getvalue().encode())
    if house.workspace.clock.mode == "simulated":
        arrived = at.replace(tzinfo=dt.UTC).timestamp()
        os.utime(file, (arrived, arrived))


def _read(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
