"""What campaigns and journeys share: a series, a whole brief, a state of rollout, limits, dates (R71, R72, R99, R101, R107)."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.definition_set import DefinitionSet
from vesper.model.definition import Definition, Name, Strict, Text
from vesper.model.timing import Duration, Hours
from vesper.problem import wrong

Channel = Literal["email", "webhook", "sms", "wechat", "wechat_mass", "wecom", "push"]
"""Channels that have an adapter. Another adapter adds its word here (R84)."""

Purpose = Literal["requested", "operational", "marketing"]
"""Class of a message: consent and caps bind marketing; unsubscribe and suppression bind all but operational."""

RUNNING = ("pilot", "partial", "full")
"""States that make messages, each for more people than the one before."""


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


class Pilot(Strict):
    """Who alone is reachable in state `pilot` (R99)."""

    segment: Name | None = None
    """Segment of test contacts."""
    contacts: tuple[Text, ...] = ()
    """Test contacts by id."""
    people: Annotated[int, Field(ge=1, le=200)] = 200
    """So many at most, over all nights; of the audience, where neither a segment nor contacts are named: the same ones every night."""

    @property
    def names_people(self) -> bool:
        """Whether test contacts are named; otherwise the first of the audience are the pilot."""
        return bool(self.segment or self.contacts)


class Outreach(Definition):
    """A campaign or a journey. Its id is unique over both kinds, because messages name it."""

    series: Text
    """Campaign series that its leads and effects roll up to (R71)."""
    state: Literal["draft", "pilot", "partial", "full", "stopped"] = "draft"
    """`pilot`, `partial` and `full` make messages; `stopped` lets nothing leave any more (R101)."""
    brief: Brief
    """The campaign brief."""
    purpose: Purpose
    """Class of its messages: consent and caps bind marketing; unsubscribe and suppression bind all but operational."""
    pilot: Pilot = Pilot()
    """Who is reachable in state `pilot`."""
    partial: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the audience in state `partial`, chosen by hash: the same people every night, and all of them again in `full`."""
    holdout: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of its people who get none of its marketing messages, so that it can be told what it brings (R92)."""
    priority: Annotated[int, Field(ge=0, le=99)] = 50
    """Where a cap lets only some messages through, the higher one goes first."""
    max_people: Annotated[int, Field(ge=1)]
    """Beyond so many people it holds and says so (R107)."""
    approved_people: Annotated[int, Field(ge=1)] | None = None
    """People that it would have reached in state `full` when its plan was approved; without it there is no check of deviation."""
    deviation: Annotated[float, Field(ge=0)] = 0.2
    """Allowed share above or below approved_people; beyond it holds and says so (R107)."""
    windows: tuple[Hours, ...] = ()
    """Hours in which its messages leave, in the person's zone, instead of those of policy/frequency; quiet hours stay quiet (R82)."""
    max_lateness: Duration | None = None
    """A message that could not leave so long after it was planned is given up; at the end of the campaign where it is missing."""
    on_unknown: Literal["hold", "resend"] = "hold"
    """A message whose fate nobody can tell any more: never sent again, or sent again after the horizon."""
    starts_on: dt.date
    """First night that makes messages."""
    ends_on: dt.date
    """Last night that makes messages."""

    @model_validator(mode="after")
    def _ordered(self) -> "Outreach":
        if self.starts_on > self.ends_on:
            raise wrong(
                "The campaign ends on {ends}, before it starts on {starts}.",
                "Swap the two dates.",
                ends=self.ends_on.isoformat(),
                starts=self.starts_on.isoformat(),
            )
        return self

    @model_validator(mode="after")
    def _can_reach_what_was_approved(self) -> "Outreach":
        if self.approved_people and self.approved_people > self.max_people:
            raise wrong(
                "{approved} people were approved and {most} are the most it may reach, so it can only hold.",
                "Raise max_people, or approve fewer.",
                approved=self.approved_people,
                most=self.max_people,
            )
        return self


def outreach_of(definitions: DefinitionSet, id: str) -> Outreach | None:
    """The campaign or journey of an id; None where none of it is in force."""
    for model, found in definitions.items.items():
        if issubclass(model, Outreach) and id in found:
            return found[id]  # type: ignore[no-any-return]
    return None


def outreaches(definitions: DefinitionSet) -> dict[str, Outreach]:
    """Every campaign and journey by id."""
    return {
        id: found
        for model, known in definitions.items.items()
        if issubclass(model, Outreach)
        for id, found in known.items()
    }
