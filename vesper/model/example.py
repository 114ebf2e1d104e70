"""Examples: the tests that stand inside a definition. A few facts of one invented contact, and what must come of them.

What belongs here: the shape. What does not: running them (the test room does, through the same Selects as the night).
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from vesper.model.contact_field import ContactField
from vesper.model.definition import Name, Strict, Text
from vesper.model.timing import Ago


class OrderFact(Strict):
    """One order of one line."""

    on: Ago
    """Company day of the order."""
    amount: Annotated[Decimal, Field(ge=0)] = Decimal(10)
    """Paid for it."""
    category: Text | None = None
    """Product category of its line."""


class EventFact(Strict):
    """One thing the contact did."""

    kind: Name
    """Kind of event."""
    on: Ago
    """Company day it happened."""


class RfmFact(Strict):
    """The contact's fifths, stated because they depend on everybody else."""

    recency: Annotated[int, Field(ge=1, le=5)]
    """Fifth by last order."""
    frequency: Annotated[int, Field(ge=1, le=5)]
    """Fifth by number of orders."""
    money: Annotated[int, Field(ge=1, le=5)]
    """Fifth by sum paid."""


class Given(Strict):
    """Everything known of the contact; what is not named did not happen or is missing."""

    orders: tuple[OrderFact, ...] = ()
    """Orders of the contact."""
    events: tuple[EventFact, ...] = ()
    """Events of the contact."""
    attributes: dict[ContactField, Text] = {}
    """Fields of the contact: a value, or the word `known` for any value. Unnamed fields are missing."""
    rfm: RfmFact | None = None
    """Fifths, for conditions that ask for them."""
    stage: Name | None = None
    """Lifecycle stage."""
    segments: tuple[Name, ...] = ()
    """Other segments the contact is in."""
    score: int | None = None
    """Score of the night."""


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


class StageExample(Example):
    """The contact stands in this stage."""

    stage: Name
    """Stage of the lifecycle."""
