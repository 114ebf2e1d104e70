"""A campaign: to whom, what, why, how many at most. It cannot start without a whole brief (R72)."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict, Text
from vesper.problem import wrong

Channel = Literal["email"]
"""Channels that have an adapter. Another adapter adds its word here (R84)."""


class CallToAction(Strict):
    """What the person is asked to do, and what it brings them."""

    what: Text
    """What to do."""
    benefit: Text
    """What the person gets."""


class Brief(Strict):
    """The campaign brief: every line is needed (R72)."""

    persona: Text
    """Who is spoken to."""
    message: Text
    """What they should remember."""
    cta: CallToAction
    """The call to action."""
    stages: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Lifecycle stages it speaks to; others are skipped with a reason (R83)."""
    timing: Text
    """Why now, and when."""
    goal: Text
    """What it should bring, in a number."""


class Campaign(Definition):
    """One campaign on one channel to one segment."""

    series: Text
    """Campaign series that its leads and effects roll up to (R71)."""
    state: Literal["draft", "full", "stopped"] = "draft"
    """Only `full` makes messages."""
    brief: Brief
    """The campaign brief."""
    segment: Name
    """Segment that it is sent to."""
    channel: Channel
    """Channel it is sent on."""
    content: Name
    """Content that it sends."""
    purpose: Literal["requested", "operational", "marketing"]
    """Class of its messages: consent and caps bind marketing; unsubscribe and suppression bind all but operational."""
    max_people: Annotated[int, Field(ge=1)]
    """Beyond so many people it holds and says so (R107)."""
    starts_on: dt.date
    """First night that makes messages."""
    ends_on: dt.date
    """Last night that makes messages."""

    @model_validator(mode="after")
    def _ordered(self) -> "Campaign":
        if self.starts_on > self.ends_on:
            raise wrong(
                "The campaign ends on {ends}, before it starts on {starts}.",
                "Swap the two dates.",
                ends=self.ends_on.isoformat(),
                starts=self.starts_on.isoformat(),
            )
        return self
