"""The funnel of each journey, step by step: who came, who went on, who waits, who got nothing and why it ended (R73, R100).

What belongs here: counts of the visits up to the night. What does not: one person's way (the ledger's visits; `vesper explain`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.definition_hash import hash_of
from vesper.journey.turn import ALREADY_GIVEN, JOURNEY_ENDED, REFUSED_NOT
from vesper.marts import mart
from vesper.model.journey import ACTIONS, Journey
from vesper.night import Night
from vesper.send import planned_at
from vesper.tables.declare import DATE, INTEGER, TEXT, column, table
from vesper.tables.journey import RAW_JOURNEY_ENTRY, RAW_JOURNEY_VISIT

COUNT = (0, 1_000_000_000)
KIND = (*ACTIONS, "wait", "until", "clock", "branch", "gone")

JOURNEY_FUNNEL = table(
    "mart__journey_funnel",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("journey_id", TEXT, "Journey", required=True),
    column("step_id", TEXT, "Step", required=True),
    column(
        "place",
        INTEGER,
        "Place of the step in the definition in force, from 1; 0 of a step that it no longer has",
        required=True,
    ),
    column(
        "kind", TEXT, "What the step does; gone of a step that the definition no longer has", required=True, among=KIND
    ),
    column("owner", TEXT, "Who answers for the step (R102)"),
    column("entered_count", INTEGER, "Times somebody came to the step", required=True, between=COUNT),
    column("passed_count", INTEGER, "Of them: went on, or came to the journey's end", required=True, between=COUNT),
    column("waiting_count", INTEGER, "Of them: stand there tonight", required=True, between=COUNT),
    column("ended_count", INTEGER, "Of them: left there by the goal, an exit or a limit", required=True, between=COUNT),
    column("goal_count", INTEGER, "Of those who left: by the goal", required=True, between=COUNT),
    column("refused_count", INTEGER, "Of all: got nothing at this step", required=True, between=COUNT),
    column(
        "late_count",
        INTEGER,
        "Of all: the step was done after its limit, or is not done and its limit has passed",
        required=True,
        between=COUNT,
    ),
    column("definition_hash", TEXT, "Hash of the journey in force", required=True),
    grain=("business_on", "journey_id", "step_id"),
    cut="business_on",
    owner="marketing",
    says="The funnel of each journey by step and night: entered = passed + waiting + ended.",
)


@mart(JOURNEY_FUNNEL, stage="send")
def journey_funnel(night: Night) -> sa.Select[Any]:
    """Every step of the journeys in force, and those that people were at under an older version."""
    counted, steps = _counted(night).cte("counted"), _steps(night)
    known = sa.and_(steps.c.journey_id == counted.c.journey_id, steps.c.step_id == counted.c.step_id)
    journey_id = sa.func.coalesce(steps.c.journey_id, counted.c.journey_id)
    counts = [name for name in (column.name for column in JOURNEY_FUNNEL.c) if name.endswith("_count")]
    return sa.select(
        on(night.business_on).label("business_on"),
        journey_id.label("journey_id"),
        sa.func.coalesce(steps.c.step_id, counted.c.step_id).label("step_id"),
        sa.func.coalesce(steps.c.place, 0).label("place"),
        sa.func.coalesce(steps.c.kind, "gone").label("kind"),
        steps.c.owner,
        *[sa.func.coalesce(counted.c[name], 0).label(name) for name in counts],
        _hashes(night, journey_id).label("definition_hash"),
    ).select_from(steps.outerjoin(counted, known, full=True))


def _counted(night: Night) -> sa.Select[Any]:
    """journey_id, step_id and the counts, of what the ledger holds up to this night."""
    v, entry, count = RAW_JOURNEY_VISIT.c, RAW_JOURNEY_ENTRY.c, sa.func.count
    same = sa.and_(v.journey_id == entry.journey_id, v.contact_id == entry.contact_id, v.occurrence == entry.occurrence)
    is_last = v.number == entry.number
    ended = sa.and_(is_last, entry.state.in_(("goal", "exited", "expired")))
    refused = sa.and_(v.outcome.is_not(None), v.outcome.not_in((*REFUSED_NOT, *_DECIDED)), ~ended)
    refused = sa.or_(refused, v.outcome.in_((JOURNEY_ENDED, ALREADY_GIVEN)))
    is_action = _is_action(night, v.journey_id, v.step_id)
    late = sa.func.coalesce(v.handled_at, at(planned_at(night))) > v.due_at
    return (
        sa.select(
            v.journey_id,
            v.step_id,
            count().label("entered_count"),
            count().filter(v.left_at.is_not(None), sa.not_(ended)).label("passed_count"),
            count().filter(v.left_at.is_(None)).label("waiting_count"),
            count().filter(v.left_at.is_not(None), ended).label("ended_count"),
            count().filter(is_last, entry.state == "goal").label("goal_count"),
            count().filter(refused, is_action).label("refused_count"),
            count().filter(late).label("late_count"),
        )
        .join_from(RAW_JOURNEY_VISIT, RAW_JOURNEY_ENTRY, same)
        .where(v.business_on <= on(night.business_on))
        .group_by(v.journey_id, v.step_id)
    )


_DECIDED = ("waited", "timeout", "came")


def _is_action(night: Night, journey_id: Any, step_id: Any) -> sa.ColumnElement[bool]:
    steps = [
        sa.and_(journey_id == journey.id, step_id == step.id)
        for journey in night.definitions.of(Journey).values()
        for step in journey.steps
        if step.kind in ACTIONS
    ]
    return sa.or_(sa.false(), *steps)


def _steps(night: Night) -> sa.Subquery:
    """Every step of the journeys in force, in their order."""
    rows = [
        (journey.id, step.id, place, step.kind, step.owner)
        for journey in night.definitions.of(Journey).values()
        for place, step in enumerate(journey.steps, 1)
    ]
    names = ("journey_id", "step_id", "place", "kind", "owner")
    selects = [
        sa.select(*[sa.literal(value).label(name) for name, value in zip(names, row, strict=True)]) for row in rows
    ]
    none = sa.select(
        *[sa.cast(sa.null(), INTEGER if name == "place" else TEXT).label(name) for name in names]  # type: ignore[misc]
    ).where(sa.false())
    return sa.union_all(none, *selects).subquery("steps") if selects else none.subquery("steps")


def _hashes(night: Night, journey_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    known = {id: hash_of(night, f"journeys/{id}") for id in night.definitions.of(Journey)}
    gone = sa.literal(hash_of(night, "journeys"))
    return sa.case(known, value=journey_id, else_=gone) if known else gone
