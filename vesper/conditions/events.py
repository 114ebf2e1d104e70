"""`events: {kind: coupon_redeemed, at_least: 1, within: 90d}`: how often something happened. Machine events never count."""

from typing import ClassVar

import sqlalchemy as sa

from vesper.conditions.people import NO_INSTANT, Asked, People
from vesper.conditions.tally import bounded, in_window, tally
from vesper.model.condition import ConditionBody, Counted
from vesper.model.definition import Name
from vesper.tables.campaign import EVENT


class Events(ConditionBody, Counted):
    """Number of events of one kind in a window of company days."""

    word: ClassVar[str] = "events"
    feeds: ClassVar[frozenset[str]] = frozenset({"event"})

    kind: Name
    """Kind of event; one of the `event_kind` words of the sources."""

    def people(self, asked: Asked) -> People:
        """Contacts by their number of events of the kind."""
        event = EVENT.c
        number, first, last = sa.func.count(), sa.func.min(event.at), sa.func.max(event.at)
        since = first if self.within is None and self.minimum == 1 else NO_INSTANT
        counted = tally(event.contact_id, number, number, first, last, since).where(
            event.kind == self.kind, ~event.is_machine, in_window(event.on, self.within, asked.night)
        )
        return bounded(counted, self.minimum, self.at_most, asked.night, ever=self.within is None)
