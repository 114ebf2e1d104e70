"""From a message's bodies to the templates of its two parts: Markdown to HTML, CSS into the elements. Once for each template, never for a person:
what a template names is masked meanwhile, so that no word of a person is ever read as Markdown, HTML or CSS.

What belongs here: the HTML document of a mail. What does not: masks (`content_mask.py`), its text (`content_text.py`), what it may hold
(`content_html.py`), filling (`content.py`).
"""

import html
from dataclasses import dataclass
from functools import lru_cache

import css_inline
from markdown_it import MarkdownIt

from vesper.content_mask import COMMENT, Masked, masked, word_of
from vesper.content_text import breaks_kept, text_of
from vesper.model.content import Message
from vesper.model.content_word import LINKS

STYLE = (
    "body{margin:0 auto;padding:16px;max-width:640px;font:16px/1.6 -apple-system,'PingFang SC','Microsoft YaHei',Arial,sans-serif;color:#222}"
    "h1{font-size:22px;line-height:1.3}h2{font-size:18px}a{color:#0a58ca}hr{border:0;border-top:1px solid #ddd;margin:24px 0}"
    "table{border-collapse:collapse}td,th{padding:4px 12px 4px 0;text-align:left}"
)
"""How a mail in Markdown looks; a content's own style is laid over it."""
_MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table")


@dataclass(frozen=True)
class Parts:
    """The two parts of a mail as Jinja sources; `html` is a whole document with its CSS in the elements."""

    text: str
    html: str


@lru_cache(maxsize=256)
def parts(message: Message, style: str | None, language: str) -> Parts:
    """The templates of both parts; `message` has no block marks left in it."""
    if message.markdown is None and message.html is None:
        text = message.text or ""
        return Parts(breaks_kept(text), html_of_text(text, language))
    whole = masked_html(message, language)
    inlined = Masked(_inlined(whole.text, style, is_plain=message.markdown is not None), whole.pieces)
    return Parts(breaks_kept(message.text or whole.restored(text_of(whole))), inlined.restored(inlined.text))


def html_of_text(text: str, language: str) -> str:
    """The HTML template of a plain text: everything escaped, blank lines between paragraphs, the addresses it names as links."""
    found = masked(text, is_markdown=True)
    escaped = html.escape(COMMENT.sub(r"\1", found.text).strip())
    for mark, piece in found.pieces.items():
        if word_of(piece) in LINKS:
            escaped = escaped.replace(mark, f'<a href="{mark}">{mark}</a>')
    paragraphs = "\n".join(f"<p>{part.strip()}</p>" for part in escaped.replace("\r", "").split("\n\n") if part.strip())
    body = paragraphs.replace("\n", "<br>\n").replace("</p><br>\n", "</p>\n")
    return found.restored(document(body, language))


def masked_html(message: Message, language: str) -> Masked:
    """The whole document of a message in Markdown or HTML, masked, CSS not yet in the elements."""
    if message.markdown is not None:
        found = masked(message.markdown, is_markdown=True)
        return Masked(document(_MARKDOWN.render(found.text), language), found.pieces)
    found = masked(message.html or "", is_markdown=False)
    is_whole = "<html" in found.text.lower()
    return found if is_whole else Masked(document(found.text, language), found.pieces)


def lines_before(message: Message) -> int | None:
    """Lines that `_document` puts before the message's own HTML."""
    if message.markdown is not None:
        return None
    return 0 if "<html" in (message.html or "").lower() else document("\0", "").partition("\0")[0].count("\n")


def document(body: str, language: str) -> str:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f'<!doctype html>\n<html lang="{language.replace("_", "-")}"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _inlined(document: str, style: str | None, *, is_plain: bool) -> str:
    """CSS in the elements; rules for narrow screens stay a style sheet. Nothing is fetched."""
    sheets = "".join(filter(None, [STYLE if is_plain else "", style]))
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, extra_css=sheets or None)
    return inliner.inline(document)
