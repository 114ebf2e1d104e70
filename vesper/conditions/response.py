"""`response: {to: {kind: form_submitted}, of: {kind: mail_clicked}, within: 7d, at_least: 2}`: how often people answered something (R51, R52).

Each event under `to` opens a window; the events under `of` in it are its answers. The count is the largest number of answers to any of
them. As long as a window is open, more answers may come: what they could still change is unknown until it closes, so that "two clicks" and
"no click" never hold of the same form. Who did nothing under `to` had nothing to answer, which is unknown too.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from vesper.clock import at, cutoff_at, on
from vesper.conditions.event_filter import EventFilter
from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.tally import in_window, left_window
from vesper.model.condition import ConditionBody, Counted, Path
from vesper.model.timing import Duration, Window
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT

Flag = sa.ColumnElement[bool]
MICROSECOND = dt.timedelta(microseconds=1)


class Response(ConditionBody, Counted):
    """Largest number of answers to an event in the window that it opens."""

    word: ClassVar[str] = "response"
    feeds: ClassVar[frozenset[str]] = frozenset({"event"})

    to: EventFilter
    """What is answered, e.g. a form; each such event opens a window."""
    of: EventFilter
    """What counts as an answer, e.g. a click. It comes later than what it answers: the same instant is not later."""
    within: Duration
    """Length of the window in time that rolls: 7d is 7 x 24 hours, the last instant included."""
    same: Literal["series", "any"] = "any"
    """Answers of the same campaign series alone, or any; with `series`, an event that belongs to none is left aside."""
    to_within: Window | None = None
    """Company days back from the business date in which it may have begun, e.g. 90d; all time where it is missing."""
    settles: Literal["window_closes", "daily"] = "window_closes"
    """`window_closes`: a count that more answers could change is unknown while a window is open. `daily`: as it stands tonight."""

    def people(self, asked: Asked) -> People:
        """Contacts by their largest number of answers, which is the evidence; its instants are those of all that was answered and of all answers."""
        found = self._counted(asked).subquery("counted").c
        columns = evidence(found.contact_id, found.answers, found.first_at, found.last_at)
        return sa.select(*columns).where(self._within(found.answers), ~self._open(found.answers, found.is_open))

    def unknown(self, asked: Asked) -> sa.Select[Any]:
        """Who had nothing to answer, and whose answers may still change it."""
        found = self._counted(asked).subquery("counted")
        joined = CONTACT.join(found, found.c.contact_id == CONTACT.c.contact_id, isouter=True)
        either = sa.or_(found.c.contact_id.is_(None), self._open(found.c.answers, found.c.is_open))
        return sa.select(CONTACT.c.contact_id).select_from(joined).where(either)

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with an event at an edge of its days, and those with a window that closed."""
        event, night = EVENT.c, asked.night
        yield from left_window(event.contact_id, event.on, None, night, since, self.of.holds())
        yield from left_window(event.contact_id, event.on, self.to_within, night, since, self.to.holds())
        if self.settles == "window_closes":
            before, until = (cutoff_at(day, night.zone) - self.within.timedelta for day in (since, night.business_on))
            closed = sa.and_(self.to.holds(), event.at > at(before), event.at <= at(until))
            yield sa.select(event.contact_id).where(event.contact_id.is_not(None), closed).distinct()

    def event_kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds on either side."""
        for side, events in (("to", self.to), ("of", self.of)):
            yield from (((side, *path), kind) for path, kind in events.kinds)

    @property
    def _length(self) -> int:
        """Microseconds of the window: instants are compared as numbers, because a frame takes no interval through SQLAlchemy."""
        return self.within.timedelta // MICROSECOND

    def _counted(self, asked: Asked) -> sa.Select[Any]:
        """One row per contact with something to answer."""
        facts, night = self._facts(asked).subquery("facts"), asked.night
        fact = facts.c
        partition = [fact.contact_id, fact.series_id] if self.same == "series" else [fact.contact_id]
        moment = sa.func.epoch_us(fact.at)

        def number(which: Flag, frame: tuple[int, int]) -> sa.ColumnElement[int]:
            return sa.func.count().filter(which).over(partition_by=partition, order_by=moment, range_=frame)

        answers, anchors = number(fact.is_answer, (1, self._length)), number(fact.is_anchor, (-self._length, -1))
        seen = sa.select(facts, answers.label("answers"), anchors.label("anchors")).subquery("seen").c
        counts = sa.or_(seen.is_anchor, sa.and_(seen.is_answer, seen.anchors > 0))
        is_open = seen.at > at(night.cutoff_at - self.within.timedelta)
        return (
            sa.select(
                seen.contact_id,
                sa.func.max(seen.answers).filter(seen.is_anchor).label("answers"),
                sa.func.bool_or(sa.and_(seen.is_anchor, is_open)).label("is_open"),
                sa.func.min(seen.at).label("first_at"),
                sa.func.max(seen.at).label("last_at"),
            )
            .where(counts)
            .group_by(seen.contact_id)
        )

    def _facts(self, asked: Asked) -> sa.Select[Any]:
        """Events of a contact that are answered, or answer, or both."""
        event, night = EVENT.c, asked.night
        is_anchor = sa.and_(self.to.holds(), in_window(event.on, self.to_within, night))
        is_answer = self.of.holds()
        both = is_anchor.label("is_anchor"), is_answer.label("is_answer")
        # Answers are many and people with something to answer few, so the others' are left out before they are put in order.
        who = sa.select(event.contact_id).where(event.contact_id.is_not(None), is_anchor).correlate(None)
        facts = sa.select(event.contact_id, event.series_id, event.at, *both).where(
            event.contact_id.in_(who), event.on <= on(night.business_on), sa.or_(is_anchor, is_answer)
        )
        return facts.where(event.series_id.is_not(None)) if self.same == "series" else facts

    def _within(self, answers: sa.ColumnElement[int]) -> Flag:
        lower = answers >= self.minimum
        return lower if self.at_most is None else sa.and_(lower, answers <= self.at_most)

    def _open(self, answers: sa.ColumnElement[int], is_open: Flag) -> Flag:
        """More answers could change it: they may come, and the count is neither enough for good nor too many."""
        if self.settles == "daily":
            return sa.false()
        undecided = answers < self.minimum if self.at_most is None else answers <= self.at_most
        return sa.and_(is_open, undecided)
