"""A market: a group of people, how many there are outside, and how many of them we should know completely (R18..R22)."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.conditions import Condition
from vesper.model.contact_field import MarketField
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


class Start(Strict):
    """Where a target was set out from: what progress is counted from."""

    ratio: Annotated[float, Field(ge=0, le=1.5)]
    """Visibility on that day."""
    on: dt.date
    """The day."""


class Target(Strict):
    """The share to reach, and by when (R22)."""

    ratio: Share
    """Complete profiles over market size; of a field, those who have it over those we know."""
    due_on: dt.date
    """The day it must be reached."""
    start: Annotated[Start | None, Field(alias="from")] = None
    """Where it began, so that progress can be told; without it only the distance is."""

    @model_validator(mode="after")
    def _upwards(self) -> "Target":
        if self.start and self.start.ratio >= self.ratio:
            raise wrong(
                "The target {target} is not above where it began, {start}.",
                "Set a higher target, or correct `from`.",
                target=str(self.ratio),
                start=str(self.start.ratio),
            )
        return self


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
    counts: Literal["contacts", "companies"] = "contacts"
    """What is counted and what `size` is a number of. A company is known by all its contacts in the market together (R117)."""
    required_fields: Annotated[tuple[MarketField, ...], Field(min_length=1)]
    """Fields that make a profile complete (R20)."""
    size: MarketSize
    """How many there are outside."""
    target: Target
    """The visibility to reach."""
    band: Band = Band()
    """The band that counts as good."""
    field_targets: dict[MarketField, Target] = {}
    """Targets of single fields: the share of known profiles that should have it, and by when (R22)."""
    examples: tuple[MemberExample, ...] = ()
    """Contacts that belong or do not."""

    @model_validator(mode="after")
    def _targets_of_required_fields(self) -> "Market":
        for field in self.field_targets:
            if field not in self.required_fields:
                raise wrong(
                    "There is a target for {field}, which the market does not require.",
                    "Add it to required_fields or drop its target.",
                    field=field,
                )
        return self
