"""A goal: a figure with where it stood, where it should stand, and by when; S3 table 1 as definitions (R24, R25).

What belongs here: what a goal names. What does not: how a figure is measured (`vesper/goal.py`), the daily targets of the stages (policy/monitor).
"""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.problem import wrong


class NewContacts(Strict):
    """Contacts that the company first knew in the period."""


class EventCount(Strict):
    """Events of some kinds in the period, machines left out."""

    kind: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Kinds of event; any of them counts."""


class Passed(Strict):
    """Of those who entered a stage in the period, the share that has entered another since."""

    stage: Name
    """Stage that they entered."""
    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Stages that count as the next step."""


class Returned(Strict):
    """Of those who stood in a stage in the period, the share that left it for a better one, e.g. sleeping customers who bought."""

    stage: Name
    """Stage that they stood in."""
    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Stages that count as a return."""


class GoalFigure(Strict):
    """What is measured: exactly one of these."""

    new_contacts: NewContacts | None = None
    """A number of people."""
    events: EventCount | None = None
    """A number of events."""
    passed: Passed | None = None
    """A share of people."""
    returned: Returned | None = None
    """A share of people."""
    monitor: Text | None = None
    """A figure of the monitoring table by its name, e.g. visibility_ratio or open_ratio."""

    @model_validator(mode="after")
    def _one(self) -> "GoalFigure":
        if len(self.model_fields_set) != 1 or self.stated is None:
            words = ", ".join(type(self).model_fields)
            raise wrong("A goal measures exactly one figure.", "Write one of {words}.", words=words)
        return self

    @property
    def stated(self) -> Any:
        """The one that is written."""
        return getattr(self, next(iter(self.model_fields_set)), None)


class Baseline(Strict):
    """Where the figure stood."""

    value: Annotated[float, Field(ge=0)]
    """Its value; a share as 0.25."""
    on: dt.date
    """The last day of the period it is of."""


class Goal(Definition):
    """One goal of the business or of marketing."""

    level: Literal["business", "marketing"]
    """Whose goal it is; a marketing goal says which business goal it serves (R25)."""
    serves: Name | None = None
    """The business goal that a marketing goal is a part of."""
    pain_point: Wording
    """What is wrong today."""
    expected_effect: Wording
    """What reaching it brings."""
    measures: GoalFigure
    """The figure."""
    period: Literal["day", "week", "month", "quarter", "year"] = "year"
    """Stretch of time that the figure covers, ending on the night."""
    baseline: Baseline
    """Where it stood."""
    target: Annotated[float, Field(ge=0)] | None = None
    """Where it should stand: a value; or write grow_by."""
    grow_by: Annotated[float, Field(gt=0, le=10)] | None = None
    """Growth over the baseline: 0.30 is 30 % more."""
    due_on: dt.date
    """The day it must be reached."""

    @model_validator(mode="after")
    def _consistent(self) -> "Goal":
        if (self.target is None) == (self.grow_by is None):
            raise wrong("A goal has either a target or growth.", "Write target or grow_by.")
        if (self.level == "marketing") != bool(self.serves):
            raise wrong(
                "A marketing goal serves a business goal, and a business goal serves none.",
                "Write serves with level: marketing only.",
            )
        if self.reached_at == self.baseline.value:
            raise wrong("The target is where the figure stands already.", "Set another target or baseline.")
        return self

    @property
    def counts(self) -> bool:
        """Whether the figure is a number of something; it is a share otherwise."""
        return isinstance(self.measures.stated, NewContacts | EventCount)

    @property
    def reached_at(self) -> float:
        """The value that reaches the goal."""
        return self.target if self.target is not None else self.baseline.value * (1 + (self.grow_by or 0))
