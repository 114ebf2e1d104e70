"""`events: {kind: coupon_redeemed, at_least: 1, within: 90d}`: how often something happened. Machine events never count."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from vesper.conditions.event_filter import EventFilter
from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, left_window, tally
from vesper.model.condition import ConditionBody, CountedInWindow, Path
from vesper.tables.campaign import EVENT

UNITS = {"messages": EVENT.c.message_id, "days": EVENT.c.on, "contents": EVENT.c.content_id}


class Events(ConditionBody, EventFilter, CountedInWindow):
    """Number of events of one kind or several in a window of company days, or of the messages, days or contents they are about."""

    word: ClassVar[str] = "events"
    feeds: ClassVar[frozenset[str]] = frozenset({"event"})

    count: Literal["events", "messages", "days", "contents"] = "events"
    """What is counted: every event, or each message, company day or content once; an event that names no message or content is then no fact."""

    def people(self, asked: Asked) -> People:
        """Contacts by their number of events."""
        event = EVENT.c
        unit = UNITS.get(self.count)
        number = sa.func.count() if unit is None else sa.func.count(unit.distinct())
        first, last = sa.func.min(event.at), sa.func.max(event.at)
        since = first if self.within is None and self.minimum == 1 else NO_INSTANT
        counted = tally(event.contact_id, number, number, first, last, since).where(
            *self._facts(), in_window(event.on, self.within, asked.night)
        )
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with an event at an edge of the window."""
        yield from left_window(EVENT.c.contact_id, EVENT.c.on, self.within, asked.night, since, *self._facts())

    def days(self, asked: Asked) -> sa.Select[Any]:
        """The company days of the window on which a contact has such an event: contact_id, on, first_at, last_at."""
        event = EVENT.c
        instants = sa.func.min(event.at).label("first_at"), sa.func.max(event.at).label("last_at")
        found = sa.select(event.contact_id, event.on.label("on"), *instants).group_by(event.contact_id, event.on)
        window = in_window(event.on, self.within, asked.night)
        return found.where(event.contact_id.is_not(None), *self._facts(), window)

    def event_kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds that are counted."""
        yield from self.kinds

    def _facts(self) -> list[sa.ColumnElement[bool]]:
        unit = UNITS.get(self.count)
        return [self.holds()] if unit is None else [self.holds(), unit.is_not(None)]
