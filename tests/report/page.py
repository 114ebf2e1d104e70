"""A report page read as a person reads it: its sections, and in each its tables as rows of cells."""

import re
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """`tables["score"][0]` is the first table of the section `score`; a cell's parts are joined by ` | `."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.texts: dict[str, str] = {}
        self._section = ""
        self._cell: list[str] | None = None
        self._silent = 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self._section = dict(attrs).get("id") or ""
            self.tables[self._section], self.texts[self._section] = [], ""
        elif tag == "table":
            self.tables[self._section].append([])
        elif tag == "tr":
            self.tables[self._section][-1].append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag in ("script", "style"):
            self._silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._section = ""
        elif tag in ("td", "th") and self._cell is not None:
            self.tables[self._section][-1][-1].append(" | ".join(self._cell))
            self._cell = None
        elif tag in ("script", "style"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", data).strip()
        if not text or self._silent:
            return
        if self._cell is not None:
            self._cell.append(text)
        if self._section:
            self.texts[self._section] += f"{text} "

    def rows(self, section: str, place: int = 0) -> list[list[str]]:
        """The rows of one table, without its headings."""
        return self.tables[section][place][1:]
