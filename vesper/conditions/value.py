"""Asking one value: is it known, is it among some, does it reach a bound, does it hold some letters.

What belongs here: what `attribute` and `company` share. What does not: which fields there are (`vesper/model/contact_field.py`).
"""

import datetime as dt
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import on
from vesper.conditions.event_filter import Texts
from vesper.model.definition import Strict, Text
from vesper.problem import wrong

WORDS = {"among": "in", "presence": "is"}
QUESTIONS = (("in",), ("is",), ("at_least", "at_most"), ("before", "after"), ("contains",), ("starts_with",))
"""Words that make one question together."""
OF_TEXT, OF_NUMBER, OF_DATE = ("in", "contains", "starts_with"), ("at_least", "at_most"), ("before", "after")


class ValueQuestion(Strict):
    """One question about one value. A value that nobody stated is neither inside nor outside: the answer is unknown, save for `is`."""

    among: Annotated[tuple[Text, ...] | None, Field(alias="in", min_length=1)] = None
    """Accepted values of a text; capitals count."""
    presence: Annotated[Literal["known", "missing"] | None, Field(alias="is")] = None
    """Whether there is a value at all."""
    at_least: int | None = None
    """Smallest number that matches."""
    at_most: int | None = None
    """Largest number that matches."""
    before: dt.date | None = None
    """The date lies before this day, which is not part of it."""
    after: dt.date | None = None
    """The date lies after this day, which is not part of it."""
    contains: Texts | None = None
    """One of these stands somewhere in the text; capitals count."""
    starts_with: Texts | None = None
    """The text begins with one of these; capitals count."""

    @property
    def asked_with(self) -> tuple[str, ...]:
        """The words of the question as they are written."""
        names = ("among", "presence", "at_least", "at_most", "before", "after", "contains", "starts_with")
        return tuple(WORDS.get(name, name) for name in names if getattr(self, name) is not None)

    @property
    def asks_presence(self) -> bool:
        """Whether the question is only if there is a value; its answer is never unknown."""
        return self.presence is not None

    @model_validator(mode="after")
    def _one_question(self) -> "ValueQuestion":
        if not any(set(self.asked_with) <= set(words) and self.asked_with for words in QUESTIONS):
            raise wrong(
                "A field is asked one question; here are {count}.",
                "Write in: [...], or is: known, or is: missing, or bounds. Join several with all:.",
                count=len(self.asked_with),
            )
        return self

    @model_validator(mode="after")
    def _ordered(self) -> "ValueQuestion":
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise wrong(
                "at_least {low} is above at_most {high}: nobody can match.",
                "Swap them or drop one.",
                low=self.at_least,
                high=self.at_most,
            )
        if self.before and self.after and (self.before - self.after).days < 2:
            raise wrong("No day lies between after and before: nobody can match.", "Swap them or drop one.")
        return self


def fitting(question: ValueQuestion, field: str, column: sa.Column[Any]) -> None:
    """Raises the error that `check` shows when the question does not fit the field's type."""
    words = ", ".join(question.asked_with)
    if question.asks_presence:
        return
    if isinstance(column.type, sa.Date):
        _refuse(question, OF_DATE, "{field} is a date; it cannot be asked with {words}.", field, words)
    elif isinstance(column.type, sa.Integer):
        _refuse(question, OF_NUMBER, "{field} is a number; it cannot be asked with {words}.", field, words)
    else:
        _refuse(question, OF_TEXT, "{field} is a text; it cannot be asked with {words}.", field, words)


def _refuse(question: ValueQuestion, fit: tuple[str, ...], what: str, field: str, words: str) -> None:
    if not set(question.asked_with) <= set(fit):
        raise wrong(what, "Ask it with {fit} or is.", field=field, words=words, fit=", ".join(fit))


def holds(question: ValueQuestion, value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """SQL: whether a value answers the question; NULL where the value is missing, unless presence is asked."""
    if question.presence is not None:
        return value.is_(None) if question.presence == "missing" else value.is_not(None)
    if question.among is not None:
        return value.in_(question.among)
    if question.contains is not None:
        return sa.or_(*[sa.func.contains(value, text, type_=sa.Boolean) for text in question.contains])
    if question.starts_with is not None:
        return sa.or_(*[sa.func.starts_with(value, text, type_=sa.Boolean) for text in question.starts_with])
    bounds = [
        *([] if question.at_least is None else [value >= question.at_least]),
        *([] if question.at_most is None else [value <= question.at_most]),
        *([] if question.before is None else [value < on(question.before)]),
        *([] if question.after is None else [value > on(question.after)]),
    ]
    return sa.and_(*bounds)
