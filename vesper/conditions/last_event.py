"""`last_event: {kind: mail_opened, at_least_days_ago: 30}`: how long ago something last happened. Where it never did, it is unknown."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa

from vesper.conditions.event_filter import EventFilter
from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.recency import DaysAgo
from vesper.conditions.tally import in_window, left_window
from vesper.model.condition import ConditionBody, Path
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT


class LastEvent(ConditionBody, EventFilter, DaysAgo):
    """Company days between the last such event and the business date."""

    word: ClassVar[str] = "last_event"
    feeds: ClassVar[frozenset[str]] = frozenset({"event"})

    def people(self, asked: Asked) -> People:
        """Contacts by the day of their last such event."""
        last_on, last_at = sa.func.max(EVENT.c.on), sa.func.max(EVENT.c.at)
        since = self.since_at(last_on, asked.night)
        answer = sa.select(*evidence(EVENT.c.contact_id, 1, last_at, last_at, since)).where(*self._facts(asked))
        return answer.group_by(EVENT.c.contact_id).having(sa.and_(*self.old_enough(last_on, asked.night)))

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """For whom it never happened has no last time: neither long ago nor lately."""
        happened = sa.select(EVENT.c.contact_id).where(*self._facts(asked))
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c.contact_id.not_in(happened))

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with such an event, perhaps the last, that reached or passed a bound."""
        event, night = EVENT.c, asked.night
        yield from left_window(event.contact_id, event.on, None, night, since, self.holds())
        grown = self.grown(event.on, night, since)
        yield sa.select(event.contact_id).where(*self._facts(asked), grown).distinct()

    def event_kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds of which the last counts."""
        yield from self.kinds

    def _facts(self, asked: Asked) -> list[sa.ColumnElement[bool]]:
        return [EVENT.c.contact_id.is_not(None), self.holds(), in_window(EVENT.c.on, None, asked.night)]
