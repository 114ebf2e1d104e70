"""What every definition shares: strict keys, an id (its file stem), an owner, words for people.

What belongs here: the base classes and `Wording`. What does not: any one kind of definition.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from vesper.problem import wrong

LANGUAGES = ("zh_CN", "en")


class Strict(BaseModel):
    """A part of a definition: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Wording(str):
    """Words for people: one text, or one for each language. As a plain string it is the first one written (R111)."""

    texts: Mapping[str, str]

    def __new__(cls, value: "str | Mapping[str, str]") -> "Wording":
        texts = dict(value) if isinstance(value, Mapping) else {}
        wording = super().__new__(cls, next(iter(texts.values()), "") if isinstance(value, Mapping) else value)
        wording.texts = texts
        return wording

    def of(self, language: str) -> str:
        """The text in a language; the first one written where that language is missing."""
        return self.texts.get(language, str(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        plain = core_schema.no_info_plain_validator_function(cls._read)
        serialise = core_schema.plain_serializer_function_ser_schema(lambda wording: wording.texts or str(wording))
        return {**plain, "serialization": serialise}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "minLength": 1}
        by_language = {
            "type": "object",
            "properties": dict.fromkeys(LANGUAGES, text),
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"anyOf": [text, by_language]}

    @classmethod
    def _read(cls, value: Any) -> "Wording":
        texts = value if isinstance(value, Mapping) else {"": value}
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts.values()):
            raise wrong(
                "This must be a text that is not empty.",
                "Write words, or one text for each language: {languages}. Words with a comma or a colon need quotes.",
                languages=", ".join(LANGUAGES),
            )
        if isinstance(value, Mapping) and not set(texts) <= set(LANGUAGES):
            raise wrong(
                "{word} is not a language.",
                "Use {languages}.",
                word=", ".join(sorted(set(texts) - set(LANGUAGES))),
                languages=", ".join(LANGUAGES),
            )
        return cls(value)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""An id as it is written in definitions: lower case letters, digits, underscores."""

Text = Annotated[str, Field(min_length=1)]
"""A text that is not empty."""


class Definition(Strict):
    """One definition, one file. The id is the file's stem and is never written inside it."""

    id: str = ""
    """The file's stem."""
    name: Wording | None = None
    """Short name for lists and reports; the id where it is missing."""
    says: Wording
    """What it is, in one sentence that a colleague understands."""
    owner: Text
    """Who answers for it: a person, a team or a mail address (R102)."""

    def title(self, language: str) -> str:
        """The short name in a language."""
        return self.name.of(language) if self.name else self.id
