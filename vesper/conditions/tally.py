"""Counting facts per contact in a window of company days, and holding the figure against bounds.

What belongs here: what `orders`, `spent`, `bought` and `events` share. What does not: which facts they count.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conditions.people import NO_INSTANT, People, evidence, first_seen_at
from vesper.model.timing import Days, Window
from vesper.night import Night
from vesper.shared import TALLY
from vesper.tables.contact import CONTACT

Bound = int | Decimal | None


def in_window(day: sa.ColumnElement[Any], within: Days | Window | None, night: Night) -> sa.ColumnElement[bool]:
    """A company day inside the window: `7d` is the business date and the six days before it; without a window, every day up to it."""
    until = day <= on(night.business_on)
    return until if within is None else sa.and_(until, day > on(within.before(night.business_on)))


def left_window(
    contact_id: sa.ColumnElement[str],
    day: sa.ColumnElement[Any],
    within: Days | Window | None,
    night: Night,
    since: dt.date,
    *holds: sa.ColumnElement[bool],
) -> Iterator[sa.Select[Any]]:
    """Contacts with a fact whose day is inside the window on one of the two nights alone: it left, or it had been dated ahead of its night."""
    theirs = sa.select(contact_id.label("contact_id")).where(contact_id.is_not(None), *holds).distinct()
    yield theirs.where(day > on(since), day <= on(night.business_on))
    if within is not None:
        yield theirs.where(day > on(within.before(since)), day <= on(within.before(night.business_on)))


def tally(
    contact_id: sa.ColumnElement[Any],
    figure: sa.ColumnElement[Any],
    count: sa.ColumnElement[Any],
    first_at: sa.ColumnElement[Any],
    last_at: sa.ColumnElement[Any],
    since_at: sa.ColumnElement[Any] = NO_INSTANT,
) -> sa.Select[Any]:
    """One row per contact with facts in the window: the figure to be judged, and the evidence. `where` is the caller's."""
    return (
        sa.select(figure.label("figure"), *evidence(contact_id, count, first_at, last_at, since_at))
        .where(contact_id.is_not(None))
        .group_by(contact_id)
        .execution_options(**{TALLY: True})
    )


def bounded(tallied: sa.Select[Any], least: Bound, most: Bound, night: Night, *, ever: bool) -> People:
    """The contacts whose figure lies within the bounds, both included. Who has no fact has the figure 0, so a bound at 0 lets them in.

    `ever` says that the window is all time: who never had a fact then matches since the company first knew them.
    """
    shared = night.shared.facts(tallied) if night.shared else None
    facts = (tallied if shared is None else shared).subquery("facts")
    if _outside(0, least, most):
        return sa.select(*[column for column in facts.c if column.name != "figure"]).where(
            *_bounds(facts.c.figure, least, most)
        )
    since = sa.func.coalesce(facts.c.since_at, first_seen_at(night)) if ever else facts.c.since_at
    columns = evidence(
        CONTACT.c.contact_id, sa.func.coalesce(facts.c.evidence_count, 0), facts.c.first_at, facts.c.last_at, since
    )
    joined = sa.select(*columns).join_from(CONTACT, facts, facts.c.contact_id == CONTACT.c.contact_id, isouter=True)
    return joined.where(*_bounds(sa.func.coalesce(facts.c.figure, 0), least, most))


def _bounds(figure: sa.ColumnElement[Any], least: Bound, most: Bound) -> list[sa.ColumnElement[bool]]:
    lower = [] if least is None else [figure >= sa.literal(least)]
    upper = [] if most is None else [figure <= sa.literal(most)]
    return lower + upper


def _outside(figure: int, least: Bound, most: Bound) -> bool:
    return (least is not None and figure < least) or (most is not None and figure > most)
