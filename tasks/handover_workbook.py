"""The workbook of hand-overs: what stands in it for sales, and what they answered on it (R115).

What belongs here: its columns and words, the writing, the reading back. What does not: which hand-overs stand in it, what becomes of an answer
(`handover_sheet.py`). It speaks the company's language and is read back in either.
"""

import datetime as dt
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.sources import SourceUnreadable, excel
from tasks.sql import Unanswered
from vesper.language import Translate, translator
from vesper.model.sales import SalesPolicy

LANGUAGES = ("zh_CN", "en")
ENDING = ".xlsx"
ANSWER = ("outcome", "reason_code", "answered_at")
COLUMNS = (
    "handover_id",
    *ANSWER,
    *("owner", "due_at", "score", "reasons"),
    *("name", "phone", "email", "company", "job_title", "province", "city", "contact_id"),
)
WIDTHS = {"handover_id": 20, "reasons": 48, "email": 24, "company": 24, "contact_id": 20, "answered_at": 18}
WIDTH = 14

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One answered row: its number in the sheet, the hand-over, what sales say, the code, and when (the company's wall clock; None: now)."""

    row: int
    handover_id: str
    outcome: str
    reason_code: str | None
    answered_at: dt.datetime | None


def outcomes(_: Translate) -> dict[str, str]:
    """What sales may answer, by the word that core__lead_outcome has for it."""
    return {
        "accepted": _("accepted by sales"),
        "rejected": _("rejected by sales"),
        "to_sales": _("opportunity opened"),
        "invalid": _("invalid lead"),
        "recycle": _("back to nurture"),
        "won": _("deal won"),
        "lost": _("deal lost"),
    }


def causes(_: Translate) -> dict[str, str]:
    """Why a contact was handed over, in words."""
    return {"mql": _("new MQL"), "high_score": _("high score"), "chat_intent": _("intent in a chat")}


def headings(_: Translate) -> dict[str, str]:
    """Column of the sheet -> its heading."""
    return {
        "handover_id": _("hand-over"),
        "outcome": _("answer"),
        "reason_code": _("reason code"),
        "answered_at": _("answered at"),
        "owner": _("representative"),
        "due_at": _("answer due at"),
        "score": _("score"),
        "reasons": _("reasons of the score"),
        "name": _("name"),
        "phone": _("phone"),
        "email": _("mail"),
        "company": _("company"),
        "job_title": _("job title"),
        "province": _("province"),
        "city": _("city"),
        "contact_id": _("contact id"),
    }


def workbook(rows: Sequence[Row], policy: SalesPolicy, language: str, _: Translate) -> bytes:
    """The hand-overs as an .xlsx file: one sheet to fill in, one that says how and lists the codes."""
    import xlsxwriter

    data = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(data, options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        _fill(book.add_worksheet(_("hand-overs")), rows, policy, head, _)
        guide = book.add_worksheet(_("how to answer"))
        guide.set_column(0, 0, 100, book.add_format({"text_wrap": True}))
        for line, said in enumerate(_instructions(policy, language, _)):
            guide.write_string(line, 0, said)
    return data.getvalue()


def _fill(sheet: Any, rows: Sequence[Row], policy: SalesPolicy, head: Any, _: Translate) -> None:
    shown, last = headings(_), max(len(rows), 1)
    for place, name in enumerate(COLUMNS):
        sheet.set_column(place, place, WIDTHS.get(name, WIDTH))
        sheet.write_string(0, place, shown[name], head)
    for line, row in enumerate(rows, start=1):
        for place, name in enumerate(COLUMNS):
            value = row.get(name)
            if isinstance(value, int):
                sheet.write_number(line, place, value)
            elif value:
                sheet.write_string(line, place, str(value))
    lists = {"outcome": list(outcomes(_).values()), "reason_code": list(policy.reject_reasons)}
    for name, words in lists.items():
        place = COLUMNS.index(name)
        sheet.data_validation(1, place, last, place, {"validate": "list", "source": words})
    sheet.freeze_panes(1, 1 + len(ANSWER))
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)


def _instructions(policy: SalesPolicy, language: str, _: Translate) -> list[str]:
    shown = headings(_)
    codes = [f"{code}: {words.of(language)}" for code, words in policy.reject_reasons.items()]
    return [
        _(
            "Each line is one contact handed over to sales. Choose under {answer}; leave it empty where you do not know yet."
        ).format(answer=shown["outcome"]),
        _("Rejected, invalid, back to nurture and lost need a {code}.").format(code=shown["reason_code"]),
        *codes,
        _(
            "{at} is written like 2026-03-31 09:30, in the company's time; empty means the moment the sheet is taken in."
        ).format(at=shown["answered_at"]),
        _("`vesper handover take FILE.xlsx` takes the sheet in: all of it counts from the next night on, or none."),
        _("This file may hold personal data: keep it where only sales read it, and delete it when it is taken in."),
    ]


def answers(sheet: Path, policy: SalesPolicy, _: Translate) -> list[Answer]:
    """Every answered row of a filled-in sheet, in either language.

    Raises Unanswered, one sentence, for a file that is no such sheet, and for a row with an unknown answer, code or time.
    """
    if not sheet.is_file():
        raise Unanswered(_("There is no file {file}.").format(file=sheet.name))
    try:
        table = excel.read(sheet, "auto")
    except SourceUnreadable as unreadable:
        raise Unanswered(unreadable.said(_)) from None
    places = _places(table.column_names, sheet, _)
    cells = [table.column(places[name]).to_pylist() for name in ("handover_id", *ANSWER)]
    rows = zip(table.column("source_row").to_pylist(), *cells, strict=True)
    return [_answer(sheet, policy, row, _) for row in rows if _plain(row[2])]


def _places(columns: Sequence[str], sheet: Path, _: Translate) -> dict[str, int]:
    """Where the columns stand that are read; they may be moved, and headed in either language."""
    known = {_plain(said): name for word in LANGUAGES for name, said in headings(translator(word)).items()}
    places = {known[_plain(said)]: place for place, said in enumerate(columns) if _plain(said) in known}
    for name in ("handover_id", *ANSWER):
        if name not in places:
            said = _(
                "{file}: its first sheet has no column {column}; fill in a sheet that `vesper handover write` made."
            )
            raise Unanswered(said.format(file=sheet.name, column=headings(_)[name]))
    return places


def _answer(sheet: Path, policy: SalesPolicy, cells: Sequence[Any], _: Translate) -> Answer:
    row, id, said, code, at = cells
    known = {_plain(word): name for one in LANGUAGES for name, word in outcomes(translator(one)).items()}
    known |= {_plain(name): name for name in outcomes(_)}
    outcome = known.get(_plain(said))
    if outcome is None:
        sentence = _("{file}, row {row}: the answer is one of {words}, or empty.")
        raise Unanswered(sentence.format(file=sheet.name, row=row, words=", ".join(outcomes(_).values())))
    reason = (code or "").strip() or None
    needs = outcome in ("rejected", "invalid", "recycle", "lost")
    if (needs and reason is None) or (reason and reason not in policy.reject_reasons):
        sentence = _("{file}, row {row}: the reason code is one of {words}.")
        raise Unanswered(sentence.format(file=sheet.name, row=row, words=", ".join(policy.reject_reasons)))
    return Answer(row, (id or "").strip(), outcome, reason, _moment(sheet, row, at, _))


def _moment(sheet: Path, row: int, text: str | None, _: Translate) -> dt.datetime | None:
    written = (text or "").strip().replace("/", "-")
    if not written:
        return None
    try:
        return dt.datetime.fromisoformat(written).replace(tzinfo=None)
    except ValueError:
        sentence = _("{file}, row {row}: the time is written like 2026-03-31 09:30, or left empty.")
        raise Unanswered(sentence.format(file=sheet.name, row=row)) from None


def _plain(text: str | None) -> str:
    """A word as it is compared: full-width letters, capitals and blanks do not count."""
    return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())
