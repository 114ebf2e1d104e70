"""The Excel of the people to ask: one sheet for each market below its band, names masked (R122).

What belongs here: sheets and headings. What does not: who is asked (`vesper/measure.py`).
"""

from pathlib import Path
from typing import Any

import pandas as pd

from tasks.report_page.markets import MarketView
from tasks.report_page.wording import Wording
from vesper.night import Night

FORBIDDEN = str.maketrans("[]:*?/\\'", "        ")
SHEET_NAME_LENGTH = 31
WIDTHS = (8, 22, 12, 28, 34)


def people_rows(view: MarketView, words: Wording) -> list[dict[str, Any]]:
    """The people of one market as rows with headings in the page's language."""
    say = words.say
    return [
        {
            say("order to ask"): person.place,
            say("contact"): person.contact_id,
            say("masked name"): person.name or "",
            say("what is missing"): words.fields(person.missing),
            say("best way to ask"): words.channel(person.channel),
        }
        for person in view.people
    ]


def write_workbook(views: list[MarketView], night: Night, words: Wording, target: Path) -> None:
    """Write the sheets; the same night gives the same file."""
    # Text stays text: a name that begins with = is nobody's formula.
    options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
    with pd.ExcelWriter(target, engine="xlsxwriter", engine_kwargs=options) as writer:
        writer.book.set_properties({"title": words.say("People to ask"), "created": night.cutoff_at})
        heading = writer.book.add_format({"bold": True, "font_color": "#16181d", "bottom": 1, "align": "left"})
        for number, view in enumerate(views, start=1):
            _write_sheet(writer, heading, view, words, number)


def _write_sheet(writer: Any, heading: Any, view: MarketView, words: Wording, number: int) -> None:
    frame = pd.DataFrame(people_rows(view, words))
    title = f"{number} {view.market.title(words.language)}".translate(FORBIDDEN)[:SHEET_NAME_LENGTH]
    frame.to_excel(writer, sheet_name=title, index=False)
    sheet = writer.sheets[title]
    for column, (name, width) in enumerate(zip(frame.columns, WIDTHS, strict=True)):
        sheet.write(0, column, name, heading)
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
