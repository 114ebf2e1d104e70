"""What every condition shares, whatever it asks: the word it is written with, its parts, what it reads.

What belongs here: the base classes. What does not: any one condition (`vesper/conditions/<word>.py`) and the union of them all
(`vesper/conditions/__init__.py`).
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from vesper.model.definition import Strict
from vesper.model.timing import Window
from vesper.problem import wrong

if TYPE_CHECKING:
    import sqlalchemy as sa

    from vesper.conditions import Condition
    from vesper.conditions.people import Asked, People

Step = str | int
Path = tuple[Step, ...]


class ConditionBody:
    """What stands behind the one key of a condition.

    `word` is that key. `feeds` names the kinds of source rows that the condition reads; a hole in one of them makes it unknown (R106).
    """

    word: ClassVar[str]
    feeds: ClassVar[frozenset[str]] = frozenset()

    def parts(self) -> "Iterator[tuple[Path, Condition]]":
        """Conditions inside this one, each with its path from here."""
        yield from ()

    def people(self, asked: "Asked") -> "People":
        """The Select of the contacts for whom the condition is true; each condition has its own."""
        raise NotImplementedError(f"the condition {self.word} has no Select; add one in its file")

    def unknown(self, asked: "Asked") -> "sa.Select[Any] | None":
        """The Select of the contacts (contact_id) for whom it is neither true nor false; None where that cannot be."""
        return None

    def moved(self, asked: "Asked", since: dt.date) -> "Iterator[sa.Select[Any]]":
        """Selects of the contacts (contact_id) for whom time alone may have changed the answer after the night of `since`.

        A fact that left a window, a window that closed, an anniversary. Conditions inside this one are asked for themselves.
        """
        yield from ()

    def event_kinds(self) -> "Iterator[tuple[Path, str]]":
        """Kinds of event that this condition reads, each with its path from here."""
        yield from ()


class OneKey(Strict):
    """A mapping with exactly one key, the condition's word."""

    @model_validator(mode="after")
    def _one_key(self) -> "OneKey":
        if len(self.model_fields_set) != 1:
            raise wrong(
                "A condition has exactly one key; here are {count}.",
                "Join several with all: or any:.",
                count=len(self.model_fields_set),
            )
        if getattr(self, self.word, None) is None:
            raise wrong(
                "The condition {word} has nothing behind it.",
                "Write its settings, or {{}} if it has none.",
                word=self.word,
            )
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield self.word, self.body

    @property
    def word(self) -> str:
        """The key as it is written, e.g. `orders` or `not`."""
        return next(iter(self.model_fields_set))

    @property
    def body(self) -> Any:
        """The model behind the key."""
        return getattr(self, self.word)

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, ConditionBody]]:
        """This condition and every one inside it, each with its path."""
        here = (*path, self.word)
        yield here, self.body
        for inner, part in self.body.parts():
            yield from part.walk((*here, *inner))

    @property
    def feeds(self) -> frozenset[str]:
        """Kinds of source rows that this condition reads, through all its parts (not through other segments)."""
        return frozenset[str]().union(*(body.feeds for _, body in self.walk()))


class Counted(Strict):
    """A count with a lower and an upper bound. With neither bound it means: at least once."""

    at_least: Annotated[int, Field(ge=0)] | None = None
    """Smallest count that matches; 1 where neither bound is given."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """Largest count that matches; 0 means: never in the window."""

    @model_validator(mode="after")
    def _ordered(self) -> "Counted":
        if self.at_most is not None and self.minimum > self.at_most:
            raise wrong(
                "at_least {low} is above at_most {high}: nobody can match.",
                "Swap them or drop one.",
                low=self.minimum,
                high=self.at_most,
            )
        return self

    @property
    def minimum(self) -> int:
        """Smallest count that matches. Contacts with no row at all match when it is 0."""
        if self.at_least is not None:
            return self.at_least
        return 1 if self.at_most is None else 0


class CountedInWindow(Counted):
    """A count over a window of company days."""

    within: Window | None = None
    """Window back from the business date, which is its last day, e.g. 7d or 6 months; all time where it is missing."""


class Amount(Strict):
    """A sum of money with bounds over a window."""

    at_least: Annotated[Decimal, Field(ge=0)] | None = None
    """Smallest sum that matches, in the company's currency."""
    at_most: Annotated[Decimal, Field(ge=0)] | None = None
    """Largest sum that matches; who bought nothing has a sum of 0."""
    within: Window | None = None
    """Window back from the business date, which is its last day, e.g. 7d or 6 months; all time where it is missing."""

    @model_validator(mode="after")
    def _bounded(self) -> "Amount":
        if self.at_least is None and self.at_most is None:
            raise wrong("A sum needs a bound.", "Write at_least or at_most.")
        return self
