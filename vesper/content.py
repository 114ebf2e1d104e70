"""Filling a content for one person: Jinja in a sandbox, both parts of the mail, nothing personal in an error.

What belongs here: subject, plain text and HTML of one message, compiled once for a content and a language. What does not: the model of a content
(`model/content.py`), what a template may do (`content_template.py`), Markdown and CSS (`content_markup.py`), MIME and headers
(`connectors/channels/`), who gets which variant (`content_variant.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError

from vesper.content_link import Link, followed
from vesper.content_markup import parts
from vesper.content_short import CompiledShort, RenderedShort, compiled_shorts, filled_short
from vesper.content_template import HTML, TEXT, words_of
from vesper.model.content import DEFAULT, Content, Message
from vesper.model.content_short import BROADCASTS, EVERYBODY, SHORTS
from vesper.model.content_word import FIELD_LENGTH, LIST_LENGTH, OUTPUT_LENGTH
from vesper.said import Said

AD_PREFIXES = ("广告", "AD")
_AD = re.compile(r"\s*(广告|AD(?![A-Za-z]))")
# Line breaks would make a second header or paragraph; the others turn the direction of writing, and what one reads is not what is there.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
Words = Mapping[str, Any]
Follow = Callable[[str], str]
"""Id of a link -> the address that leads one person there."""


class ContentError(Said):
    """A content that cannot be filled; its sentence names no person. `reason` is the word for the ledger."""

    reason = "template"


class Oversized(ContentError):
    """A word of one person, or what is made of it, is too long to be one; the messages of others go out."""

    reason = "oversized"


class NoVariant(ContentError):
    """The content says nothing to this person: no variant is written for them, and none for everybody (R79)."""

    reason = "no_variant"


@dataclass(frozen=True)
class Rendered:
    """One message, filled. `html` says the same as `text`."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Compiled:
    """One variant of a content in one language. `words` are those that it names."""

    subject: Template
    text: Template
    html: Template
    words: tuple[str, ...]
    is_marked: bool
    """Whether its own subject begins with 广告 or AD; a name that does is no mark."""
    shorts: Mapping[str, CompiledShort] = field(default_factory=dict)
    """What it says on other channels than mail, by their key."""
    is_mail: bool = True
    """Whether it says anything by mail."""
    links: tuple[Link, ...] = ()
    """What its links are filled with, where they are followed."""


@dataclass(frozen=True)
class Written:
    """A content in one language, compiled: `fill` it for each person. `where` names it in an error."""

    where: str
    language: str
    variants: Mapping[str, Compiled] = field(default_factory=dict)

    @property
    def links(self) -> Mapping[str, str]:
        """Link id -> address of every link that is followed."""
        return {one.link_id: one.url for said in self.variants.values() for one in said.links if one.url}

    def fill(
        self, words: Words, variant: str | None = None, *, is_marketing: bool = True, follow: Follow | None = None
    ) -> Rendered:
        """One person's message. `words` are those of CONTENT_WORDS; `variant` is what the plan chose, None the one for everybody.

        `follow` is needed by a content that was compiled to have its links followed.
        Chinese marketing carries 广告 or AD at the head of its subject, as the rules for mail demand (31号令 article 13).

        Raises:
            NoVariant: nothing is written for this person.
            Oversized: a word or the whole is too long.
            ContentError: an unknown word, forbidden syntax, or a subject that became empty.
        """
        said = self._said(variant)
        own = {word: self._clean(word, words[word]) for word in said.words if word in words}
        if said.links and follow is not None:
            own |= {one.word: follow(one.link_id) for one in said.links}
        subject = " ".join(self._rendered(said.subject, own).split())
        if not subject:
            raise ContentError(
                "{where}: the subject is empty once it is filled. Write words that do not depend on the person.",
                where=self.where,
            )
        if is_marketing and self.language == "zh_CN" and not said.is_marked:
            subject = f"{AD_PREFIXES[0]}：{subject}"
        return Rendered(subject, self._rendered(said.text, own), self._rendered(said.html, own))

    def fill_short(self, words: Words, variant: str | None, channel: str) -> RenderedShort:
        """One person's message on a channel of short words; raises as `fill` does."""
        said = self._said(variant)
        short = said.shorts.get(SHORTS[channel])
        if short is None:
            raise ContentError(
                "{where}: nothing is written for the channel {channel}. Write {key} beside the subject.",
                where=self.where,
                channel=channel,
                key=SHORTS[channel],
            )
        known = EVERYBODY if channel in BROADCASTS else words.keys()
        own = {word: self._clean(word, words[word]) for word in short.words if word in known and word in words}
        return filled_short(short, lambda template: self._rendered(template, own))

    def fill_shorts(self, words: Words, variant: str | None) -> dict[str, str]:
        """What one person would read on each channel of short words, by its key; raises as `fill` does."""
        said = self._said(variant)
        keys = {key: channel for channel, key in SHORTS.items() if key in said.shorts}
        return {key: self.fill_short(words, variant, channel).text for key, channel in keys.items()}

    def _said(self, variant: str | None) -> Compiled:
        said = self.variants.get(variant or DEFAULT)
        if said is None:
            raise NoVariant(
                "{where}: nothing is written for the variant {variant}. Write it, or messages for everybody.",
                where=self.where,
                variant=variant or DEFAULT,
            )
        return said

    def _rendered(self, template: Template, words: Words) -> str:
        try:
            filled = template.render(words)
        except TemplateError as error:
            reason = _masked(str(error.message or error), words)
        except Exception as error:  # a template may do anything
            reason = type(error).__name__
        else:
            if len(filled) > OUTPUT_LENGTH:
                raise self._oversized("text")
            return filled
        raise _unfilled(self.where, reason)

    def _clean(self, word: str, value: Any) -> Any:
        """A word on one line; an entry of a list likewise, and no more entries than are shown."""
        if isinstance(value, str):
            if len(value) > FIELD_LENGTH:
                raise self._oversized(word)
            return value if value.isprintable() else _CONTROL.sub(" ", value)
        if isinstance(value, Sequence):
            return [{key: self._clean(word, text) for key, text in one.items()} for one in value[:LIST_LENGTH]]
        return value

    def _oversized(self, word: str) -> Oversized:
        return Oversized(
            "{where}: {word} of one person is too long for a message. Look at that person's data; the others get theirs.",
            where=self.where,
            word=word,
        )


def written(content: Content, language: str, *, is_followed: bool = False) -> Written:
    """A content compiled for a language; the first one that it is written in where that language is missing.

    Args:
        is_followed: clicks and opens are to be known; each person's letter is then filled with addresses of its own.

    Raises:
        ContentError: a template that cannot be read; `check` refuses it before it comes into force.
    """
    where = f"content/{content.id}.yml"
    found = list(content.written(language)) or list(content.written(content.languages[0]))
    of = content.id if is_followed else None
    variants = {id: _compiled(message, content.style, language, where, of) for id, _path, message in found}
    return Written(where, language, variants)


def render(
    subject: str, text: str, words: Mapping[str, str], *, language: str, is_marketing: bool, where: str
) -> Rendered:
    """Fill one subject and plain text with a person's words; `where` names the content in an error. Raises as `Written.fill` does."""
    message = Message.model_construct(subject=subject, text=text)
    compiled = _compiled(message, None, language, where)
    return Written(where, language, {DEFAULT: compiled}).fill(words, is_marketing=is_marketing)


def _compiled(
    message: Message, style: str | None, language: str, where: str, followed_as: str | None = None
) -> Compiled:
    try:
        return _templates(message, style, language, followed_as)
    except TemplateError as error:
        raise _unfilled(where, str(error.message or error).rstrip(".")) from error


@lru_cache(maxsize=256)
def _templates(message: Message, style: str | None, language: str, followed_as: str | None) -> Compiled:
    both = parts(message, style, language)
    links: tuple[Link, ...] = ()
    if followed_as is not None:
        both, links = followed(both, followed_as, is_text=message.markdown is None and message.html is None)
    subject, shorts = message.subject or "", compiled_shorts(message)
    words = set().union(*(words_of(source) for source in (subject, both.text, both.html)))
    words |= set().union(*(short.words for short in shorts.values()))
    return Compiled(
        TEXT.from_string(subject),
        TEXT.from_string(both.text),
        HTML.from_string(both.html),
        tuple(sorted(words)),
        bool(_AD.match(subject)),
        shorts,
        bool(message.bodies),
        links,
    )


def _unfilled(where: str, reason: str) -> ContentError:
    return ContentError("{where}: the template cannot be filled ({reason}). Correct it.", where=where, reason=reason)


def _masked(sentence: str, words: Words) -> str:
    """A sentence of Jinja without what the words hold."""
    texts = [value for value in words.values() if isinstance(value, str)]
    for value in sorted(filter(None, texts), key=len, reverse=True):
        sentence = sentence.replace(value, "**")
    return sentence.rstrip(".")
