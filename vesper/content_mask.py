"""Templates with their Jinja pieces masked, so that Markdown, HTML and CSS are worked on without reading a word as any of them.

What belongs here: cutting a template into pieces, marks for them, and going through masked HTML. What does not: what is made of it
(`content_markup.py`, `content_text.py`, `content_html.py`).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from vesper.content_template import TEXT

COMMENT = re.compile(r"<!--\s*(\S+?)\s*-->")
_KEYWORD = re.compile(r"\{%-?\s*(\w+)")
_NESTING = {"if": 1, "for": 1, "endif": -1, "endfor": -1}


@dataclass(frozen=True)
class Masked:
    """A template whose Jinja pieces are marks, and what each mark stands for."""

    text: str
    pieces: Mapping[str, str]

    def restored(self, text: str) -> str:
        """A text made of the masked one, with the pieces back in it."""
        if not self.pieces:
            return text
        mark = re.compile("|".join(map(re.escape, self.pieces)))
        bare = COMMENT.sub(lambda found: found[1] if found[1] in self.pieces else found[0], text)
        return mark.sub(lambda found: self.pieces[found[0]], bare)

    @property
    def mark(self) -> "re.Pattern[str]":
        """Finds every mark."""
        return re.compile("|".join(map(re.escape, self.pieces)) or r"(?!)")


def masked(template: str, *, is_markdown: bool) -> Masked:
    """Jinja pieces as marks: words as one letter string each; what stands between elements as a comment, which a table cannot push out of itself.

    Comments of Jinja are dropped. A template that cannot be read raises jinja2.TemplateSyntaxError.
    """
    TEXT.parse(template)
    secret = "vx" + hashlib.sha256(template.encode()).hexdigest()[:10]
    out: list[str] = []
    pieces: dict[str, str] = {}
    for kind, piece in _pieces(template):
        if kind == "data":
            out.append(piece)
        elif kind != "comment":
            mark = f"{secret}{len(pieces)}x"
            pieces[mark] = piece
            out.append(f"<!--{mark}-->" if kind == "block" and not is_markdown and not _in_tag("".join(out)) else mark)
    text = "".join(out)
    return Masked(_lone_statements(text, pieces) if is_markdown else text, pieces)


def keyword_of(piece: str) -> str:
    """What a statement does; empty for a word."""
    found = _KEYWORD.match(piece)
    return found[1] if found else ""


def word_of(piece: str) -> str:
    """The word that a piece names and nothing else; empty for any other piece."""
    found = re.fullmatch(r"\{\{-?\s*(\w+)\s*-?\}\}", piece)
    return found[1] if found else ""


class Marks(HTMLParser):
    """Goes through masked HTML and follows how deep in `if` and `for` it stands."""

    def __init__(self, found: Masked) -> None:
        super().__init__(convert_charrefs=True)
        self.found, self.mark, self.depth = found, found.mark, 0

    def step(self, text: str) -> None:
        """Statements in a text open and close."""
        for mark in self.mark.findall(text):
            self.depth += _NESTING.get(keyword_of(self.found.pieces[mark]), 0)

    def handle_data(self, data: str) -> None:
        self.step(data)

    def handle_comment(self, data: str) -> None:
        self.step(data)


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    """(data, variable, block or comment) and the text of each piece, as Jinja itself cuts them."""
    kind, held = "data", ""
    for _line, token, value in TEXT.lex(template):
        if token in ("variable_begin", "block_begin", "comment_begin"):
            kind, held = token.removesuffix("_begin"), value
        elif token in ("variable_end", "block_end", "comment_end"):
            # An end takes the line break behind it along; the mark must not.
            end = value.rstrip("\n")
            yield kind, held + end
            if value != end:
                yield "data", value[len(end) :]
            kind, held = "data", ""
        elif kind == "data":
            yield "data", value
        else:
            held += value


def _in_tag(before: str) -> bool:
    return before.rfind("<") > before.rfind(">")


def _lone_statements(text: str, pieces: Mapping[str, str]) -> str:
    """In Markdown a line of statements alone is a comment of its own, so that it stays outside of paragraphs and lists."""
    blocks = [mark for mark, piece in pieces.items() if piece.startswith("{%")]
    if not blocks:
        return text
    one = "|".join(blocks)
    lone = re.compile(rf"^[ \t]*((?:{one})(?:[ \t]*(?:{one}))*)[ \t]*$", re.MULTILINE)
    return lone.sub(lambda found: re.sub(f"({one})", r"<!--\1-->", found[1]), text)
