"""Who falls into which arm: by a hash of experiment, salt and contact, unless the ledger has them in one already (R92).

What belongs here: arms as Selects and expressions, the experiment that a sending belongs to. What does not: keeping assignments
(`warehouse/ledger/planned.py`), holdouts (`holdout.py`), the rollout's own circle (`vesper/rollout.py`: another hash, another question).

The bucket is the first eight bytes of SHA-256(experiment|salt|contact) in hexadecimal: texts of one length compare as the numbers do, exactly.
Contacts that were merged keep the earliest assignment of any of them.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from vesper.clock import at as moment
from vesper.clock import on
from vesper.definition_set import DefinitionSet
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.experiment import Arm, Experiment
from vesper.model.journey import Journey
from vesper.night import Night
from vesper.tables.experiment import RAW_ASSIGNMENT, RAW_DECISION
from vesper.tables.identity import CONTACT_ALIAS

DIGITS = 16
WHOLE = 16**DIGITS
WAITS = "experiment"
"""The refusal of whom an experiment does not ask and who waits for its winner."""
Expression = sa.ColumnElement[Any]


def bucket(key: str, salt: str, contact_id: str) -> str:
    """Where a person stands in an experiment: sixteen hex digits, the same for ever. The same in SQL below."""
    return hashlib.sha256(f"{key}|{salt}|{contact_id}".encode()).hexdigest()[:DIGITS]


def bucket_of(key: str, salt: str, contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """SQL: `bucket`."""
    hashed = sa.func.sha256(sa.literal(f"{key}|{salt}|") + contact_id, type_=sa.String)
    return sa.func.substr(hashed, 1, DIGITS, type_=sa.String)


def end_of(share: float) -> str:
    """The first bucket outside a share smaller than 1."""
    return f"{min(round(share * WHOLE), WHOLE - 1):0{DIGITS}x}"


def is_in_share(share: float, bucket: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL: whether a bucket lies in a share of everybody."""
    return sa.true() if share >= 1 else sa.false() if share <= 0 else bucket < end_of(share)


def arm_of(experiment: Experiment, contact_id: str) -> str | None:
    """The arm of somebody whom the ledger has in none; None of who is not asked. The same in SQL below."""
    if experiment.of_audience < 1 and bucket(_asked(experiment), experiment.salt, contact_id) >= end_of(
        experiment.of_audience
    ):
        return None
    mine = bucket(experiment.id, experiment.salt, contact_id)
    return next((id for id, end in _ends(experiment) if mine < end), experiment.arms[-1].id)


def arm_by_hash(experiment: Experiment, contact_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """SQL: `arm_of`."""
    mine = bucket_of(experiment.id, experiment.salt, contact_id)
    arm: Expression = sa.case(
        *[(mine < end, sa.literal(id)) for id, end in _ends(experiment)], else_=sa.literal(experiment.arms[-1].id)
    )
    if experiment.of_audience < 1:
        asked = bucket_of(_asked(experiment), experiment.salt, contact_id)
        arm = sa.case((is_in_share(experiment.of_audience, asked), arm))
    return sa.cast(arm, sa.String)


def known_before(at: dt.datetime) -> sa.ColumnElement[bool]:
    """SQL: assignments made before an instant: what a plan may read."""
    return RAW_ASSIGNMENT.c.planned_at < moment(at)


def assigned(known: sa.ColumnElement[bool], experiment_id: str) -> sa.Select[Any]:
    """The assignments of an experiment: contact_id of today, arm_id, business_on, planned_at; of merged contacts the earliest.

    `known` says which rows there are yet, by the columns of RAW_ASSIGNMENT.
    """
    raw, alias = RAW_ASSIGNMENT.c, CONTACT_ALIAS.alias("assigned_alias")
    contact_id = sa.func.coalesce(alias.c.contact_id, raw.contact_id)
    place = sa.func.row_number().over(partition_by=contact_id, order_by=(raw.planned_at, raw.assignment_id))
    every = (
        sa.select(
            contact_id.label("contact_id"),
            raw.arm_id,
            raw.business_on,
            raw.planned_at,
            place.label("place"),
        )
        .select_from(RAW_ASSIGNMENT.outerjoin(alias, alias.c.old_id == raw.contact_id))
        .where(raw.experiment_id == experiment_id, known)
    )
    rows = every.subquery("every_assignment")
    return sa.select(*[column for column in rows.c if column.name != "place"]).where(rows.c.place == 1)


def winner_of(experiment: Experiment, at: dt.datetime) -> sa.ScalarSelect[Any]:
    """SQL: the arm that was decided for before an instant; NULL while there is none."""
    decision = RAW_DECISION.c
    newest = sa.select(decision.arm_id).where(decision.experiment_id == experiment.id, decision.at < moment(at))
    return newest.order_by(decision.decision_id.desc()).limit(1).scalar_subquery()


def experiment_of(
    definitions: DefinitionSet, outreach_id: str, step_id: str, business_on: dt.date
) -> Experiment | None:
    """The experiment on what a campaign or a journey's step sends; of several that follow each other, the last to begin by a night."""
    begun = [
        experiment
        for experiment in definitions.of(Experiment).values()
        if experiment.about == outreach_id
        and experiment.step in (None, step_id)
        and experiment.starts_on <= business_on
    ]
    return max(begun, key=lambda experiment: (experiment.starts_on, experiment.id), default=None)


def arms(experiment: Experiment, people: sa.FromClause, night: Night, at: dt.datetime) -> sa.Select[Any]:
    """One row for each contact of `people`: contact_id; `arm_id`, the arm of who takes part; `given_id`, the arm whose words they get; `waits`.

    Who was assigned stays there for good. While the experiment assigns, a hash decides for the others, and those whom it does not ask wait.
    Once it is decided everybody else gets the winner, and after its last night, without a winner, the first arm: nobody waits for ever.
    """
    contact = sa.select(people.c.contact_id).distinct().subquery("of_experiment")
    kept = assigned(known_before(at), experiment.id).cte("assigned")
    is_open = experiment.starts_on <= night.business_on <= experiment.ends_on
    won = winner_of(experiment, at)
    dealt = arm_by_hash(experiment, contact.c.contact_id) if is_open else sa.cast(sa.null(), sa.String)
    mine = sa.func.coalesce(kept.c.arm_id, sa.case((won.is_(None), dealt)))
    usual = sa.literal(experiment.arms[0].id)
    given = sa.func.coalesce(mine, won, usual)
    waits = sa.and_(mine.is_(None), won.is_(None)) if is_open else sa.false()
    return sa.select(
        contact.c.contact_id,
        sa.cast(mine, sa.String).label("arm_id"),
        sa.cast(given, sa.String).label("given_id"),
        waits.label("waits"),
    ).select_from(contact.outerjoin(kept, kept.c.contact_id == contact.c.contact_id))


def by_arm(experiment: Experiment, arm_id: Expression, kind: str, otherwise: Expression) -> Expression:
    """SQL: what the arm says under `variant` or `content`; `otherwise` where it says nothing of that."""
    said = {arm.id: getattr(arm, kind) for arm in experiment.arms if getattr(arm, kind) is not None}
    return sa.cast(sa.case(said, value=arm_id, else_=otherwise), sa.String) if said else otherwise


def triggers(definitions: DefinitionSet, night: Night) -> Iterator[Experiment]:
    """The experiments on which journey people enter that assign tonight."""
    for experiment in definitions.of(Experiment).values():
        if experiment.is_of_journeys and experiment.starts_on <= night.business_on <= experiment.ends_on:
            yield experiment


def dealt(experiment: Experiment, night: Night, at: dt.datetime) -> sa.Select[Any]:
    """The assignments of tonight of an experiment on entries: every member of its segment, as rows of the ledger's table."""
    kept = assigned(known_before(at), experiment.id).cte("assigned")
    member = sa.select(SEGMENT_MEMBER.c.contact_id).distinct().where(SEGMENT_MEMBER.c.segment_id == experiment.segment)
    people = member.subquery("member")
    arm = arm_by_hash(experiment, people.c.contact_id)
    return sa.select(
        sa.literal(experiment.id).label("experiment_id"),
        people.c.contact_id,
        arm.label("arm_id"),
        on(night.business_on).label("business_on"),
        moment(at).label("planned_at"),
    ).where(people.c.contact_id.not_in(sa.select(kept.c.contact_id)), winner_of(experiment, at).is_(None))


def may_enter(
    journey: Journey, night: Night, at: dt.datetime, contact_id: sa.ColumnElement[str]
) -> list[sa.ColumnElement[bool]]:
    """SQL: what the experiments on entries ask of who enters a journey: that the person's arm is this journey. Nothing without one.

    Who is in no arm, because they came later, enters the winner; while it is open only people of its segment enter any.
    """
    found = []
    for experiment in night.definitions.of(Experiment).values():
        arm = _arm_for(experiment, journey.id)
        if arm is not None and experiment.starts_on <= night.business_on:
            found.append(_is_let_in(experiment, arm, night, at, contact_id))
    return found


def _is_let_in(
    experiment: Experiment, arm: Arm, night: Night, at: dt.datetime, contact_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    kept = assigned(known_before(at), experiment.id).subquery("let_in")
    member = sa.select(SEGMENT_MEMBER.c.contact_id).where(SEGMENT_MEMBER.c.segment_id == experiment.segment)
    dealt = sa.and_(contact_id.in_(member), arm_by_hash(experiment, contact_id) == arm.id)
    undecided = dealt if night.business_on <= experiment.ends_on else sa.literal(arm is experiment.arms[0])
    won = winner_of(experiment, at)
    return sa.or_(
        contact_id.in_(sa.select(kept.c.contact_id).where(kept.c.arm_id == arm.id)),
        sa.and_(
            contact_id.not_in(sa.select(kept.c.contact_id)),
            sa.case((won.is_not(None), won == arm.id), else_=undecided),
        ),
    )


def _arm_for(experiment: Experiment, journey_id: str) -> Arm | None:
    return next((arm for arm in experiment.arms if arm.journey == journey_id), None)


def _asked(experiment: Experiment) -> str:
    """The key of who takes part at all: another one than that of the arms, so that it says nothing of them."""
    return f"{experiment.id}|asked"


def _ends(experiment: Experiment) -> list[tuple[str, str]]:
    """Each arm but the last with the first bucket that is not its own any more."""
    ends, reached = [], 0.0
    for arm in experiment.arms[:-1]:
        reached += arm.share
        ends.append((arm.id, end_of(reached)))
    return ends
