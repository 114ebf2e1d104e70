"""Filling the words of a channel that is no mail: a text, and the parameters of the provider's own template.

What belongs here: that filling. What does not: its shape (`model/content_short.py`), signature and way out of a short message (`sms.py`), mail
(`content.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Template

from vesper.content_template import TEXT, words_of
from vesper.model.content import Message
from vesper.model.content_short import ShortMessage


@dataclass(frozen=True)
class CompiledShort:
    """The words of one channel, compiled. `words` are those that they name."""

    text: Template
    template: str
    params: Mapping[str, Template]
    words: frozenset[str]


@dataclass(frozen=True)
class RenderedShort:
    """The same, filled: every text on one line."""

    text: str
    template: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def compiled_shorts(message: Message) -> dict[str, CompiledShort]:
    """The words of every channel that a message has, by their key. Raises jinja2.TemplateError."""
    return {key: _compiled(short) for key, short in message.shorts.items()}


def filled_short(short: CompiledShort, rendered: Callable[[Template], str]) -> RenderedShort:
    """One person's; `rendered` fills one template and raises where it cannot be."""
    params = {name: _one_line(rendered(template)) for name, template in short.params.items()}
    return RenderedShort(_one_line(rendered(short.text)), short.template, params)


def _compiled(short: ShortMessage) -> CompiledShort:
    words: set[Any] = set().union(*(words_of(source) for source in short.sources.values()))
    params = {name: TEXT.from_string(value) for name, value in short.params.items()}
    return CompiledShort(TEXT.from_string(short.text), short.template or "", params, frozenset(words))


def _one_line(text: str) -> str:
    """Providers refuse line breaks in parameters, and a text of seventy characters needs none."""
    return " ".join(text.split())
