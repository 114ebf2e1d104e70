"""The links of a letter's template: found once, each replaced by a word that is filled with the person's own address of it.

What belongs here: which links are followed, and the words that stand for them. What does not: tokens (`vesper/token.py`), keeping the links
(`warehouse/ledger/link.py`), what happens when one is clicked (`intake/click.py`).

Not followed: the company's own words that end in _url (leaving and choosing are nobody's clicks), mailto and tel, addresses with a word of the
person in them (they cannot be kept once for everybody), and a link whose text is its address: it would read as one place and lead to another.
"""

import hashlib
import html
import re
from dataclasses import dataclass

from vesper.content_markup import Parts

ID_LENGTH = 12
TRAP, OPEN = "trap", "open"
"""Ids that stand for no address: a link that no person sees, and the picture that says that a letter was opened."""
MOST = 200
"""Links of one template that are followed."""

_ANCHOR = re.compile(
    r"""(<a\b[^>]*?\bhref\s*=\s*)(["'])(https?://[^"'{}<>\s]+)\2([^>]*>)(?!\s*https?://)""", re.IGNORECASE
)
_BARE = re.compile(r"""https?://[^\s<>"'{}，。；、！？（）]*[^\s<>"'{}，。；、！？（）.,;:!?)\]]""", re.IGNORECASE)
_UNSEEN = '<a href="{{ link_trap }}" style="display:none" tabindex="-1" aria-hidden="true"></a>'
_PICTURE = '<img src="{{ link_open }}" width="1" height="1" alt="" style="display:block;border:0">'
_END = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """An address that a content leads to. `word` is what stands in its template."""

    word: str
    link_id: str
    url: str


SEEN_BY_MACHINES = (Link("link_trap", TRAP, ""), Link("link_open", OPEN, ""))


def link_id(content_id: str, url: str) -> str:
    """The id of an address in a content: the same in every process and for every version of the content that names it."""
    return hashlib.sha256(f"{content_id}\n{url}".encode()).hexdigest()[:ID_LENGTH]


def followed(parts: Parts, content_id: str, *, is_text: bool) -> tuple[Parts, tuple[Link, ...]]:
    """Both templates with words in the place of their links, and the links: also those of the trap and of the picture.

    Args:
        is_text: nobody wrote HTML; then the addresses in the text are the links. Otherwise the text keeps its addresses as people can read them.
    """
    links: dict[str, Link] = {}

    def word_for(written: str) -> str | None:
        url = html.unescape(written)
        if url not in links and len(links) < MOST:
            links[url] = Link(f"link_{len(links)}", link_id(content_id, url), url)
        return links[url].word if url in links else None

    def of_anchor(found: re.Match[str]) -> str:
        word = word_for(found[3])
        return f"{found[1]}{found[2]}{{{{ {word} }}}}{found[2]}{found[4]}" if word else found[0]

    def of_text(found: re.Match[str]) -> str:
        word = word_for(found[0])
        return f"{{{{ {word} }}}}" if word else found[0]

    pattern, replaced = (_BARE, of_text) if is_text else (_ANCHOR, of_anchor)
    text = _BARE.sub(of_text, parts.text) if is_text else parts.text
    whole = Parts(text, _ended(pattern.sub(replaced, parts.html)))
    return whole, (*links.values(), *SEEN_BY_MACHINES)


def _ended(document: str) -> str:
    """The document with what only machines see at its end."""
    ends = list(_END.finditer(document))
    at = ends[-1].start() if ends else len(document)
    return f"{document[:at]}{_UNSEEN}{_PICTURE}{document[at:]}"
