"""`unanswered: {sent: {kind: mail_sent}, answer: {kind: mail_opened}, within: 30d}`: was sent something, and answered nothing (R34).

Who was sent nothing in the window is unknown: there was nothing to answer, so neither this nor its `not` holds.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.conditions.event_filter import EventFilter
from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.tally import in_window, left_window
from vesper.model.condition import ConditionBody, Path
from vesper.model.definition import Strict
from vesper.model.timing import Window
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT


class Unanswered(ConditionBody, Strict):
    """Enough was sent in a window of company days, and nothing in the same window answers it."""

    word: ClassVar[str] = "unanswered"
    feeds: ClassVar[frozenset[str]] = frozenset({"event"})

    sent: EventFilter
    """What was sent."""
    answer: EventFilter
    """What counts as an answer, to whatever was sent."""
    within: Window
    """Window back from the business date, which is its last day, e.g. 30d."""
    at_least: Annotated[int, Field(ge=1)] = 1
    """How much must have been sent."""

    def people(self, asked: Asked) -> People:
        """Contacts who were sent enough and answered nothing; the evidence is what was sent."""
        sent, event = self.sent.holds(), EVENT.c
        number, first, last = sa.func.count().filter(sent), sa.func.min(event.at), sa.func.max(event.at)
        answer = sa.select(*evidence(event.contact_id, number, first, last)).where(*self._facts(asked))
        unanswered = sa.func.count().filter(self.answer.holds()) == 0
        return answer.group_by(event.contact_id).having(sa.and_(number >= self.at_least, unanswered))

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """Who was sent nothing and answered nothing."""
        known = sa.select(EVENT.c.contact_id).where(*self._facts(asked))
        return sa.select(CONTACT.c.contact_id).where(CONTACT.c.contact_id.not_in(known))

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with something sent or answered at an edge of the window."""
        event = EVENT.c
        yield from left_window(event.contact_id, event.on, self.within, asked.night, since, self._either())

    def event_kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds on either side."""
        for side, events in (("sent", self.sent), ("answer", self.answer)):
            yield from (((side, *path), kind) for path, kind in events.kinds)

    def _facts(self, asked: Asked) -> list[sa.ColumnElement[bool]]:
        """Rows of core__event that count: in the window, of a contact, sent or answered."""
        event = EVENT.c
        return [event.contact_id.is_not(None), in_window(event.on, self.within, asked.night), self._either()]

    def _either(self) -> sa.ColumnElement[bool]:
        return sa.or_(self.sent.holds(), self.answer.holds())
