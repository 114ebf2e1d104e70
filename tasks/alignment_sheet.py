"""The weekly alignment of marketing and sales as a workbook: acceptance by rule, what was rejected and why, deals that no rule saw (R115).

What belongs here: reading the last published night and writing. What does not: the figures (`vesper/marts/handover_reason.py`, `missed_win.py`).
No name stands in it: contacts are ids.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.handover_sheet import policy_in
from tasks.handover_workbook import ENDING, causes, outcomes
from tasks.new_mqls import title_of
from tasks.sql import Unanswered, bind_published, open_to_read
from vesper.clock import on
from vesper.handover_answers import REJECTING
from vesper.language import Translate, translator
from vesper.marts.handover import HANDOVER
from vesper.marts.handover_reason import RULE_ACCEPTANCE, in_window
from vesper.marts.missed_win import MISSED_WIN
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from warehouse import durable
from warehouse.runner import Runner

Line = Sequence[Any]


def write(root: Path, file: Path) -> str:
    """Write the alignment sheet of the last published night; says its figures in one line. Raises Unanswered."""
    with open_to_read(root) as house, Runner(house.lake) as runner:
        _ = translator(house.workspace.company.language)
        known = house.definitions_at(None)
        policy = policy_in(known, _)
        if file.suffix.lower() != ENDING or file.exists():
            said = _("{file}: an alignment sheet is a new file named {ending}.")
            raise Unanswered(said.format(file=file.name, ending=ENDING))
        snapshot = house.lake.in_force(RULE_ACCEPTANCE.name)
        if snapshot is None or HANDOVER.name not in bind_published(house, runner):
            raise Unanswered(_("No night has handed anybody over yet; start one with `vesper run nightly`."))
        night = Night(snapshot.business_on, house.workspace, known)
        pages = {
            _("acceptance by rule"): _rules(runner, night, _),
            _("rejected by sales"): _rejected(runner, night, policy, _),
            _("won without a hand-over"): _missed(runner, night, _),
        }
    durable.write(file, _workbook(pages))
    counts = [len(lines) - 1 for lines in pages.values()]
    said = _("{file}: {rules} rules, {rejected} rejected hand-overs, {missed} won deals that were never handed over.")
    return said.format(file=file.name, rules=counts[0], rejected=counts[1], missed=counts[2])


def _rules(runner: Runner, night: Night, _: Translate) -> list[Line]:
    mine = RULE_ACCEPTANCE.c.business_on == on(night.business_on)
    ratio = RULE_ACCEPTANCE.c.acceptance_ratio
    query = sa.select(RULE_ACCEPTANCE).where(mine).order_by(ratio.asc().nulls_last(), RULE_ACCEPTANCE.c.rule_id)
    head = [
        _("rule"),
        _("what it is"),
        _("handed over"),
        _("accepted by sales"),
        _("rejected by sales"),
        _("without an answer"),
        _("acceptance"),
    ]
    lines: list[Line] = [head]
    for row in runner.rows(query):
        title = title_of(row.rule_id, night.definitions, night.workspace.company.language, _)
        counts = (row.handed_count, row.accepted_count, row.rejected_count, row.open_count)
        lines.append([row.rule_id, title, *counts, row.acceptance_ratio])
    return lines


def _rejected(runner: Runner, night: Night, policy: SalesPolicy, _: Translate) -> list[Line]:
    """The false positives, by code."""
    language = night.workspace.company.language
    names = ("handover_id", "contact_id", "score", "cause", "owner", "outcome", "reason_code")
    mine = sa.and_(HANDOVER.c.outcome.in_(REJECTING), in_window(night, policy))
    query = sa.select(*[HANDOVER.c[name] for name in names]).where(mine)
    head = [
        _("hand-over"),
        _("contact id"),
        _("score"),
        _("why now"),
        _("representative"),
        _("answer"),
        _("reason code"),
        _("reason"),
    ]
    lines: list[Line] = [head]
    for row in runner.rows(query.order_by(HANDOVER.c.reason_code, HANDOVER.c.handover_id)):
        known = policy.reject_reasons.get(row.reason_code or "")
        said = row._asdict() | {"cause": causes(_)[row.cause], "outcome": outcomes(_)[row.outcome]}
        lines.append([*said.values(), known.of(language) if known else ""])
    return lines


def _missed(runner: Runner, night: Night, _: Translate) -> list[Line]:
    mine = MISSED_WIN.c.business_on == on(night.business_on)
    query = sa.select(MISSED_WIN.c.contact_id, MISSED_WIN.c.won_on).where(mine).order_by(MISSED_WIN.c.contact_id)
    return [[_("contact id"), _("won on")], *[[row.contact_id, row.won_on.isoformat()] for row in runner.rows(query)]]


def _workbook(pages: dict[str, list[Line]]) -> bytes:
    import xlsxwriter

    data = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(data, options) as book:
        bold, percent = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "0.0%"})
        for title, lines in pages.items():
            sheet = book.add_worksheet(title)
            sheet.set_column(0, max(len(lines[0]) - 1, 0), 20)
            for at, line in enumerate(lines):
                for place, value in enumerate(line):
                    look = bold if at == 0 else percent if isinstance(value, float) else None
                    if value is not None:
                        sheet.write(at, place, value, look)
            sheet.freeze_panes(1, 0)
    return data.getvalue()
