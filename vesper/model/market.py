"""A market: a group of people, how many there are outside, and how many of them we should know completely (R18..R22)."""

import datetime as dt
from typing import Annotated

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.contact_field import ContactField
from vesper.model.definition import Definition, Strict, Text
from vesper.model.example import MemberExample
from vesper.problem import wrong

Share = Annotated[float, Field(gt=0, le=1.5)]
Head = Annotated[int, Field(ge=1)]


class MarketSize(Strict):
    """How many there are outside: an estimate, never without its source and date."""

    value: Head
    """People (here: households) in the market."""
    source: Text
    """Who says so."""
    as_of_on: dt.date
    """The day the estimate is of."""
    low: Head | None = None
    """Lowest plausible size."""
    high: Head | None = None
    """Highest plausible size."""

    @model_validator(mode="after")
    def _ordered(self) -> "MarketSize":
        if not (self.low or self.value) <= self.value <= (self.high or self.value):
            raise wrong("The size {value} does not lie between low and high.", "Correct one of them.", value=self.value)
        return self


class Goal(Strict):
    """The visibility to reach, and by when (R22)."""

    ratio: Share
    """Complete contacts over market size."""
    due_on: dt.date
    """The day it must be reached."""


class Band(Strict):
    """The band that counts as good: below it, in it, above it (R19)."""

    low: Share = 0.80
    """Below this the market is not visible enough."""
    high: Share = 0.90
    """Above this more collecting is not worth it."""

    @model_validator(mode="after")
    def _ordered(self) -> "Band":
        if self.low >= self.high:
            raise wrong(
                "The band's low {low} is not below its high {high}.",
                "Write e.g. low: 0.80, high: 0.90.",
                low=str(self.low),
                high=str(self.high),
            )
        return self


class Market(Definition):
    """One market."""

    members: Condition
    """Which of our contacts belong to it."""
    required_fields: Annotated[tuple[ContactField, ...], Field(min_length=1)]
    """Fields that make a profile complete (R20)."""
    size: MarketSize
    """How many there are outside."""
    target: Goal
    """The visibility to reach."""
    band: Band = Band()
    """The band that counts as good."""
    examples: tuple[MemberExample, ...] = ()
    """Contacts that belong or do not."""
