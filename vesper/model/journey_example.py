"""Examples of a journey: one invented person, what they do day by day, and what they get for it (R75).

What belongs here: the shape. What does not: playing them (`tests/journeys/` does, through the same engine as the night and the tick).

Days count from 1. What stands under `given` was so before day 1.
"""

from typing import Annotated, Literal

from pydantic import Field

from vesper.model.definition import Name, Strict, Text
from vesper.model.example import EventFact, Given, OrderFact
from vesper.model.timing import ClockTime, WrittenTime


class Day(WrittenTime):
    """A day of the example: `day 1` is its first."""

    pattern = r"day [1-9]\d{0,3}"
    example = "day 1"

    @property
    def number(self) -> int:
        return int(self.removeprefix("day "))


class Happening(EventFact):
    """One thing the person does on a day."""

    on: Day  # type: ignore[assignment]
    """Day it happens."""
    message: Text | None = None
    """Step whose message led to it."""


class Purchase(OrderFact):
    """One order of one line on a day."""

    on: Day  # type: ignore[assignment]
    """Day of the order."""


class Outcome(Strict):
    """What the person gets at one step."""

    on: Day
    """Day on which they come to the step."""
    at: ClockTime | None = None
    """Time of day at which they come to it; any where it is missing."""
    step: Name
    """The step."""
    gets: Text | None = None
    """Content, pool or kind of task that they get, of a content by a matrix the matrix's id; `nothing` and a reason where they get none."""
    reason: Name | None = None
    """Why they get nothing."""


class JourneyExample(Strict):
    """One person through the journey. What is not expected does not come."""

    says: Text | None = None
    """Why this case is worth a test."""
    given: Given = Given()
    """The person before day 1. Without an email field they have an address; without a stage, the first one of the brief."""
    consents: bool = True
    """Whether they agreed to be written to."""
    happens: tuple[Happening, ...] = ()
    """What they do."""
    orders: tuple[Purchase, ...] = ()
    """What they buy."""
    days: Annotated[int, Field(ge=1, le=800)] = 30
    """How many days are played."""
    expect: tuple[Outcome, ...]
    """Every message, coupon and task, in its order; [] for none."""
    ends: Literal["done", "goal", "exited", "expired", "active", "never_entered"] | None = None
    """How it ends for them on the last day; not looked at where it is missing."""
