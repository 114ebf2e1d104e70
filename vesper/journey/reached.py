"""When what a journey asks came true for each person on it, and whether it was true at an instant.

What belongs here: from `happened`, `clicked`, a condition ... to expressions over a row of STANDING. What does not: what follows from them
(`moving.py`).

A Reached collects the tables that its expressions look at; its `source` joins them. Facts after what the turn knows are left out.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at
from vesper.conditions.people import Asked as AskedNight
from vesper.conditions.sets import ids
from vesper.held import is_held
from vesper.journey.turn import REFUSED_NOT, STANDING, WAY, Turn
from vesper.marts.message import RAW_MESSAGE
from vesper.model.journey_when import ENTRY, OF_A_MESSAGE, Asked, Happened
from vesper.model.source import Source
from vesper.send import ID_LENGTH
from vesper.tables.campaign import EVENT
from vesper.tables.journey import RAW_COUPON, RAW_NURTURE_TASK

Instant = sa.ColumnElement[dt.datetime]
Truth = sa.ColumnElement[bool]
NEVER = sa.cast(sa.null(), sa.DateTime)
WIRE = ("accepted", "unknown")
FAILED = ("refused", "rejected", "abandoned")


class Reached:
    """What is asked of the people of one journey, as expressions over their row.

    Who stood waiting before the turn began, at one of `waits`, meets a condition of the language at the turn's instant; all others when they
    came to their step, so that nothing is done for them that is not to be done any more.
    """

    def __init__(self, journey_id: str, turn: Turn, waits: Iterable[str] = ()) -> None:
        self.journey_id = journey_id
        self.turn = turn
        self.waits = tuple(waits)
        self.joined: list[sa.Subquery] = []
        self.subject: Truth = sa.true()

    def source(self) -> sa.FromClause:
        """STANDING with everything that was looked at beside it."""
        joined: sa.FromClause = STANDING
        for one in self.joined:
            same = sa.and_(one.c.contact_id == STANDING.c.contact_id, one.c.occurrence == STANDING.c.occurrence)
            joined = joined.join(one, same, isouter=True)
        return joined

    def among(self, subject: Truth) -> "Reached":
        """What is asked from now on concerns only these people."""
        self.subject = subject
        return self

    def instant(self, when: Asked) -> Instant:
        """The first instant at which it is true; null where it is not, as far as the turn knows. Holds no `not`."""
        condition = when.condition
        if condition is not None:
            true = STANDING.c.contact_id.in_(ids(condition.body.people(AskedNight(self.turn.night))))
            return sa.case((true, self._seen_at()), else_=NEVER)
        if when.word in ("all", "any"):
            parts = [self.instant(part) for part in when.body.root]
            if when.word == "any":
                return sa.func.least(*parts, type_=sa.DateTime)
            return sa.case((sa.and_(*[part.is_not(None) for part in parts]), sa.func.greatest(*parts)), else_=NEVER)
        if when.word == "not":
            raise ValueError("a `not` has no instant; `check` refuses it here")
        return self._looked_up(self._facts(when))

    def holds(self, when: Asked, moment: Instant) -> Truth:
        """Whether it is true at an instant; never null."""
        if when.condition is not None:
            return self._in(when.condition.body.people(AskedNight(self.turn.night)))
        if when.word == "all":
            return sa.and_(*[self.holds(part, moment) for part in when.body.root])
        if when.word == "any":
            return sa.or_(*[self.holds(part, moment) for part in when.body.root])
        if when.word == "not":
            return self.fails(when.body.root, moment)
        return sa.func.coalesce(self.instant(when) <= moment, sa.false())

    def fails(self, when: Asked, moment: Instant) -> Truth:
        """Whether it is false at an instant: a condition that is unknown is neither (R106)."""
        if when.condition is not None:
            asked = AskedNight(self.turn.night)
            unknown = when.condition.body.unknown(asked)
            false = sa.not_(self._in(when.condition.body.people(asked)))
            return false if unknown is None else sa.and_(false, sa.not_(self._in(unknown)))
        if when.word == "all":
            return sa.or_(*[self.fails(part, moment) for part in when.body.root])
        if when.word == "any":
            return sa.and_(*[self.fails(part, moment) for part in when.body.root])
        if when.word == "not":
            return self.holds(when.body.root, moment)
        return sa.not_(self.holds(when, moment))

    def _in(self, people: Any) -> Truth:
        return STANDING.c.contact_id.in_(ids(people))

    def _seen_at(self) -> Instant:
        settled = sa.and_(STANDING.c.number == STANDING.c.number_before, STANDING.c.step_id.in_(self.waits))
        return sa.case(
            (settled, sa.func.greatest(at(self.turn.at), STANDING.c.step_since_at)), else_=STANDING.c.step_since_at
        )

    def _looked_up(self, facts: sa.Select[Any]) -> Instant:
        found = facts.subquery(f"reached_{len(self.joined)}")
        self.joined.append(found)
        return found.c.reached_at

    def _facts(self, when: Asked) -> sa.Select[Any]:
        if when.word == "happened":
            return self._happened(when.body)
        if when.word in OF_A_MESSAGE:
            return self._reacted(OF_A_MESSAGE[when.word], when.body)
        if when.word == "sent":
            return self._of_message(when.body, RAW_MESSAGE.c.sending_at, WIRE)
        if when.word == "refused":
            return self._refused(when.body)
        if when.word == "redeemed":
            return self._redeemed(when.body)
        return self._closed(when.body)

    def _begun(self, since: str) -> sa.Subquery:
        """contact_id, occurrence and the instant after which facts count."""
        key = STANDING.c.contact_id, STANDING.c.occurrence
        if since == ENTRY:
            return sa.select(*key, STANDING.c.entered_at.label("begun_at")).where(self.subject).subquery("begun")
        came = sa.select(*key, sa.func.max(WAY.c.at).label("begun_at")).join_from(STANDING, WAY, _same(WAY))
        return came.where(self.subject, WAY.c.step_id == since).group_by(*key).subquery("begun")

    def _happened(self, asked: Happened) -> sa.Select[Any]:
        begun, event = self._begun(asked.since), EVENT.c
        known = self.turn.known(kind for _, kind in asked.event.kinds)
        facts = [
            event.contact_id == begun.c.contact_id,
            asked.event.holds(),
            event.at > begun.c.begun_at,
            event.at <= at(known),
        ]
        if asked.within is not None:
            facts.append(event.at <= after(begun.c.begun_at, asked.within.timedelta))
        key = begun.c.contact_id, begun.c.occurrence
        if asked.at_least == 1:
            return sa.select(*key, sa.func.min(event.at).label("reached_at")).where(*facts).group_by(*key)
        place = sa.func.row_number().over(partition_by=key, order_by=(event.at, event.event_id)).label("place")
        counted = sa.select(*key, event.at.label("reached_at"), place).where(*facts).subquery("counted")
        return sa.select(counted.c.contact_id, counted.c.occurrence, counted.c.reached_at).where(
            counted.c.place == asked.at_least
        )

    def _reacted(self, kind: str, step_id: str) -> sa.Select[Any]:
        event, known = EVENT.c, self.turn.known((kind,))
        return self._first(
            event.at,
            [
                event.message_id == self._message_id(step_id),
                event.kind == kind,
                ~event.is_machine,
                event.at <= at(known),
            ],
        )

    def _of_message(self, step_id: str, moment: Instant, states: Sequence[str]) -> sa.Select[Any]:
        raw = RAW_MESSAGE.c
        facts = [raw.message_id == self._message_id(step_id), raw.state.in_(states), moment <= at(self.turn.planned_at)]
        return self._first(sa.func.coalesce(moment, raw.planned_at), facts)

    def _refused(self, step_id: str) -> sa.Select[Any]:
        """The step gave nothing at once, or its message was refused or rejected later on."""
        gave_nothing = [_same(WAY), WAY.c.step_id == step_id, WAY.c.outcome.not_in(REFUSED_NOT)]
        either = sa.union_all(
            self._first(WAY.c.left_at, gave_nothing), self._of_message(step_id, RAW_MESSAGE.c.final_at, FAILED)
        ).subquery("either")
        first = sa.func.min(either.c.reached_at).label("reached_at")
        return sa.select(either.c.contact_id, either.c.occurrence, first).group_by(
            either.c.contact_id, either.c.occurrence
        )

    def _redeemed(self, step_id: str) -> sa.Select[Any]:
        raw = RAW_COUPON.c
        facts = [
            raw.contact_id == STANDING.c.contact_id,
            raw.reference == reference(self.journey_id, step_id, STANDING.c.occurrence),
        ]
        return self._first(raw.redeemed_at, [*facts, raw.redeemed_at <= at(self.turn.at)])

    def _closed(self, step_id: str) -> sa.Select[Any]:
        raw = RAW_NURTURE_TASK.c
        facts = [raw.journey_id == self.journey_id, raw.contact_id == STANDING.c.contact_id]
        facts += [raw.occurrence == STANDING.c.occurrence, raw.step_id == step_id, raw.closed_at <= at(self.turn.at)]
        return self._first(raw.closed_at, facts)

    def _first(self, moment: Instant, facts: list[Any]) -> sa.Select[Any]:
        key = STANDING.c.contact_id, STANDING.c.occurrence
        return sa.select(*key, sa.func.min(moment).label("reached_at")).where(self.subject, *facts).group_by(*key)

    def _message_id(self, step_id: str) -> sa.ColumnElement[str]:
        return message_id(self.journey_id, STANDING.c.contact_id, step_id, STANDING.c.occurrence)


def message_id(
    journey_id: str, contact_id: sa.ColumnElement[str], step_id: str, occurrence: sa.ColumnElement[int]
) -> sa.ColumnElement[str]:
    """SQL: the id of a step's message, as `vesper.send.message_id` makes it."""
    text = sa.literal(f"{journey_id}|") + contact_id + sa.literal(f"|{step_id}|") + sa.cast(occurrence, sa.String)
    return sa.func.substr(sa.func.sha256(text), 1, ID_LENGTH, type_=sa.String)


def reference(journey_id: str, step_id: str, occurrence: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """SQL: what a coupon says of where it was given."""
    return sa.literal(f"{journey_id}|{step_id}|") + sa.cast(occurrence, sa.String)


def is_unknown(when: Asked, turn: Turn) -> bool:
    """Whether something that it reads comes from a source with a hole tonight: then nobody moves by it (R106)."""
    held = turn.night.held
    if not held:
        return False
    parts = [part for _, part in when.each()]
    if any(is_held(part.condition, turn.night) for part in parts if part.condition is not None):
        return True
    kinds = {kind for _, kind in when.kinds}
    return any(kinds & set(one.event_kinds) for one in turn.night.definitions.of(Source).values() if one.id in held)


def _same(table: sa.Table) -> Truth:
    return sa.and_(table.c.contact_id == STANDING.c.contact_id, table.c.occurrence == STANDING.c.occurrence)
