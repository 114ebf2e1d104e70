"""The workbook of the review queue: what stands in it, and what a steward answered (R5, R104).

What belongs here: its columns and words, the writing, the reading back. What does not: which pairs stand in it (`vesper/identity/review.py`),
what becomes of an answer (`tasks/review.py`). It speaks the company's language and is read back in either.
"""

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.sources import SourceUnreadable, excel
from tasks.sql import Unanswered
from vesper.identity.review import SHOWN
from vesper.language import Translate, translator
from warehouse.ledger.steward import Kind

LANGUAGES = ("zh_CN", "en")
ENDING = ".xlsx"
PAIR = ("record_a", "record_b")
ANSWER = ("decision", "note")
COLUMNS = (
    *ANSWER,
    *("reason", "speaks_against", "agree_on", "weight"),
    *[f"{name}_{side}" for name in (*SHOWN, "record", "contact_id") for side in "ab"],
)
WIDTHS = {"decision": 16, "note": 32, "email": 24, "company": 24, "record": 26, "contact_id": 20}
WIDTH = 14

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One decided row of a sheet: its number in the sheet, what was decided of which two records (in order), and the note."""

    row: int
    kind: Kind
    records: tuple[str, str]
    note: str


def words(_: Translate) -> dict[Kind, str]:
    """What a steward may answer, by the rule it becomes."""
    return {"must_link": _("one person"), "cannot_link": _("two people")}


def headings(_: Translate) -> dict[str, str]:
    """Column of the sheet -> its heading."""
    alone = {
        "decision": _("decision"),
        "note": _("note"),
        "reason": _("why it is here"),
        "speaks_against": _("evidence against"),
        "agree_on": _("agree on"),
        "weight": _("weight in bits"),
    }
    named = _fields(_) | {"record": _("source row"), "contact_id": _("contact")}
    return {name: alone.get(name) or f"{named[name[:-2]]} {name[-1].upper()}" for name in COLUMNS}


def _fields(_: Translate) -> dict[str, str]:
    return {
        "name": _("name"),
        "phone": _("phone"),
        "email": _("mail"),
        "company": _("company"),
        "job_title": _("job title"),
        "city": _("city"),
    }


def _reasons(_: Translate) -> dict[str, str]:
    return {"kept apart": _("kept apart"), "joined in doubt": _("joined in doubt")}


def workbook(rows: Sequence[Row], personal: bool, _: Translate) -> bytes:
    """The queue as an .xlsx file: one sheet to fill in, one that says how."""
    import xlsxwriter

    data = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(data, options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        _fill(book.add_worksheet(_("review queue")), rows, head, _)
        guide = book.add_worksheet(_("how to decide"))
        guide.set_column(0, 0, 100, book.add_format({"text_wrap": True}))
        for line, text in enumerate(instructions(personal, _)):
            guide.write_string(line, 0, text)
    return data.getvalue()


def _fill(sheet: Any, rows: Sequence[Row], head: Any, _: Translate) -> None:
    shown, last = headings(_), max(len(rows), 1)
    for place, name in enumerate(COLUMNS):
        sheet.set_column(place, place, WIDTHS.get(name, WIDTHS.get(name[:-2], WIDTH)))
        sheet.write_string(0, place, shown[name], head)
    for line, row in enumerate(rows, start=1):
        for place, (name, cell) in enumerate(_cells(row, _).items()):
            if name == "weight" and cell is not None:
                sheet.write_number(line, place, cell)
            elif cell:
                sheet.write_string(line, place, str(cell))
    place = COLUMNS.index("decision")
    sheet.data_validation(1, place, last, place, {"validate": "list", "source": list(words(_).values())})
    sheet.freeze_panes(1, len(ANSWER))
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)


def _cells(row: Row, _: Translate) -> dict[str, Any]:
    weight, against, fields = row["weight"], row["speaks_against"], _fields(_)
    told = {
        "reason": _reasons(_)[row["reason"]],
        "speaks_against": _(against) if against else None,
        "agree_on": ", ".join(said for name, said in fields.items() if row[f"is_same_{name}"]),
        "weight": None if weight is None else weight / 1000,
    }
    return {name: told[name] if name in told else row.get(name) for name in COLUMNS}


def instructions(personal: bool, _: Translate) -> list[str]:
    """What a steward must know, in a few lines."""
    shown, answers = headings(_), words(_)
    masked = _("Names, numbers and addresses are masked; `vesper review write --personal` shows them.")
    whole = _("This file holds personal data: keep it where only stewards read it, and delete it when it is taken in.")
    return [
        _("Each line names two source rows, A and B, of which the rules do not know whether they are one person."),
        _("Kept apart: something ties the two, and they are two contacts."),
        _("Joined in doubt: the two are one contact, which is unusually large or contradicts itself."),
        _("Choose under {decision}: {same} or {different}. Leave it empty where you do not know.").format(
            decision=shown["decision"], same=answers["must_link"], different=answers["cannot_link"]
        ),
        _("A note says why; it stands in the ledger. Leave the columns {a} and {b} as they are.").format(
            a=shown["record_a"], b=shown["record_b"]
        ),
        _(
            "`vesper review take FILE.xlsx --by NAME` takes the sheet in: all of it holds from the next night on, or none."
        ),
        whole if personal else masked,
    ]


def answers(sheet: Path, _: Translate) -> list[Answer]:
    """Every decided row of a filled-in sheet, in either language.

    Raises Unanswered, one sentence, for a file that is no such sheet, an unknown decision, and a row that does not name two source rows.
    """
    if not sheet.is_file():
        raise Unanswered(_("There is no file {file}.").format(file=sheet.name))
    try:
        table = excel.read(sheet, "auto")
    except SourceUnreadable as unreadable:
        raise Unanswered(unreadable.said(_)) from None
    places = _places(table.column_names, sheet, _)
    cells = [table.column(places[name]).to_pylist() for name in (*ANSWER, *PAIR)]
    numbers = table.column("source_row").to_pylist()
    rows = zip(numbers, *cells, strict=True)
    return [
        _answer(sheet, row, decision, note, (one, other), _)
        for row, decision, note, one, other in rows
        if _plain(decision)
    ]


def _places(columns: Sequence[str], sheet: Path, _: Translate) -> dict[str, int]:
    """Where the columns stand that are read; they may be moved, and headed in either language."""
    known = {_plain(said): name for word in LANGUAGES for name, said in headings(translator(word)).items()}
    places = {known[_plain(said)]: place for place, said in enumerate(columns) if _plain(said) in known}
    for name in (*ANSWER, *PAIR):
        if name not in places:
            said = _("{file}: its first sheet has no column {column}; fill in a sheet that `vesper review write` made.")
            raise Unanswered(said.format(file=sheet.name, column=headings(_)[name]))
    return places


def _answer(
    sheet: Path, row: int, decision: str, note: str | None, named: tuple[str | None, str | None], _: Translate
) -> Answer:
    known = {_plain(said): kind for word in LANGUAGES for kind, said in words(translator(word)).items()}
    kind = known.get(_plain(decision))
    if kind is None:
        said = _("{file}, row {row}: the decision is one of {words}, or empty.")
        raise Unanswered(said.format(file=sheet.name, row=row, words=", ".join(words(_).values())))
    one, other = sorted((record or "").strip() for record in named)
    if not one or one == other:
        shown = headings(_)
        said = _(
            "{file}, row {row}: {a} and {b} must name two source rows; copy them from the sheet as it was written."
        )
        raise Unanswered(said.format(file=sheet.name, row=row, a=shown["record_a"], b=shown["record_b"]))
    return Answer(row, kind, (one, other), (note or "").strip())


def _plain(text: str | None) -> str:
    """A word as it is compared: full-width letters, capitals and blanks do not count."""
    return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())
