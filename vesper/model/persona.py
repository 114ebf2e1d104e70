"""A persona: a kind of person the company wants to talk to, in words for its people and as a condition for the night (R29, R30).

What belongs here: the shape, how many a product has, and how its fields become a condition. What does not: the warning about the number
(`vesper/checks/group.py`) and what any condition means (`vesper/conditions/`).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.conditions.event_filter import Names, Texts
from vesper.model.condition import Path
from vesper.model.definition import Strict, Text, Wording
from vesper.model.segment import Group
from vesper.model.timing import Window
from vesper.problem import wrong

Words = Annotated[tuple[Text, ...], Field(min_length=1)]

FEWEST, MOST = 3, 6
"""Personas that a product has: fewer see no difference between people, more are not kept in mind (R29)."""


class Range(Strict):
    """From a number to a number, both included; one of them may be left out."""

    starts: Annotated[int | None, Field(alias="from", ge=0)] = None
    """Smallest that belongs."""
    ends: Annotated[int | None, Field(alias="to", ge=0)] = None
    """Largest that belongs."""

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.starts is None and self.ends is None:
            raise wrong("A range needs an end.", "Write from, to, or both.")
        if self.starts is not None and self.ends is not None and self.starts > self.ends:
            raise wrong(
                "from {low} is above to {high}: nobody can match.",
                "Swap them or drop one.",
                low=self.starts,
                high=self.ends,
            )
        return self

    @property
    def bounds(self) -> dict[str, int]:
        """The same as bounds of a condition."""
        found = {"at_least": self.starts, "at_most": self.ends}
        return {word: number for word, number in found.items() if number is not None}


class Ages(Range):
    """Full years, both included; one of them may be left out."""

    starts: Annotated[int | None, Field(alias="from", ge=0, le=150)] = None
    """Youngest that belongs."""
    ends: Annotated[int | None, Field(alias="to", ge=0, le=150)] = None
    """Oldest that belongs."""


class Seen(Strict):
    """Events whose page or search words contain one of some texts. Capitals count."""

    kind: Names
    """Kind of event, or several of which any counts."""
    contains: Texts
    """One of these occurs in the text."""
    at_least: Annotated[int, Field(ge=1)] = 1
    """How often at least."""
    within: Window
    """Window back from the business date, which is its last day, e.g. 90d."""


class Persona(Group):
    """One persona: a description in words, and fields that say which contacts they stand for. All fields that are written must hold."""

    product: Text
    """Product or product line that it is a persona of."""
    gender: Annotated[tuple[Literal["female", "male"], ...] | None, Field(min_length=1)] = None
    """Genders; one of them is the contact's."""
    age: Ages | None = None
    """Full years, from the day of birth, else from the survey's age band."""
    income: Words | None = None
    """Income bands; one of them is the contact's."""
    region: Words | None = None
    """Provinces or cities; the contact lives in one of them."""
    industry: Words | None = None
    """Industries; one of them is that of the contact's company."""
    employee_count: Range | None = None
    """Employees of the contact's company."""
    url: Seen | None = None
    """Pages they visit."""
    keyword: Seen | None = None
    """What they search for."""
    members: Condition | None = None
    """What else must hold; alone where no field is written."""
    interests: Words | None = None
    """What they care about, in words."""
    goals: tuple[Wording, ...] = ()
    """What they want to reach."""
    pains: tuple[Wording, ...] = ()
    """What stands in their way."""

    @model_validator(mode="after")
    def _says_who(self) -> "Persona":
        if not list(self.written()):
            raise wrong(
                "The persona does not say which contacts it stands for.",
                "Write members, or one of {fields}.",
                fields="gender, age, income, region, industry, employee_count, url, keyword",
            )
        return self

    @property
    def condition(self) -> Condition:
        """The fields and `members` joined: every one of them holds."""
        parts = [part for _, part in self.written()]
        return parts[0] if len(parts) == 1 else Condition.model_validate({"all": parts})

    def written(self) -> Iterator[tuple[Path, Condition]]:
        """Each field that says who belongs, as a condition; `members` last."""
        for field, condition in self._fields().items():
            if getattr(self, field) is not None:
                yield (field,), Condition.model_validate(condition)
        if self.members is not None:
            yield ("members",), self.members

    def _fields(self) -> dict[str, dict[str, Any]]:
        """Field -> the condition that a marketer would write for it."""
        places = [{"attribute": {"field": field, "in": self.region}} for field in ("province", "city")]
        staff = self.employee_count.bounds if self.employee_count else {}
        return {
            "gender": {"attribute": {"field": "gender", "in": self.gender}},
            "age": {"age": self.age.bounds if self.age else {}},
            "income": {"attribute": {"field": "income_band", "in": self.income}},
            "region": {"any": places},
            "industry": {"company": {"field": "industry", "in": self.industry}},
            "employee_count": {"company": {"field": "employee_count", **staff}},
            "url": {"events": _events("url", self.url)},
            "keyword": {"events": _events("keyword", self.keyword)},
        }


def _events(text: str, seen: Seen | None) -> dict[str, Any]:
    """The settings of `events`."""
    if seen is None:
        return {}
    return {
        "kind": seen.kind,
        text: {"contains": seen.contains},
        "at_least": seen.at_least,
        "within": seen.within,
    }
