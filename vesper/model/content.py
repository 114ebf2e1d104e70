"""What a message says: subject and text in each language. A text without the unsubscribe element is no text (R89)."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Strict, Text
from vesper.problem import wrong

Language = Literal["zh_CN", "en"]
ContentWord = Literal["name", "city", "company", "unsubscribe_url"]
CONTENT_WORDS: tuple[str, ...] = get_args(ContentWord)
"""What a template may name; the send stage fills exactly these."""

_WORD = re.compile(r"\{\{-?\s*(\w+)")


def words_used(template: str) -> list[str]:
    """The words that a template names, in their order."""
    return _WORD.findall(template)


class Message(Strict):
    """Subject and text in one language; Jinja templates over the words of CONTENT_WORDS."""

    subject: Annotated[str, Field(min_length=1, max_length=120)]
    """Subject of the mail."""
    text: Text
    """Text of the mail; holds {{ unsubscribe_url }}."""

    @model_validator(mode="after")
    def _can_be_left(self) -> "Message":
        if "unsubscribe_url" not in words_used(self.text):
            raise wrong(
                "The text has no unsubscribe element, so it can never be sent (R89).",
                "Add a line with {{{{ unsubscribe_url }}}}.",
            )
        return self


class Content(Definition):
    """One content in one or more languages."""

    messages: Annotated[dict[Language, Message], Field(min_length=1)]
    """Language -> subject and text."""

    def message(self, language: str) -> Message:
        """The message in a language; the first one written where that language is missing."""
        found = {str(key): message for key, message in self.messages.items()}
        return found.get(language) or next(iter(found.values()))
