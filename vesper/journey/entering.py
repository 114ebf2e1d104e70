"""Who enters a journey: by something they did, at that very instant, or by coming to meet a condition, in the night that finds it.

What belongs here: the new entries of a round, and conditions that lapsed. What does not: what happens on the way.

Nobody is on a journey twice at a time: what somebody does while on it does not let them in again. Who meets its goal or an exit already, as
far as a condition of the language says it, does not enter.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at, on
from vesper.conditions import Condition
from vesper.conditions.people import Asked as AskedNight
from vesper.conditions.sets import ids
from vesper.experiment.assign import may_enter
from vesper.held import is_held
from vesper.journey.turn import ACTIVE, PEOPLE, STANDING, Turn, Version
from vesper.model.journey_when import Asked
from vesper.model.source import Source
from vesper.rollout import bucket_of, is_inside, is_named
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.journey import RAW_JOURNEY_ENTRY

INBOX = "inbox:"
"""How the id of an event begins that no night has published yet."""
NO_ROW = sa.cast(sa.null(), sa.Integer)


def entrants(version: Version, turn: Turn, only: bool = False) -> sa.Select[Any]:
    """Who enters now: contact_id, occurrence, entered_at, inbox_id. `only` looks at those of PEOPLE alone."""
    known = latest(version.journey.id).cte("latest")
    if version.journey.entry.event is not None:
        found = _by_event(version, turn, known)
    else:
        found = _by_condition(version, turn, known)
    if only:
        found = found.where(found.selected_columns.contact_id.in_(sa.select(PEOPLE.c.contact_id)))
    rows = found.subquery("entrant")
    may = sa.select(rows).where(*_barred(version, turn, rows)).cte("may")
    columns = sa.select(may.c.contact_id, may.c.occurrence, may.c.entered_at, may.c.inbox_id)
    if version.journey.state == "full":
        return columns
    inside = sa.select(may.c.contact_id, _is_inside(version, may, known).label("is_inside")).cte("inside")
    return columns.where(may.c.contact_id.in_(sa.select(inside.c.contact_id).where(inside.c.is_inside)))


def latest(journey_id: str) -> sa.Select[Any]:
    """The last entry of each contact, of this turn or an earlier one; a retired contact id counts as the contact that holds its person now."""
    raw, alias = RAW_JOURNEY_ENTRY.c, CONTACT_ALIAS.c
    here = sa.select(STANDING.c.contact_id, STANDING.c.occurrence)
    now = sa.tuple_(raw.contact_id, raw.occurrence).in_(here)
    earlier = (
        sa.select(
            sa.func.coalesce(alias.contact_id, raw.contact_id).label("contact_id"),
            raw.occurrence,
            raw.entered_at,
            raw.ended_at,
            raw.state,
            raw.lapsed_on,
        )
        .select_from(RAW_JOURNEY_ENTRY.outerjoin(CONTACT_ALIAS, alias.old_id == raw.contact_id))
        .where(raw.journey_id == journey_id, sa.not_(now))
    )
    s = STANDING.c
    lapsed = sa.and_(raw.journey_id == journey_id, raw.contact_id == s.contact_id, raw.occurrence == s.occurrence)
    present = sa.select(s.contact_id, s.occurrence, s.entered_at, s.ended_at, s.state, raw.lapsed_on).select_from(
        STANDING.outerjoin(RAW_JOURNEY_ENTRY, lapsed)
    )
    every = sa.union_all(earlier, present).subquery("every")
    place = sa.func.row_number().over(
        partition_by=every.c.contact_id, order_by=(every.c.entered_at.desc(), every.c.occurrence.desc())
    )
    count = sa.func.max(every.c.occurrence).over(partition_by=every.c.contact_id)
    ranked = sa.select(every, place.label("place"), count.label("occurrences")).subquery("ranked")
    return sa.select(*[c for c in ranked.c if c.name != "place"]).where(ranked.c.place == 1)


def lapsed(version: Version, turn: Turn) -> sa.Select[Any] | None:
    """Entries (contact_id, occurrence) whose condition holds no longer tonight; None where nothing lapses, or nothing is known of it."""
    condition = version.journey.entry.when
    if condition is None or not turn.is_night or is_held(condition, turn.night):
        return None
    raw, asked = RAW_JOURNEY_ENTRY.c, AskedNight(turn.night)
    unknown = condition.body.unknown(asked)
    gone = [raw.contact_id.not_in(ids(condition.body.people(asked)))]
    gone += [] if unknown is None else [raw.contact_id.not_in(ids(unknown))]
    rows = sa.select(raw.contact_id, raw.occurrence)
    return rows.where(raw.journey_id == version.journey.id, raw.lapsed_on.is_(None), *gone)


def entered_before(journey_id: str) -> sa.Select[Any]:
    """How many contacts ever entered, those of this turn too."""
    raw = RAW_JOURNEY_ENTRY.c
    every = sa.union(
        sa.select(raw.contact_id).where(raw.journey_id == journey_id), sa.select(STANDING.c.contact_id)
    ).subquery("every")
    return sa.select(sa.func.count(sa.distinct(every.c.contact_id)))


def is_unknown(version: Version, turn: Turn) -> bool:
    """Whether nobody can enter tonight: a source behind the way in has a hole (R106)."""
    entry = version.journey.entry
    conditions = [one for one in (entry.when, entry.who) if one is not None]
    if any(is_held(one, turn.night) for one in conditions):
        return True
    kinds = set(entry.event.kind) if entry.event else set()
    sources = turn.night.definitions.of(Source).values()
    return any(kinds & set(one.event_kinds) for one in sources if one.id in turn.night.held)


def _by_event(version: Version, turn: Turn, known: sa.CTE) -> sa.Select[Any]:
    """The first such event after which the contact may enter."""
    asked, event = version.journey.entry.event, EVENT.c
    assert asked is not None
    until = min(turn.known(asked.kind), turn.at)
    facts = [
        event.contact_id.is_not(None),
        asked.holds(),
        event.at >= at(version.begins_at(turn.night)),
        event.at < at(version.over_at(turn.night)),
        event.at <= at(until),
        _may_enter(version, known, event.at),
    ]
    row = sa.case((sa.func.starts_with(event.event_id, INBOX), sa.func.substr(event.event_id, len(INBOX) + 1)))
    first = sa.func.min(event.at)
    return (
        sa.select(
            event.contact_id,
            (sa.func.coalesce(sa.func.max(known.c.occurrences), 0) + 1).label("occurrence"),
            first.label("entered_at"),
            sa.try_cast(sa.func.arg_min(row, event.at), sa.Integer).label("inbox_id"),
        )
        .select_from(EVENT.outerjoin(known, known.c.contact_id == event.contact_id))
        .where(*facts)
        .group_by(event.contact_id)
    )


def _by_condition(version: Version, turn: Turn, known: sa.CTE) -> sa.Select[Any]:
    """Everybody for whom it holds tonight and did not since they last entered."""
    asked = version.journey.entry.when
    assert asked is not None
    in_time = version.begins_at(turn.night) <= turn.at < version.over_at(turn.night)
    rows = sa.select(
        CONTACT.c.contact_id,
        (sa.func.coalesce(known.c.occurrences, 0) + 1).label("occurrence"),
        at(turn.at).label("entered_at"),
        NO_ROW.label("inbox_id"),
    ).select_from(CONTACT.outerjoin(known, known.c.contact_id == CONTACT.c.contact_id))
    if not (turn.is_night and in_time):
        return rows.where(sa.false())
    anew = sa.or_(known.c.contact_id.is_(None), known.c.lapsed_on < on(turn.night.business_on))
    return rows.where(_holds(asked, turn, CONTACT.c.contact_id), anew, _may_enter(version, known, at(turn.at)))


def _may_enter(version: Version, known: sa.CTE, moment: Any) -> sa.ColumnElement[bool]:
    """Whether the policy of re-entry lets a contact in at an instant."""
    is_new = known.c.contact_id.is_(None)
    reentry = version.journey.reentry
    if reentry == "never":
        return is_new
    again = [known.c.state != ACTIVE, moment > known.c.ended_at]
    if reentry.after is not None:
        again.append(moment >= after(known.c.entered_at, reentry.after.timedelta))
    return sa.or_(is_new, sa.and_(*again))


def _barred(version: Version, turn: Turn, rows: Any) -> list[sa.ColumnElement[bool]]:
    """Only golden contacts, for whom `who` holds, and neither the goal nor an exit."""
    journey = version.journey
    tests = [rows.c.contact_id.in_(sa.select(CONTACT.c.contact_id))]
    tests += may_enter(journey, turn.night, turn.planned_at, rows.c.contact_id)
    if journey.entry.who is not None:
        tests.append(_holds(journey.entry.who, turn, rows.c.contact_id))
    endings = [*([journey.goal] if journey.goal else []), *[one.when for one in journey.exits]]
    return [*tests, *[sa.not_(_holds(one, turn, rows.c.contact_id)) for when in endings for one in _conditions(when)]]


def _is_inside(version: Version, may: Any, known: sa.CTE) -> sa.ColumnElement[bool]:
    """Whether the circle of the rollout holds a contact (R99): who entered before stays inside, new ones come in by their bucket."""
    journey = version.journey
    was_here = may.c.contact_id.in_(sa.select(known.c.contact_id))
    named = is_named(journey, may.c.contact_id) if journey.pilot.names_people else sa.true()
    place = sa.func.row_number().over(
        partition_by=(was_here, named), order_by=(bucket_of(journey.id, may.c.contact_id), may.c.contact_id)
    )
    count = sa.select(sa.func.count()).select_from(known).scalar_subquery()
    return is_inside(journey, may.c.contact_id, sa.case((was_here, 1)), place, count)


def _conditions(when: Asked) -> list[Condition]:
    """The conditions of the language that bring a goal or an exit about by themselves."""
    if when.condition is not None:
        return [when.condition]
    return [one for part in when.body.root for one in _conditions(part)] if when.word == "any" else []


def _holds(condition: Condition, turn: Turn, contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return contact_id.in_(ids(condition.body.people(AskedNight(turn.night))))
