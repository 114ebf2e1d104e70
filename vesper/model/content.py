"""What a message says: subject and body in each language, and other words for some people. A text without the unsubscribe element is no text (R89).

What belongs here: the shape. What does not: which words there are (`content_word.py`), filling (`vesper/content.py`), what a template may do
(`vesper/content_template.py`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.condition import Path
from vesper.model.content_short import SHORTS, ShortMessage
from vesper.model.content_word import CONTENT_WORDS, UNSUBSCRIBE
from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.problem import wrong

__all__ = ["BLOCK", "BODIES", "CONTENT_WORDS", "DEFAULT", "SUBJECT", "Content", "Language", "Message", "Variant"]

Language = Literal["zh_CN", "en"]
DEFAULT = "default"
"""The variant of whom no other one is written for."""
SUBJECT = "subject"
"""The block that every message has: its subject."""
BODIES = ("text", "markdown", "html")

_WORD = re.compile(r"\{\{-?\s*(\w+)")
BLOCK = re.compile(r"\{%-?\s*block\s+(\w+)\s*-?%\}(.*?)\{%-?\s*endblock(?:\s+\w+)?\s*-?%\}", re.DOTALL)


def words_used(template: str) -> list[str]:
    """The words that a template names, in their order."""
    return _WORD.findall(template)


class Message(Strict):
    """Subject and body in one language; Jinja templates over the words of CONTENT_WORDS.

    The body is a text, or Markdown or HTML with a text beside it. Where the text is missing it is derived from the other. A channel of short
    words has its own beside them; only what is sent needs to be written.
    """

    subject: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """Subject of the mail."""
    text: Text | None = None
    """Plain text of the mail; holds {{ unsubscribe_url }}."""
    markdown: Text | None = None
    """The mail in Markdown; holds [unsubscribe]({{ unsubscribe_url }})."""
    html: Text | None = None
    """The mail in HTML; holds a link to {{ unsubscribe_url }}."""
    sms: ShortMessage | None = None
    """What the channel sms says."""
    wechat: ShortMessage | None = None
    """What a template message of WeChat says; for service alone."""
    wechat_mass: ShortMessage | None = None
    """What a mass message of the official account says; the same to everybody."""
    wecom: ShortMessage | None = None
    """What employees are asked to send to their customers in WeCom; the same to everybody."""
    push: ShortMessage | None = None
    """What the app shows; the gateway gets the parameters beside the text, e.g. title and link."""

    @model_validator(mode="after")
    def _has_a_body(self) -> "Message":
        if not self.bodies and not self.shorts:
            raise wrong("The message has no body.", "Write text, markdown or html.")
        if self.bodies and not self.subject:
            raise wrong("The message has a body and no subject.", "Write subject.")
        if self.markdown and self.html:
            raise wrong("The message has two bodies, markdown and html.", "Keep one of them.")
        return self

    @model_validator(mode="after")
    def _can_be_left(self) -> "Message":
        if any(UNSUBSCRIBE not in words_used(body) for body in self.bodies.values()):
            raise wrong(
                "The text has no unsubscribe element, so it can never be sent (R89).",
                "Add a line with {{{{ unsubscribe_url }}}}.",
            )
        return self

    @property
    def bodies(self) -> dict[str, str]:
        """The bodies that are written, by their key."""
        found = {key: getattr(self, key) for key in BODIES}
        return {key: body for key, body in found.items() if body}

    @property
    def shorts(self) -> dict[str, ShortMessage]:
        """The words of other channels than mail that are written, by their key."""
        found = {key: getattr(self, key) for key in SHORTS.values()}
        return {key: short for key, short in found.items() if short}

    def says_on(self, channel: str) -> bool:
        """Whether something is written for a channel."""
        return SHORTS[channel] in self.shorts if channel in SHORTS else bool(self.bodies)

    @property
    def blocks(self) -> dict[str, str]:
        """What a variant may say in other words: block -> its text, the subject among them."""
        subject = {SUBJECT: self.subject} if self.subject else {}
        return subject | {name: text for body in self.bodies.values() for name, text in BLOCK.findall(body)}

    def saying(self, blocks: Mapping[str, str]) -> "Message":
        """The message with some blocks in other words, and no block marks left in it. What it then lacks is for `check` to say."""

        def said(found: re.Match[str]) -> str:
            return blocks.get(found[1], found[2])

        bodies = {key: BLOCK.sub(said, body) for key, body in self.bodies.items()}
        return self.model_copy(update={**bodies, "subject": blocks.get(SUBJECT, self.subject)})


class Variant(Strict):
    """Other words for the people of a condition (R79): whole messages, or some blocks of the content's own."""

    id: Name
    """The variant's word, e.g. shanghai_event; it stands in the ledger with each message."""
    says: Wording | None = None
    """Whom it is for and why."""
    when: Condition | None = None
    """Holds for the people it is written for, by region, industry, size or purchases; the first variant that holds is theirs. Without it only
    an experiment gives it."""
    messages: dict[Language, Message] = {}
    """Language -> a whole message of its own."""
    blocks: dict[Language, dict[Name, Text]] = {}
    """Language -> block of the content's message -> other words for it; `subject` is one of the blocks."""

    @model_validator(mode="after")
    def _differs(self) -> "Variant":
        if self.id == DEFAULT:
            raise wrong("No variant can be called default: that is who matches none.", "Give it another id.")
        if bool(self.messages) == bool(self.blocks):
            raise wrong(
                "A variant says either whole messages or some blocks in other words.",
                "Write messages or blocks, not both.",
            )
        return self


class Content(Definition):
    """One content in one or more languages, with variants for some people."""

    messages: dict[Language, Message] = {}
    """Language -> what everybody gets whom no variant is written for. Without it they get nothing: `no_variant`."""
    style: Text | None = None
    """CSS of the mail; it is written into the elements once, because mail programs drop style sheets."""
    variants: tuple[Variant, ...] = ()
    """Other words for some people, the first that holds."""
    recommends: Name | None = None
    """Recommendation that fills the word `recommended`; without one that word is empty (R118)."""

    @model_validator(mode="after")
    def _whole(self) -> "Content":
        if not self.messages and not any(variant.messages for variant in self.variants):
            raise wrong("The content has no message.", "Write messages, by language.")
        ids = [variant.id for variant in self.variants]
        if len(set(ids)) < len(ids):
            raise wrong("Two variants have the same id.", "Give each variant its own id.")
        return self

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages it is written in, the first one being where a missing one is taken from."""
        first = self.messages or next(variant.messages for variant in self.variants if variant.messages)
        return tuple(str(language) for language in first)

    def message(self, language: str) -> Message:
        """What everybody gets in a language whom no variant is written for; the first one written where that language is missing."""
        found = {str(key): message for key, message in self.messages.items()}
        return found.get(language) or next(iter(found.values()))

    def written(self, language: str) -> Iterator[tuple[str, Path, Message]]:
        """Each variant in a language with its place in the text, DEFAULT first: as the person gets it, blocks filled in.

        A variant without that language says nothing in it.
        """
        own = {str(key): message for key, message in self.messages.items()}.get(language)
        if own:
            yield DEFAULT, ("messages", language), own.saying({})
        for place, variant in enumerate(self.variants):
            path: Path = ("variants", place)
            whole = {str(key): message for key, message in variant.messages.items()}.get(language)
            blocks = {str(key): blocks for key, blocks in variant.blocks.items()}.get(language)
            if whole:
                yield variant.id, (*path, "messages", language), whole.saying({})
            elif own and blocks:
                yield variant.id, (*path, "blocks", language), own.saying(blocks)
