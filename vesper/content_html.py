"""What the HTML of a mail may hold, and the way out that everybody must have (R89).

What belongs here: looking through a message as somebody gets it. What does not: what one template may do (`content_template.py`), making the HTML
(`content_markup.py`).
"""

import re
from collections.abc import Iterator, Mapping

from vesper.content_markup import lines_before, masked_html
from vesper.content_mask import Marks, Masked, word_of
from vesper.content_template import Fault, is_always_said
from vesper.model.content import Message
from vesper.model.content_word import LINKS, UNSUBSCRIBE

FORBIDDEN = frozenset(
    [
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "link",
        "base",
        "svg",
        "math",
        "frame",
        "frameset",
        "template",
        "noscript",
    ]
)
"""Elements that mail programs drop or warn of, or that would fetch something."""
OF_LINKS = frozenset(
    ["href", "src", "action", "background", "poster", "srcset", "xlink:href", "formaction", "cite", "longdesc"]
)
_SCHEME = re.compile(r"\s*(https?:|mailto:|tel:|#|cid:|data:image/(png|jpeg|gif)[;,])", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def _(text: str) -> str:
    """Marks a message id; it is translated when the problem is shown."""
    return text


def html_faults(message: Message, language: str) -> Iterator[Fault]:
    """What the HTML of a message may not hold, and a missing link to unsubscribe. `message` has no block marks left in it; its templates can be read."""
    if message.text and not is_always_said(message.text, UNSUBSCRIBE):
        what = _("Not everybody would get the unsubscribe element (R89).")
        yield Fault(1, what, _("Write it outside of if and for."), part="text")
    if message.markdown is None and message.html is None:
        return
    found = masked_html(message, language)
    look = _Look(found, lines_before(message))
    look.feed(found.text)
    look.close()
    yield from look.faults
    if not look.can_be_left:
        what = _("The HTML part has no link to unsubscribe that everybody gets (R89).")
        instead = _('Write [退订]({{ unsubscribe_url }}) or <a href="{{ unsubscribe_url }}">, outside of if and for.')
        yield Fault(1, what, instead)


class _Look(Marks):
    """What stands in a mail's HTML. `before` are the lines of the document that are not the message's; None where lines say nothing of its text."""

    def __init__(self, found: Masked, before: int | None) -> None:
        super().__init__(found)
        self.before = before
        self.faults: list[Fault] = []
        self.can_be_left = False
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag in FORBIDDEN or self.mark.search(tag):
            self._fault(
                _("A mail holds no element {word}."), _("Take it out; mail programs drop it."), self._plain(tag)
            )
        if self.mark.search(_QUOTED.sub("", (self.get_starttag_text() or "").partition("=")[2])):
            self._fault(_("A word stands in an attribute without quotes."), _("Put quotes around it."), "")
        for name, value in attrs:
            self._attribute(tag, name, value or "", dict(attrs))

    def _attribute(self, tag: str, name: str, value: str, beside: Mapping[str, str | None]) -> None:
        if name.startswith("on") or self.mark.search(name):
            self._fault(
                _("A mail holds no attribute {word}."), _("Take it out; mail programs drop it."), self._plain(name)
            )
        if name == "style" and self.mark.search(value):
            self._fault(_("A word stands in a style."), _("Write the style out."), "")
        if name in OF_LINKS and value.strip():
            self._link(tag, value, "display:none" in (beside.get("style") or "").replace(" ", ""))

    def _link(self, tag: str, value: str, is_hidden: bool) -> None:
        first = self.mark.match(value.strip())
        word = word_of(self.found.pieces[first[0]]) if first else ""
        if first and word not in LINKS:
            what = _("The address of a link begins with {word}.")
            self._fault(
                what, _("It begins with https:// or with one of the words that end in _url."), self._plain(first[0])
            )
        elif not first and not _SCHEME.match(value):
            what = _("{word} is no address that a mail can open.")
            self._fault(what, _("Write the whole address, with https://."), self._plain(value)[:40])
        if tag == "a" and word == UNSUBSCRIBE and self.depth == 0 and not is_hidden:
            self.can_be_left = True

    def handle_data(self, data: str) -> None:
        if self.inside in ("style", "title") and self.mark.search(data):
            self._fault(_("A word stands in an element {word}."), _("Take it out."), self.inside)
        self.step(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def _fault(self, what: str, instead: str, word: str) -> None:
        line = 1 if self.before is None else self.getpos()[0] - self.before
        self.faults.append(Fault(line, what, instead, {"word": word}))

    def _plain(self, text: str) -> str:
        return self.found.restored(text)
