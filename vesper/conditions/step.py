"""One step of a sequence: an event or an order that happened after the step before, or that did not happen in time.

What belongs here: how a step is written, and the facts it means. What does not: putting steps in order (`sequence.py`).
"""

from typing import Any

import sqlalchemy as sa
from pydantic import model_validator

from vesper.conditions.event_filter import EventFilter
from vesper.conditions.line_filter import LineFilter
from vesper.model.definition import Strict
from vesper.model.timing import Duration
from vesper.problem import wrong
from vesper.tables.campaign import EVENT
from vesper.tables.order import ORDER_LINE


class Step(Strict):
    """Exactly one of `event`, `order`, `no_event`, `no_order`, and how long after the step before."""

    event: EventFilter | None = None
    """An event that happened."""
    order: LineFilter | None = None
    """An order with such a line; {} is any order."""
    no_event: EventFilter | None = None
    """An event that did not happen; only as the last step, and with `within`."""
    no_order: LineFilter | None = None
    """An order that was not placed; only as the last step, and with `within`."""
    within: Duration | None = None
    """Longest time after the step before, that instant included: 3d is 3 x 24 hours. Any later time where it is missing."""

    @model_validator(mode="after")
    def _one_fact(self) -> "Step":
        if sum(fact is not None for fact in (self.event, self.order, self.no_event, self.no_order)) != 1:
            raise wrong("A step asks for one thing.", "Write one of event, order, no_event, no_order.")
        if self.is_absent and self.within is None:
            raise wrong("A step that is an absence needs an end.", "Write within, e.g. within: 3d.")
        return self

    @property
    def is_absent(self) -> bool:
        """Whether the step is that nothing happened."""
        return self.no_event is not None or self.no_order is not None

    @property
    def of_events(self) -> EventFilter | None:
        """The events it is about."""
        return self.event or self.no_event

    @property
    def contact_id(self) -> sa.ColumnElement[str]:
        """Whose facts they are."""
        return EVENT.c.contact_id if self.of_events else ORDER_LINE.c.contact_id

    @property
    def day(self) -> sa.ColumnElement[Any]:
        """Company day of its facts."""
        return EVENT.c.on if self.of_events else ORDER_LINE.c.ordered_on

    @property
    def instant(self) -> sa.ColumnElement[Any]:
        """Instant (UTC) of its facts."""
        return EVENT.c.at if self.of_events else ORDER_LINE.c.ordered_at

    def holds(self) -> sa.ColumnElement[bool]:
        """Whether a row of its table is meant."""
        lines = self.order or self.no_order or LineFilter()
        return self.of_events.holds() if self.of_events else lines.holds()
