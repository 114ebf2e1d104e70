"""The plain text of a mail: made out of its HTML where nobody wrote one, once for each template.

What belongs here: the lines of the text. What does not: HTML (`content_markup.py`), masks (`content_mask.py`).
"""

import re

from vesper.content_mask import Marks, Masked, keyword_of, masked

_BLOCK = frozenset(
    ["p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "tr", "blockquote", "hr", "pre"]
)
_RUNNING = frozenset(["p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "a", "span", "strong", "em", "b", "i"])
"""Elements whose text runs on: a statement inside them has no line of its own."""
_SILENT = frozenset(["style", "title", "head", "script"])


def text_of(found: Masked) -> str:
    """Masked HTML as masked plain text: a line for each block, links with their address behind them, list items with a dash."""
    reader = _Text(found)
    reader.feed(found.text)
    reader.close()
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in "".join(reader.out).split("\n")]
    return _spaced("\n".join(lines), found).strip() + "\n"


def _spaced(text: str, found: Masked) -> str:
    """One blank line between blocks. A statement's own line goes when it is filled, so blank lines stand on one side of it only: what an `if`
    leaves out leaves no hole, and the items of a loop stand together."""
    after = [mark for mark, piece in found.pieces.items() if keyword_of(piece) not in ("", "endfor")]
    before = [mark for mark, piece in found.pieces.items() if keyword_of(piece) == "endfor"]
    for marks, pattern, kept in ((after, r"^({})\n\n+", r"\1\n"), (before, r"\n\n+({})$", r"\n\1")):
        if marks:
            text = re.sub(pattern.format("|".join(marks)), kept, re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text)


def breaks_kept(template: str) -> str:
    """A text whose lines end where they were written: only a line of statements alone goes with its end when it is filled."""
    found = masked(template, is_markdown=True)
    ends = (
        {mark for mark in found.mark.findall(found.text) if re.search(rf"{mark}\n", found.text)}
        if found.pieces
        else set()
    )
    pieces = {
        mark: re.sub(r"[-+]?%\}$", "+%}", piece) if mark in ends and piece.startswith("{%") else piece
        for mark, piece in found.pieces.items()
    }
    return Masked(found.text, pieces).restored(found.text)


class _Text(Marks):
    """Plain text of masked HTML, written to `out`."""

    def __init__(self, found: Masked) -> None:
        super().__init__(found)
        self.out: list[str] = []
        self.silent = self.running = 0
        self.link, self.at = "", 0
        self.counts: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.running += tag in _RUNNING
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BLOCK:
            self.out.append("\n" if tag == "tr" else "\n\n")
            self.counts += [0 if tag == "ol" else None] if tag in ("ol", "ul") else []
        elif tag == "br":
            self.out.append("\n")
        elif tag == "li":
            self.out.append(f"\n{self._bullet()} ")
        elif tag in ("td", "th"):
            self.out.append(" ")
        elif tag == "a":
            self.link, self.at = facts.get("href") or "", len(self.out)
        elif tag == "img" and facts.get("alt"):
            self.out.append(f"[{facts['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        self.running -= tag in _RUNNING and self.running > 0
        if tag in _SILENT:
            self.silent -= 1
        elif tag == "a" and self.link:
            said = "".join(self.out[self.at :]).strip()
            if said != self.link:
                self.out.append(f"：{self.link}" if _is_chinese(said) else f": {self.link}")
            self.link = ""
        elif tag in _BLOCK:
            self.out.append("\n\n" if tag != "tr" else "")
            self.counts = self.counts[:-1] if tag in ("ol", "ul") else self.counts

    def handle_data(self, data: str) -> None:
        self.step(data)
        if not self.silent:
            self.out.append(data.replace("\n", " ") if not data.strip() else re.sub(r"\s*\n\s*", " ", data))

    def handle_comment(self, data: str) -> None:
        self.step(data)
        if data.strip() in self.found.pieces:
            self.out.append(data.strip() if self.running else f"\n{data.strip()}\n")

    def _bullet(self) -> str:
        """What stands before an item: its number, or a dash; a dash too where a loop makes the items."""
        number = self.counts[-1] if self.counts else None
        if number is None or self.depth:
            return "-"
        self.counts[-1] = number + 1
        return f"{number + 1}."


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
