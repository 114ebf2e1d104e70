"""Who moves where next: for everybody on a journey the earliest of goal, exit, end of the journey, and the way on from their step.

What belongs here: one move for each person, as a Select. What does not: applying it (`applying.py`), what an action comes to (`acting.py`).

At one and the same instant a goal goes before an exit, an exit before the end of the journey, and that before the next step.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.clock import after, at, utc_instant
from vesper.journey.reached import NEVER, Instant, Reached, is_unknown
from vesper.journey.turn import (
    ACT,
    ACTIVE,
    CAME,
    EXITED,
    EXPIRED,
    GOAL,
    GONE,
    LIMIT,
    OVER,
    STANDING,
    STEP,
    TIMEOUT,
    WAITED,
    WAITS_FOR,
    Turn,
    Version,
)
from vesper.model.journey import ACTIONS, WAITS, JourneyStep, NextTime, Until
from vesper.model.sales import WEEKDAYS
from vesper.tables.contact import CONTACT

Text = sa.ColumnElement[Any]
NOTHING = sa.cast(sa.null(), sa.String)
SINCE: Instant = STANDING.c.step_since_at


@dataclass(frozen=True)
class Leaving:
    """How a step is left: when, in what way, where to, and what it decided."""

    at: Instant
    verb: Text
    to: Text
    outcome: Text


@dataclass(frozen=True)
class Ending:
    """What may end the journey: when, how, and its name."""

    at: Instant
    verb: str
    reason: str | None


def moves(version: Version, turn: Turn, occupied: Collection[str]) -> sa.Select[Any]:
    """What becomes next of the people on a version: the rows of MOVE. `occupied` are the steps that somebody stands at.

    `verb` is `act` for people whose step's action is to be done, `step` for those who go on, else how the journey ends for them.
    """
    journey, mine = version.journey, _on(version)
    waits = [step.id for step in journey.steps if step.kind not in ACTIONS]
    reached = Reached(journey.id, turn, waits)
    endings = list(_endings(version, turn, reached.among(mine)))
    here = [step for step in journey.steps if step.id in occupied]
    leavings = {step.id: _leaving(version, step, turn, reached) for step in here}
    left_at = _by_step({id: one.at for id, one in leavings.items()}, NEVER)
    bounded = [(ending, sa.func.greatest(ending.at, SINCE)) for ending in endings]
    candidates = [left_at, *[sa.case((one.at.is_not(None), clipped), else_=NEVER) for one, clipped in bounded]]
    next_at = sa.func.least(*candidates, type_=sa.DateTime) if len(candidates) > 1 else left_at
    ends = [(sa.and_(one.at.is_not(None), clipped == next_at), one) for one, clipped in bounded]
    goes = _by_step({id: one.verb for id, one in leavings.items()}, NOTHING)
    verb = _case([(hit, one.verb) for hit, one in ends], goes)
    is_unended = sa.not_(sa.or_(sa.false(), *[sa.func.coalesce(hit, sa.false()) for hit, _ in ends]))
    to = _by_step({i: one.to for i, one in leavings.items()}, NOTHING)
    outcome = _by_step({i: one.outcome for i, one in leavings.items()}, NOTHING)
    limit = sa.case(*[(hit, _text(one.reason)) for hit, one in ends], (verb == EXPIRED, LIMIT), else_=NOTHING)
    s = STANDING.c
    rows = sa.select(
        s.contact_id,
        s.occurrence,
        s.number,
        s.step_id,
        verb.label("verb"),
        next_at.label("at"),
        sa.case((is_unended, to), else_=NOTHING).label("to_step"),
        sa.case((is_unended, outcome), else_=NOTHING).label("outcome"),
        limit.label("reason"),
    )
    found = rows.select_from(reached.source()).where(mine, next_at <= at(turn.at)).subquery("next")
    due_at = _by_step(
        {step.id: after(found.c.at, step.within.timedelta) for step in journey.steps}, NEVER, found.c.to_step
    )
    return sa.select(found, due_at.label("due_at"))


def is_frozen(version: Version, turn: Turn) -> bool:
    """Whether nobody on the version moves in this turn: a source behind its goal or an exit has a hole (R106)."""
    asked = [*([version.journey.goal] if version.journey.goal else []), *[one.when for one in version.journey.exits]]
    return any(is_unknown(when, turn) for when in asked)


def due_at_of(versions: Iterable[Version], zone: str) -> Instant:
    """Until when somebody at a step waits at the most: what wakes a tick. Null at a step that is no wait."""
    cases = []
    for version in versions:
        for step in version.journey.steps:
            if step.kind in WAITS:
                over = _over(step, zone)
                here = sa.and_(STANDING.c.definition_hash == version.hash, STANDING.c.step_id == step.id)
                cases.append((here, over))
    found: Instant = _case(cases, NEVER)
    return found


def _on(version: Version) -> sa.ColumnElement[bool]:
    return sa.and_(STANDING.c.state == ACTIVE, STANDING.c.definition_hash == version.hash)


def _endings(version: Version, turn: Turn, reached: Reached) -> Iterator[Ending]:
    """What may end the journey, what goes first at one instant first."""
    journey = version.journey
    if journey.goal is not None:
        yield Ending(reached.instant(journey.goal), GOAL, None)
    for one in journey.exits:
        yield Ending(reached.instant(one.when), EXITED, one.id)
    if turn.is_night:
        gone = STANDING.c.contact_id.not_in(sa.select(CONTACT.c.contact_id))
        yield Ending(sa.case((gone, at(turn.at)), else_=NEVER), EXITED, GONE)
    if version.over_at(turn.night) <= turn.at:
        yield Ending(at(version.over_at(turn.night)), EXPIRED, OVER)


def _leaving(version: Version, step: JourneyStep, turn: Turn, reached: Reached) -> Leaving:
    on = _text(version.journey.after(step))
    goes = sa.literal(STEP)
    reached.among(sa.and_(_on(version), STANDING.c.step_id == step.id))
    if step.kind in ACTIONS:
        waits = STANDING.c.acted.in_(WAITS_FOR)
        verb = sa.case((STANDING.c.acted.is_(None), ACT), else_=STEP)
        return Leaving(sa.case((waits, NEVER), else_=SINCE), verb, on, STANDING.c.acted)
    if step.branch is not None:
        return _branched(version, step, turn, reached)
    if step.until is not None:
        return _until(step, step.until, on, turn, reached)
    return Leaving(_over(step, turn.night.zone), goes, on, _text(WAITED))


def _over(step: JourneyStep, zone: str) -> Instant:
    """When a wait is over at the latest."""
    return _clock(step.clock, zone) if step.clock else after(SINCE, (step.longest or step.within).timedelta)


def _branched(version: Version, step: JourneyStep, turn: Turn, reached: Reached) -> Leaving:
    """Taken at the very instant of coming here, as soon as the facts up to it are known."""
    cases = step.branch or ()
    known = turn.known(kind for case in cases for _, kind in case.when.kinds)
    if any(is_unknown(case.when, turn) for case in cases):
        return Leaving(NEVER, _text(STEP), NOTHING, NOTHING)
    to = sa.case(
        *[(reached.holds(case.when, SINCE), _text(case.go)) for case in cases], else_=_text(version.journey.after(step))
    )
    return Leaving(sa.case((at(known) >= SINCE, SINCE), else_=NEVER), _text(STEP), to, to)


def _until(step: JourneyStep, asked: Until, on: Text, turn: Turn, reached: Reached) -> Leaving:
    """Left when it comes true, else when the wait is over: on `at_most` the way on, on the step's limit out of the journey."""
    if is_unknown(asked.when, turn):
        return Leaving(NEVER, _text(STEP), NOTHING, NOTHING)
    known = turn.known(kind for _, kind in asked.when.kinds)
    came = reached.instant(asked.when)
    came = sa.case((came.is_not(None), sa.func.greatest(came, SINCE)), else_=NEVER)
    limit = _over(step, turn.night.zone)
    in_time = sa.func.coalesce(came <= limit, sa.false())
    over = sa.case((in_time, came), (limit <= at(known), limit), else_=NEVER)
    late = STEP if asked.at_most else EXPIRED
    return Leaving(over, sa.case((in_time, STEP), else_=late), on, sa.case((in_time, CAME), else_=TIMEOUT))


def _clock(wait: NextTime, zone: str) -> Instant:
    """The first such time of day, of the days that count, after coming to the step."""
    local = sa.func.timezone(zone, sa.func.timezone("UTC", SINCE))
    minutes = wait.at.time.hour * 60 + wait.at.time.minute
    passed = sa.extract("hour", local) * 60 + sa.extract("minute", local) >= minutes
    today = sa.func.date_trunc("day", local)
    wanted = [WEEKDAYS.index(day) for day in wait.days] or list(range(7))
    weekday = sa.extract("isodow", local) - 1
    ahead = sa.case(
        *[
            (sa.and_(weekday == day, passed if skip else sa.not_(passed)), _days_to(day, wanted, skip))
            for day in range(7)
            for skip in (False, True)
        ]
    )
    return utc_instant(sa.cast(today + sa.func.to_minutes(ahead * 1440 + minutes), sa.DateTime), zone)


def _days_to(day: int, wanted: list[int], skip_today: bool) -> int:
    return next(ahead for ahead in range(int(skip_today), 9) if (day + ahead) % 7 in wanted)


def _by_step(values: dict[str, Any], otherwise: Any, step: Any = STANDING.c.step_id) -> Any:
    return _case([(step == id, value) for id, value in values.items()], otherwise)


def _case(cases: list[tuple[Any, Any]], otherwise: Any) -> Any:
    return sa.case(*cases, else_=otherwise) if cases else otherwise


def _text(value: str | None) -> Text:
    return NOTHING if value is None else sa.literal(value)
