"""The review queue as a sheet: out to a steward, back in as steward rules (R5, R104).

What belongs here: writing the workbook, reading it back, turning decisions into rules. What does not: which pairs stand in it
(`vesper/identity/review.py`), what a rule does (`tasks/identity.py`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.sources import excel
from tasks import steward
from tasks.sql import Unanswered, bind_published, open_to_read
from vesper.identity.review import queue
from vesper.language import Translate, translator
from vesper.load import read_workspace
from warehouse.runner import Runner

MUST, CANNOT = "must_link", "cannot_link"
SIDE = ("record", "contact_id", "name", "phone", "email", "company", "job_title", "city")
COLUMNS = ("reason", "speaks_against", "weight", *[f"{name}_{side}" for side in "ab" for name in SIDE])
ANSWER = ("decision", "note")
WIDTHS = {"record": 26, "contact_id": 20, "email": 24, "company": 24, "decision": 16, "note": 40}


def words(_: Translate) -> dict[str, str]:
    """What a steward may answer, by the rule it becomes."""
    return {MUST: _("same person"), CANNOT: _("different people")}


def headings(_: Translate) -> dict[str, str]:
    """Column of the sheet -> its heading."""
    named = {
        "reason": _("why it is here"),
        "speaks_against": _("speaks against"),
        "weight": _("weight (bits)"),
        "decision": _("decision"),
        "note": _("note"),
    }
    said = {
        "record": _("row"),
        "contact_id": _("contact"),
        "name": _("name"),
        "phone": _("phone"),
        "email": _("mail"),
        "company": _("company"),
        "job_title": _("position"),
        "city": _("city"),
    }
    return named | {f"{name}_{side}": f"{said[name]} {side.upper()}" for side in "ab" for name in SIDE}


def write_sheet(root: Path, target: Path, personal: bool = False) -> int:
    """Write the queue of the last published night as a workbook; returns its pairs.

    Names, phones and addresses are masked unless `personal` (R122). Raises Unanswered while no night has run.
    """
    with open_to_read(root) as house, Runner(house.lake) as runner:
        _ = translator(house.workspace.company.language)
        bind_published(house, runner)
        rows = [row._asdict() for row in runner.rows(queue(personal))]
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, rows, _)
    return len(rows)


def _write(target: Path, rows: Sequence[Mapping[str, Any]], _: Translate) -> None:
    import xlsxwriter

    shown = headings(_)
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(target), options) as book:
        sheet, head = book.add_worksheet(_("review queue")), book.add_format({"bold": True, "bottom": 1})
        columns = (*COLUMNS, *ANSWER)
        for place, name in enumerate(columns):
            sheet.set_column(place, place, WIDTHS.get(name.removesuffix("_a").removesuffix("_b"), 14))
            sheet.write_string(0, place, shown[name], head)
        for line, row in enumerate(rows, start=1):
            for place, cell in enumerate(_cells(row, _)):
                sheet.write(line, place, cell)
        place = columns.index("decision")
        choice = {"validate": "list", "source": list(words(_).values())}
        sheet.data_validation(1, place, max(len(rows), 1), place, choice)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)


def _cells(row: Mapping[str, Any], _: Translate) -> Iterator[Any]:
    for name in COLUMNS:
        value = row[name]
        if name == "weight":
            yield "" if value is None else value / 1000
        elif name in ("reason", "speaks_against"):
            yield _(value) if value else ""
        else:
            yield "" if value is None else value


def take_sheet(root: Path, sheet: Path, by: str) -> Counter[str]:
    """Record every decision of a filled-in sheet as a steward rule in force from the next night on; counts by rule.

    Rows without a decision are left alone; a decision that is already in force is not recorded twice. Nothing is recorded when one row of the sheet
    cannot be read. Raises Unanswered, one sentence with the row, for a sheet of another shape or an unknown decision.
    """
    _ = translator(read_workspace(root).company.language)
    decisions = list(_decisions(sheet, _))
    return _recorded(root, decisions, by)


def _decisions(sheet: Path, _: Translate) -> Iterator[tuple[str, str, str, str]]:
    """(rule, record_a, record_b, note) of every row that was decided."""
    table = excel.read(sheet, "auto")
    shown = headings(_)
    needed = [shown[name] for name in ("record_a", "record_b", "decision", "note")]
    missing = [heading for heading in needed if heading not in table.schema.names]
    if missing:
        said = _("{file} has no column {column}; fill in the sheet that `vesper review write` made.")
        raise Unanswered(said.format(file=sheet.name, column=missing[0]))
    rules = {word: rule for rule, word in words(_).items()}
    for row in table.to_pylist():
        record_a, record_b, decision, note = [row[heading] for heading in needed]
        if not decision:
            continue
        if decision not in rules:
            said = _("{file}, row {row}: the decision must be one of {words}.")
            raise Unanswered(said.format(file=sheet.name, row=row["source_row"], words=", ".join(rules)))
        yield rules[decision], record_a, record_b, note or _("review sheet")


def _recorded(root: Path, decisions: Sequence[tuple[str, str, str, str]], by: str) -> Counter[str]:
    """Every decision as a rule, in one go; a rule that says so already is counted as `known`."""
    counts: Counter[str] = Counter()
    for rule, record_a, record_b, note in decisions:
        act = steward.link if rule == MUST else steward.separate
        try:
            act(root, record_a, record_b, by, note)
            counts[rule] += 1
        except steward.AlreadySaid:
            counts["known"] += 1
    return counts
