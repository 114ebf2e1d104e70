"""The review queue: out to a steward as a sheet, back in as steward rules, all of a sheet or none (R5, R104, R110).

What belongs here: writing the sheet of the last night, and recording what it says when it comes back. What does not: which pairs stand in it
(`vesper/identity/review.py`), how the sheet looks (`review_sheet.py`), what a rule does (`tasks/identity.py`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.review_sheet import ENDING, Answer, answers, workbook
from tasks.sql import Unanswered, bind_published, open_to_read
from vesper.identity.membership import memberships
from vesper.identity.review import READS, queue
from vesper.language import Translate, translator
from vesper.tables.contact import CONTACT_MEMBER
from vesper.tables.ledger_copy import LEDGER_STEWARD
from warehouse import durable
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.decisions import Decision, DecisionRefused, add_all
from warehouse.ledger.steward import rules_in_force
from warehouse.runner import Runner

RULES, NAMED = "review_rule", "review_named"
"""Names under which the ledger's rules and a sheet's records are bound."""


def write(root: Path, file: Path, personal: bool = False) -> str:
    """Write the queue of the last published night as a workbook, readable by its owner alone; says how many pairs it holds.

    Names, phones and addresses are masked unless `personal` (R122). Raises Unanswered while no night has run, for a name that does not end
    in .xlsx, and for a file that is there already: decisions may stand in it.
    """
    with open_to_read(root) as house, Runner(house.lake) as runner:
        _ = translator(house.workspace.company.language)
        _refuse_name(file, _)
        rows = _queue(house, runner, personal, _)
    durable.write(file, workbook(rows, personal, _))
    waiting = sum({row["reason"]: row["waiting"] for row in rows}.values())
    said = _("{file}: {count} pairs to decide on.")
    if waiting > len(rows):
        said = _("{file}: the {count} most urgent of {waiting} pairs to decide on.")
    return said.format(file=file.name, count=len(rows), waiting=waiting)


def _refuse_name(file: Path, _: Translate) -> None:
    if file.suffix.lower() != ENDING:
        raise Unanswered(_("{file}: a review sheet is named {ending}.").format(file=file.name, ending=ENDING))
    if file.exists():
        said = _("{file} is there already, and decisions may stand in it; take it in, or choose another name.")
        raise Unanswered(said.format(file=file.name))


def _queue(house: House, runner: Runner, personal: bool, _: Translate) -> list[dict[str, Any]]:
    bound = bind_published(house, runner)
    if any(table.name not in bound for table in READS):
        raise Unanswered(_("No night has looked for people yet; start one with `vesper run consolidate`."))
    rules = [asdict(rule) for rule in rules_in_force(house.engine)]
    runner.bind_arrow(RULES, pa.Table.from_pylist(rules, schema=arrow_schema(LEDGER_STEWARD)))
    rule = LEDGER_STEWARD.to_metadata(sa.MetaData(), name=RULES)
    return [row._asdict() for row in runner.rows(queue(rule, personal))]


def take(root: Path, sheet: Path, by: str) -> str:
    """Record every decision of a filled-in sheet as a steward rule that holds from the next night on; says how many.

    Rows without a decision are left alone; what a rule in force says already is not recorded twice. Nothing is recorded, and Unanswered says
    the file and the row, when one row cannot be read, names an unknown source row, or contradicts another row or a rule in force.
    """
    house = House.open(root)
    try:
        _ = translator(house.workspace.company.language)
        if not by.strip():
            raise Unanswered(_("Say who decided: the name stands in the ledger."))
        found = answers(sheet, _)
        decided = _by_pair(sheet, found, _)
        _refuse_unknown(house, sheet, decided, _)
        on = house.binds_on()
        why = _("review sheet {file}").format(file=sheet.name)
        decisions = [Decision(each.kind, each.records, each.note or why) for each in decided]
        try:
            new = add_all(house.engine, decisions, by.strip(), on)
        except DecisionRefused as refused:
            said = _(
                "{file}, row {row}: rule {rule} says the opposite of the two; lift it first with `vesper steward lift {rule}`, "
                "or empty the decision. Nothing was recorded."
            )
            row = decided[refused.place].row
            raise Unanswered(said.format(file=sheet.name, row=row, rule=refused.rule_id)) from None
    finally:
        house.close()
    count = Counter(decision.kind for decision in new)
    return _(
        "{file}: from the night of {on} on, {same} pairs are one person and {different} are two; {known} were decided before."
    ).format(
        file=sheet.name,
        on=on,
        same=count["must_link"],
        different=count["cannot_link"],
        known=len(found) - len(new),
    )


def _by_pair(sheet: Path, found: Sequence[Answer], _: Translate) -> list[Answer]:
    """The first answer to each pair. Raises Unanswered where a later one says the opposite."""
    first: dict[tuple[str, str], Answer] = {}
    for each in found:
        before = first.setdefault(each.records, each)
        if before.kind != each.kind:
            said = _("{file}, row {row}: row {other} decides the opposite of the same two; leave one of them.")
            raise Unanswered(said.format(file=sheet.name, row=each.row, other=before.row))
    return list(first.values())


def _refuse_unknown(house: House, sheet: Path, decided: Sequence[Answer], _: Translate) -> None:
    """Raise Unanswered for the first row that names a source row of no contact: it may be gone since the sheet was written."""
    member = memberships(CONTACT_MEMBER).subquery("held_by")
    named = sa.Table(NAMED, sa.MetaData(), sa.Column("record", sa.String()))
    with Runner(house.lake) as runner:
        runner.bind_snapshot(CONTACT_MEMBER, house.lake.in_force(CONTACT_MEMBER.name))
        records = sorted({record for each in decided for record in each.records})
        runner.bind_arrow(NAMED, pa.table({"record": pa.array(records, pa.string())}))
        is_known = sa.exists().where(member.c.record == named.c.record)
        unknown = {row.record for row in runner.rows(sa.select(named.c.record).where(~is_known))}
    for each in decided:
        for record in each.records:
            if record in unknown:
                said = _("{file}, row {row}: no contact holds a source row {record} any more; empty the decision.")
                raise Unanswered(said.format(file=sheet.name, row=each.row, record=record))
