"""What a journey may ask of somebody who is on it: every condition of the language, and what happened since a step (R73, R81).

What belongs here: the words and their settings. What does not: when they came true (`vesper/journey/reached.py`).

`happened`, `opened` and `clicked` are exact: they know the instant at which they came true, whenever the program looks. A condition of the
language says how things stand on the night that looks.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, RootModel, create_model

from vesper.conditions import BODIES, Condition
from vesper.conditions.event_filter import EventFilter
from vesper.model.condition import OneKey, Path
from vesper.model.definition import Name, Strict
from vesper.model.timing import Duration

ENTRY, END = "entry", "end"
"""Words for the two places of a journey that are no steps."""
JOINING = ("all", "any", "not")
OF_A_MESSAGE = {"opened": "mail_opened", "clicked": "mail_clicked"}
"""Reactions to the message of a step, by the kind of event that tells of them."""
OF_A_STEP = ("sent", "opened", "clicked", "refused", "redeemed", "closed")


class Happened(Strict):
    """Something the person did after coming to a step, or after entering."""

    event: EventFilter
    """What counts."""
    since: Name = ENTRY
    """Step after whose beginning it counts, or `entry`. The instant itself is not after it."""
    at_least: Annotated[int, Field(ge=1)] = 1
    """How often it must have happened."""
    within: Duration | None = None
    """How long after that it may have happened; any time where it is missing."""


class AllOf(RootModel[Annotated[tuple["When", ...], Field(min_length=1)]], frozen=True):
    """Every one of these."""


class AnyOf(RootModel[Annotated[tuple["When", ...], Field(min_length=1)]], frozen=True):
    """At least one of these."""


class NotSo(RootModel["When"], frozen=True):
    """This is not so. What is unknown is unknown here, too."""


class Asked(OneKey):
    """One key, and behind it what is asked."""

    @property
    def condition(self) -> Condition | None:
        """The condition of the language that it is; None where it asks about the journey."""
        return (
            Condition.model_construct(_fields_set={self.word}, **{self.word: self.body}) if self.is_condition else None
        )

    @property
    def is_condition(self) -> bool:
        """Whether it is a condition of the language by itself."""
        return self.word in BODIES and self.word not in JOINING

    def each(self, path: Path = ()) -> "Iterator[tuple[Path, Asked]]":
        """This and everything inside it, each with its path in the text."""
        here = (*path, self.word)
        yield here, self
        if self.word in ("all", "any"):
            for place, part in enumerate(self.body.root):
                yield from part.each((*here, place))
        if self.word == "not":
            yield from self.body.root.each(here)

    @property
    def steps(self) -> Iterator[tuple[Path, str]]:
        """Steps that it names, each with its path."""
        for path, part in self.each():
            if part.word == "happened" and part.body.since != ENTRY:
                yield (*path, "since"), part.body.since
            elif part.word in OF_A_STEP:
                yield path, part.body

    @property
    def kinds(self) -> Iterator[tuple[Path, str]]:
        """Kinds of event by which it is exact, each with its path."""
        for path, part in self.each():
            if part.word == "happened":
                yield from (((*path, "event", *inner), kind) for inner, kind in part.body.event.kinds)
            elif part.word in OF_A_MESSAGE:
                yield path, OF_A_MESSAGE[part.word]


def _exactly_one(schema: dict[str, Any]) -> None:
    """Editors are told: one key, and which body stands behind it."""
    schema["minProperties"] = schema["maxProperties"] = 1
    for name, entry in schema["properties"].items():
        choices = [choice for choice in entry["anyOf"] if choice.get("type") != "null"]
        schema["properties"][name] = {**choices[0], **{k: v for k, v in entry.items() if k == "description"}}


_WORDS: dict[str, tuple[Any, str]] = {
    "all": (AllOf, "Every one of these."),
    "any": (AnyOf, "At least one of these."),
    "not": (NotSo, "This is not so."),
    "happened": (Happened, "What the person did after coming to a step."),
    "sent": (Name, "The step's message was taken by the server, or may have been."),
    "opened": (Name, "The step's message was opened."),
    "clicked": (Name, "A link in the step's message was clicked."),
    "refused": (Name, "The step gave nothing: no consent, a cap, no coupon left."),
    "redeemed": (Name, "The coupon that the step gave was redeemed."),
    "closed": (Name, "The task that the step opened was closed."),
}

if TYPE_CHECKING:
    When = Asked
else:
    _conditions = {word: (body | None, None) for word, body in BODIES.items() if word not in JOINING}
    _own = {word: (kind | None, Field(default=None, description=says)) for word, (kind, says) in _WORDS.items()}
    When = create_model(
        "When",
        __base__=Asked,
        __module__=__name__,
        __doc__="What is asked of somebody on a journey: one key, e.g. happened or segment, and its settings.",
        **_own,
        **_conditions,
    )
    When.model_config["json_schema_extra"] = _exactly_one
    for _body in (AllOf, AnyOf, NotSo):
        _body.model_rebuild(force=True, _types_namespace={"When": When})
    When.model_rebuild(force=True)


def is_exact(when: Asked) -> bool:
    """Whether it knows the instant at which it comes true for good, so that it may end a wait: it holds no `not`."""
    return all(part.word != "not" for _, part in when.each())


__all__ = [
    "END",
    "ENTRY",
    "OF_A_MESSAGE",
    "OF_A_STEP",
    "AllOf",
    "AnyOf",
    "Asked",
    "BaseModel",
    "Happened",
    "NotSo",
    "When",
    "is_exact",
]
