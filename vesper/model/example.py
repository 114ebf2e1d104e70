"""Examples: the tests that stand inside a definition. A few facts of one invented contact, and what must come of them.

What belongs here: the shape. What does not: running them (the test room does, through the same Selects as the night).
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from vesper.model.contact_field import CompanyField, ContactField
from vesper.model.definition import Name, Strict, Text
from vesper.model.timing import Ago, ClockTime, Lasting


class OrderFact(Strict):
    """One order of one line."""

    on: Ago
    """Company day of the order."""
    amount: Annotated[Decimal, Field(ge=0)] = Decimal(10)
    """Paid for it."""
    category: Text | None = None
    """Product category of its line."""
    product_code: Text | None = None
    """Product of its line."""
    at: ClockTime | None = None
    """Time of day in the company's zone; needed where hours matter."""


class EventFact(Strict):
    """One thing the contact did."""

    kind: Name
    """Kind of event."""
    on: Ago
    """Company day it happened."""
    at: ClockTime | None = None
    """Time of day in the company's zone; needed where hours matter."""
    series: Text | None = None
    """Campaign series it belongs to."""
    message: Text | None = None
    """Message that led to it."""
    url: Text | None = None
    """Page or link."""
    content_id: Text | None = None
    """Content it was about."""
    product_code: Text | None = None
    """Product it was about."""
    keyword: Text | None = None
    """Words that were searched for."""
    duration: Lasting | None = None
    """How long it lasted."""
    amount: Annotated[Decimal, Field(ge=0)] | None = None
    """Money it was about."""
    is_machine: bool = False
    """Whether a machine made it."""


class RfmFact(Strict):
    """The contact's fifths, stated because they depend on everybody else."""

    recency: Annotated[int, Field(ge=1, le=5)]
    """Fifth by last order."""
    frequency: Annotated[int, Field(ge=1, le=5)]
    """Fifth by number of orders."""
    money: Annotated[int, Field(ge=1, le=5)]
    """Fifth by sum paid."""


class OutcomeFact(Strict):
    """What sales said of the contact's lead."""

    outcome: Literal["accepted", "rejected", "to_sales", "invalid", "recycle", "won", "lost"]
    """What became of it."""
    on: Ago
    """Company day of the outcome."""
    reason: Text | None = None
    """Coded reason."""


class LeadFact(Strict):
    """Where the contact's lead stands."""

    status: Literal["open", "to_sales", "invalid", "recycled"]
    """State of the lead."""
    recycled: Annotated[int, Field(ge=0)] = 0
    """Times it came back from sales."""
    reason: Text | None = None
    """Coded reason of the last outcome."""


class Given(Strict):
    """Everything known of the contact; what is not named did not happen or is missing."""

    orders: tuple[OrderFact, ...] = ()
    """Orders of the contact."""
    events: tuple[EventFact, ...] = ()
    """Events of the contact."""
    attributes: dict[ContactField, Text | int] = {}
    """Fields of the contact: a value, or the word `known` for any value. Unnamed fields are missing."""
    company: dict[CompanyField, Text | int] | None = None
    """Fields of the contact's company; without them the contact has no company."""
    rfm: RfmFact | None = None
    """Fifths, for conditions that ask for them."""
    stage: Name | None = None
    """Lifecycle stage."""
    segments: tuple[Name, ...] = ()
    """Other segments the contact is in."""
    tags: tuple[Name, ...] = ()
    """Tags the contact bears."""
    personas: tuple[Name, ...] = ()
    """Personas the contact is of."""
    tiers: dict[Name, Name] = {}
    """Tiering -> the tier the contact stands in."""
    activity: Literal["high", "medium", "low"] | None = None
    """Activity level, which depends on everybody else."""
    score: int | None = None
    """Score of the night."""
    is_mql: bool = False
    """Whether the score of the night makes it an MQL."""
    bant: dict[Literal["budget", "authority", "need", "timing"], Text] = {}
    """Newest BANT statement by dimension."""
    outcomes: tuple[OutcomeFact, ...] = ()
    """What sales said of the contact's leads."""
    lead: LeadFact | None = None
    """The contact's lead of the night; without it the contact is no lead."""


class Example(Strict):
    """What is given; subclasses say what must come of it."""

    given: Given
    """The contact."""
    says: Text | None = None
    """Why this case is worth a test."""


class PointsExample(Example):
    """A scoring rule gives this contact so many points."""

    points: int
    """Points of the rule; 0 where it does not match."""


class MemberExample(Example):
    """The contact belongs to the segment or market, or does not."""

    member: bool
    """Whether it belongs."""


class TierExample(Example):
    """The contact stands in this tier."""

    tier: Name
    """Tier of the tiering."""


class StageExample(Example):
    """The contact stands in this stage."""

    stage: Name
    """Stage of the lifecycle."""
    before: Annotated[Name | None, Field(alias="from")] = None
    """Stage of the night before; a newcomer where it is missing."""
