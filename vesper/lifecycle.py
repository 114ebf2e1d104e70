"""The stage each contact stands in: the first that holds, the last for everybody else, so that it is always exactly one (R40).

What belongs here: the Selects of stages and of their changes. What does not: the tables (marts/lifecycle.py, marts/lifecycle_change.py) and the
stages themselves (definitions/lifecycle/).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.conditions.people import NO_INSTANT, people
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.model.lifecycle import Lifecycle, LifecycleStage
from vesper.night import Night
from vesper.tables.contact import CONTACT


def lifecycle_of(night: Night) -> Lifecycle:
    """The company's lifecycle (LookupError unless there is exactly one)."""
    found = night.definitions.of(Lifecycle)
    if len(found) != 1:
        raise LookupError(f"a company has one lifecycle; here are {len(found)}: keep one file in definitions/lifecycle")
    return next(iter(found.values()))


def stages_of(night: Night) -> tuple[LifecycleStage, ...]:
    """Its stages in the order they are tried."""
    return lifecycle_of(night).stages or ()


def stage_of_everyone(night: Night, previous_stage: sa.Table) -> sa.Select[Any]:
    """One row per golden contact.

    `entered_at` stays what it was while the stage stays; a new stage begins at the cut-off. On the first night there is no yesterday: it is then
    the instant that the facts tell (the order that made the stage), or the cut-off where they tell none.
    """
    is_waiting = any(is_held(stage.when, night) for stage in stages_of(night))
    now = (_yesterday(night, previous_stage) if is_waiting else _first_match(night)).cte("now")
    before = previous_stage.alias("before")
    history = sa.select(sa.func.count()).select_from(previous_stage.alias("history")).scalar_subquery()
    told = sa.func.least(sa.func.coalesce(now.c.since_at, at(night.cutoff_at)), at(night.cutoff_at))
    entered_at = sa.case(
        (before.c.stage == now.c.stage, before.c.entered_at), (history == 0, told), else_=at(night.cutoff_at)
    )
    return sa.select(
        on(night.business_on).label("business_on"),
        now.c.contact_id,
        now.c.stage,
        entered_at.label("entered_at"),
        now.c.rule_id,
        sa.literal(hash_of(night, "lifecycle")).label("definition_hash"),
    ).join_from(now, before, before.c.contact_id == now.c.contact_id, isouter=True)


def changes(night: Night, stage: sa.Table, previous_stage: sa.Table) -> sa.Select[Any]:
    """One row per contact whose stage differs from the night before; also who came (no from_stage) and who went (no to_stage)."""
    old, new = previous_stage.c, stage.c
    return (
        sa.select(
            on(night.business_on).label("business_on"),
            sa.func.coalesce(new.contact_id, old.contact_id).label("contact_id"),
            old.stage.label("from_stage"),
            new.stage.label("to_stage"),
            new.rule_id.label("rule_id"),
            sa.func.coalesce(new.entered_at, at(night.cutoff_at)).label("at"),
            sa.literal(hash_of(night, "lifecycle")).label("definition_hash"),
        )
        .join_from(stage, previous_stage, old.contact_id == new.contact_id, full=True)
        .where(old.stage.is_distinct_from(new.stage))
    )


def _first_match(night: Night) -> sa.Select[Any]:
    """contact_id, stage, rule_id and, where the facts tell it, since_at."""
    found = [(place, stage, people(stage.when, night).subquery()) for place, stage in enumerate(stages_of(night))]
    holding = sa.union_all(
        *[
            sa.select(
                who.c.contact_id,
                who.c.since_at,
                sa.literal(place).label("place"),
                sa.literal(stage.id).label("stage"),
                sa.literal(_rule_id(night, stage)).label("rule_id"),
            )
            for place, stage, who in found
        ]
    ).subquery("holding")
    nth = sa.func.row_number().over(partition_by=holding.c.contact_id, order_by=holding.c.place)
    tried = sa.select(holding, nth.label("nth")).subquery("tried")
    golden = sa.select(CONTACT.c.contact_id)
    return sa.select(tried.c.contact_id, tried.c.stage, tried.c.rule_id, tried.c.since_at).where(
        tried.c.nth == 1, tried.c.contact_id.in_(golden)
    )


def _yesterday(night: Night, previous_stage: sa.Table) -> sa.Select[Any]:
    """The stage of the night before, because a source that the stages read has a hole (R106); who is new stands in the last stage."""
    last = stages_of(night)[-1]
    old = previous_stage.c
    return sa.select(
        CONTACT.c.contact_id,
        sa.func.coalesce(old.stage, last.id).label("stage"),
        sa.func.coalesce(old.rule_id, _rule_id(night, last)).label("rule_id"),
        NO_INSTANT.label("since_at"),
    ).join_from(CONTACT, previous_stage, old.contact_id == CONTACT.c.contact_id, isouter=True)


def _rule_id(night: Night, stage: LifecycleStage) -> str:
    return f"{lifecycle_of(night).id}/{stage.id}"
