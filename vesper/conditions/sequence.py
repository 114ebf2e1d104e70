"""`sequence: {steps: [{event: {kind: page_viewed}}, {no_event: {kind: coupon_redeemed}, within: 3d}]}`: one thing after another (R75).

It holds where some chain of facts takes all steps in their order, each strictly later than the one before: facts of the same instant are not in
order, whatever their ids. With an absent last step it holds once the time of that step has passed without such a fact; until then it is
unknown, unless another chain has already got there. The evidence is the latest chain.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field, model_validator

from vesper.clock import after, at, cutoff_at
from vesper.conditions.people import NO_INSTANT, Asked, People, evidence
from vesper.conditions.step import Step
from vesper.conditions.tally import in_window, left_window
from vesper.model.condition import ConditionBody, Path
from vesper.model.definition import Strict
from vesper.model.timing import Window
from vesper.problem import wrong

Chains = sa.Subquery
"""One row per contact and instant at which a chain of the steps so far ends: contact_id, at, began_at."""


class Sequence(ConditionBody, Strict):
    """Steps that followed each other; the last may be that something did not follow."""

    word: ClassVar[str] = "sequence"

    steps: Annotated[tuple[Step, ...], Field(min_length=2)]
    """What happened, in its order."""
    within: Window | None = None
    """Window of company days back from the business date in which the first step lies; all time where it is missing."""

    @model_validator(mode="after")
    def _in_order(self) -> "Sequence":
        if any(step.is_absent for step in self.steps[:-1]):
            raise wrong("Only the last step may be that something did not happen.", "Move it to the end.")
        if self.steps[0].within is not None:
            raise wrong("The first step has no step before it.", "Drop its within, or write it beside steps.")
        return self

    @property
    def feeds(self) -> frozenset[str]:  # type: ignore[override]
        """What the steps are about: events, orders or both."""
        return frozenset("event" if step.of_events else "order_line" for step in self.steps)

    def people(self, asked: Asked) -> People:
        """Contacts with such a chain."""
        last = self.steps[-1]
        if not last.is_absent:
            chain, reached = self._chains(self.steps, asked).c, dt.timedelta(0)
            return self._answer(sa.select(chain.contact_id, chain.at, chain.began_at), reached)
        reached = last.within.timedelta if last.within else dt.timedelta(0)
        chain = self._waiting(asked).c
        closed = sa.and_(chain.at <= at(asked.night.cutoff_at - reached), _later(chain.next_at, chain.at, reached))
        return self._answer(sa.select(chain.contact_id, chain.at, chain.began_at).where(closed), reached)

    def unknown(self, asked: Asked) -> sa.Select[Any] | None:
        """Contacts whose last step still has time: nothing happened so far."""
        last = self.steps[-1]
        if not last.is_absent or last.within is None:
            return None
        chain = self._waiting(asked).c
        length = last.within.timedelta
        waits = chain.at > at(asked.night.cutoff_at - length), _later(chain.next_at, chain.at, length)
        open_ones = sa.select(chain.contact_id).where(*waits)
        return open_ones.where(
            chain.contact_id.not_in(sa.select(self.people(asked).subquery().c.contact_id))
        ).distinct()

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts with a first step at an edge of the window, a fact that had been dated ahead, or a last step whose time is over."""
        night = asked.night
        for place, step in enumerate(self.steps):
            window = None if place else self.within
            yield from left_window(step.contact_id, step.day, window, night, since, step.holds())
        last, before = self.steps[-1], self.steps[-2]
        if last.is_absent and last.within:
            begins, ends = (cutoff_at(day, night.zone) - last.within.timedelta for day in (since, night.business_on))
            over = sa.and_(before.holds(), before.instant > at(begins), before.instant <= at(ends))
            yield (
                sa.select(before.contact_id.label("contact_id")).where(before.contact_id.is_not(None), over).distinct()
            )

    def event_kinds(self) -> Iterator[tuple[Path, str]]:
        """The kinds of all steps."""
        for place, step in enumerate(self.steps):
            if step.of_events:
                side = "no_event" if step.is_absent else "event"
                yield from ((("steps", place, side, *path), kind) for path, kind in step.of_events.kinds)

    def _answer(self, chains: sa.Select[Any], reached: dt.timedelta) -> People:
        """One row per contact. A later chain never began earlier, so that both maxima belong to the latest one."""
        chain = chains.subquery("chains").c
        length = sum(not step.is_absent for step in self.steps)
        since = after(sa.func.min(chain.at), reached) if self.within is None else NO_INSTANT
        columns = evidence(chain.contact_id, length, sa.func.max(chain.began_at), sa.func.max(chain.at), since)
        return sa.select(*columns).group_by(chain.contact_id)

    def _chains(self, steps: tuple[Step, ...], asked: Asked) -> Chains:
        """Where chains of these steps end. Of the chains that end in one fact, the one that stepped on latest: no other is nearer in time."""
        fact = self._first(asked).subquery("step_0").c
        reached = sa.select(fact.contact_id, fact.at, fact.at.label("began_at")).distinct().subquery("chains_0")
        for place, step in enumerate(steps[1:], 1):
            reached = self._stepped(reached, step, asked, place)
        return reached

    def _stepped(self, reached: Chains, step: Step, asked: Asked, place: int) -> Chains:
        """The chains that a further step makes longer."""
        seen = self._beside(reached, step, asked, "asc").subquery(f"seen_{place}").c
        near = sa.true() if step.within is None else seen.beside_at >= after(seen.at, -step.within.timedelta)
        return (
            sa.select(seen.contact_id, seen.at, seen.began_beside.label("began_at"))
            .where(~seen.is_chain, seen.beside_at.is_not(None), near)
            .distinct()
            .subquery(f"chains_{place}")
        )

    def _waiting(self, asked: Asked) -> Chains:
        """The chains before an absent last step, each with the first such fact after it; null while there is none."""
        reached = self._chains(self.steps[:-1], asked)
        seen = self._beside(reached, self.steps[-1], asked, "desc").subquery("seen_last").c
        mine = sa.select(seen.contact_id, seen.at, seen.began_at, seen.beside_at.label("next_at"))
        return mine.where(seen.is_chain).subquery("waiting")

    def _beside(self, reached: Chains, step: Step, asked: Asked, direction: str) -> sa.Select[Any]:
        """Chains and facts of a contact in one line of time, each with what stands next to it on the other side.

        asc: a fact sees the latest chain before it (`beside_at`, `began_beside`). desc: a chain sees the earliest fact after it. Within an
        instant, what looks comes before what is looked for, so that neither sees its own instant.
        """
        # Few people may have taken the first step; what the others did later is left out before it is put in order.
        began = self._first(asked).with_only_columns(self.steps[0].contact_id).correlate(None)
        fact = self._facts(step, asked).where(step.contact_id.in_(began)).subquery("facts").c
        both = sa.union_all(
            sa.select(reached.c.contact_id, reached.c.at, reached.c.began_at, sa.true().label("is_chain")),
            sa.select(fact.contact_id, fact.at, NO_INSTANT.label("began_at"), sa.false().label("is_chain")),
        ).subquery("both")
        line, is_chain = both.c, both.c.is_chain
        forward = direction == "asc"
        order = [line.at, is_chain] if forward else [line.at.desc(), is_chain.desc()]
        wanted, nearest = (is_chain, sa.func.max) if forward else (~is_chain, sa.func.min)
        beside = nearest(line.at).filter(wanted).over(partition_by=line.contact_id, order_by=order)
        began_beside = sa.func.max(line.began_at).filter(wanted).over(partition_by=line.contact_id, order_by=order)
        return sa.select(both, beside.label("beside_at"), began_beside.label("began_beside"))

    def _first(self, asked: Asked) -> sa.Select[Any]:
        """Facts of the first step, inside the window."""
        first = self.steps[0]
        return self._facts(first, asked).where(in_window(first.day, self.within, asked.night))

    def _facts(self, step: Step, asked: Asked) -> sa.Select[Any]:
        """Facts of a step up to the business date: contact_id, at."""
        known = step.contact_id.is_not(None), step.holds(), in_window(step.day, None, asked.night)
        return sa.select(step.contact_id.label("contact_id"), step.instant.label("at")).where(*known)


def _later(
    next_at: sa.ColumnElement[Any], chain_at: sa.ColumnElement[Any], within: dt.timedelta
) -> sa.ColumnElement[bool]:
    """The first such fact comes after the time of the step, or never."""
    return sa.or_(next_at.is_(None), next_at > after(chain_at, within))
