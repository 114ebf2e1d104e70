"""The stage each contact stands in: the first that holds and may be entered from where the contact stood, so that it is always exactly one (R40, R41).

What belongs here: the Selects of stages and of their changes. What does not: the tables (marts/lifecycle.py, marts/lifecycle_change.py) and the
stages themselves (definitions/lifecycle/).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.conditions.people import NO_INSTANT, people
from vesper.definition_hash import hash_of
from vesper.held import is_held
from vesper.model.lifecycle import Lifecycle, LifecycleStage
from vesper.night import Night
from vesper.shared import is_first
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
    now = (_yesterday(night, previous_stage) if is_waiting else _tonight(night, previous_stage)).cte("now")
    is_first_night = _is_first_night(night, previous_stage)
    told = sa.func.least(sa.func.coalesce(now.c.since_at, at(night.cutoff_at)), at(night.cutoff_at))
    entered_at = sa.case(
        (now.c.old_stage == now.c.stage, now.c.old_entered_at), (is_first_night, told), else_=at(night.cutoff_at)
    )
    return sa.select(
        on(night.business_on).label("business_on"),
        now.c.contact_id,
        now.c.stage,
        entered_at.label("entered_at"),
        now.c.rule_id,
        now.c.refused_stage,
        sa.literal(hash_of(night, "lifecycle")).label("definition_hash"),
    )


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


def unsettled(previous_stage: sa.Table) -> sa.Select[Any]:
    """Contacts (contact_id) whose stage may change tonight although nothing else did: from where they stand now, a refused stage may be open.

    Who stands in the first stage that holds stays there until a fact changes.
    """
    return sa.select(previous_stage.c.contact_id).where(previous_stage.c.refused_stage.is_not(None))


def _is_first_night(night: Night, previous_stage: sa.Table) -> sa.ColumnElement[bool]:
    if night.shared:
        return sa.true() if is_first(night, previous_stage) else sa.false()
    return sa.select(sa.func.count()).select_from(previous_stage.alias("history")).scalar_subquery() == 0


def _tonight(night: Night, previous_stage: sa.Table) -> sa.Select[Any]:
    """The first stage that holds and admits the contact; who is admitted nowhere stays where it is.

    A stage of the night before that the lifecycle no longer has makes a newcomer.
    """
    stages, old = stages_of(night), previous_stage.c
    standing = _standing(night)
    before = sa.case((old.stage.in_([stage.id for stage in stages]), old.stage))
    holds = [standing.c[f"holds_{place}"] for place in range(len(stages) - 1)] + [sa.true()]
    legal = [sa.and_(hold, _admits(stage, before)) for hold, stage in zip(holds, stages, strict=True)]
    picked = (
        sa.select(
            standing,
            _first_of(legal).label("place"),
            _first_of(holds).label("wanted"),
            *_before(previous_stage),
        )
        .join_from(standing, previous_stage, old.contact_id == standing.c.contact_id, isouter=True)
        .subquery("picked")
    )
    of_place = dict(enumerate(stages))
    stands = _looked_up(picked.c.place, {n: sa.literal(one.id) for n, one in of_place.items()}, picked.c.old_stage)
    rules = {n: sa.literal(_rule_id(night, one)) for n, one in of_place.items()}
    wanted = _looked_up(picked.c.wanted, {n: sa.literal(one.id) for n, one in of_place.items()})
    return sa.select(
        picked.c.contact_id,
        stands.label("stage"),
        _looked_up(picked.c.place, rules, picked.c.old_rule_id).label("rule_id"),
        _looked_up(picked.c.place, {n: picked.c[f"since_{n}"] for n in of_place}).label("since_at"),
        sa.case((picked.c.wanted.is_distinct_from(picked.c.place), sa.func.nullif(wanted, stands))).label(
            "refused_stage"
        ),
        picked.c.old_stage,
        picked.c.old_entered_at,
    )


def _standing(night: Night) -> sa.Subquery:
    """Every golden contact, with `holds_N` for each stage but the last, which holds for all, and `since_N` where the facts tell since when.

    One aggregate, not a window over every stage of every contact, which takes a quarter more time.
    """
    *tried, last = stages_of(night)
    everybody = people(last.when, night).subquery("everybody")
    columns = [everybody.c.contact_id, everybody.c.since_at.label(f"since_{len(tried)}")]
    found = [people(stage.when, night).subquery() for stage in tried]
    holding = sa.union_all(
        *[sa.select(who.c.contact_id, who.c.since_at, sa.literal(n).label("place")) for n, who in enumerate(found)]
    ).subquery("holding")
    place = holding.c.place
    aggregates = [
        column
        for n in range(len(tried))
        for column in (
            (sa.func.count().filter(place == n) > 0).label(f"holds_{n}"),
            sa.func.max(holding.c.since_at).filter(place == n).label(f"since_{n}"),
        )
    ]
    held = sa.select(holding.c.contact_id, *aggregates).group_by(holding.c.contact_id).subquery("held")
    columns += [held.c[column.name] for column in aggregates]
    same = held.c.contact_id == everybody.c.contact_id
    return sa.select(*columns).join_from(everybody, held, same, isouter=True).subquery("standing")


def _first_of(truths: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[Any]:
    """The place of the first that is true; NULL where none is."""
    return sa.case(*[(truth, sa.literal(n)) for n, truth in enumerate(truths)])


def _looked_up(
    place: sa.ColumnElement[Any], values: Mapping[int, sa.ColumnElement[Any]], otherwise: Any = None
) -> sa.ColumnElement[Any]:
    return sa.case(*[(place == n, value) for n, value in values.items()], else_=otherwise)


def _admits(stage: LifecycleStage, before: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    if stage.comes_from is None:
        return sa.true()
    return sa.or_(before.is_(None), before.in_([stage.id, *stage.comes_from]))


def _before(previous_stage: sa.Table) -> list[sa.ColumnElement[Any]]:
    old = previous_stage.c
    return [
        old.stage.label("old_stage"),
        old.rule_id.label("old_rule_id"),
        old.entered_at.label("old_entered_at"),
    ]


def _yesterday(night: Night, previous_stage: sa.Table) -> sa.Select[Any]:
    """The stage of the night before, because a source that the stages read has a hole (R106); who is new stands in the last stage."""
    last = stages_of(night)[-1]
    old = previous_stage.c
    return sa.select(
        CONTACT.c.contact_id,
        sa.func.coalesce(old.stage, last.id).label("stage"),
        sa.func.coalesce(old.rule_id, _rule_id(night, last)).label("rule_id"),
        NO_INSTANT.label("since_at"),
        old.refused_stage,
        *_before(previous_stage),
    ).join_from(CONTACT, previous_stage, old.contact_id == CONTACT.c.contact_id, isouter=True)


def _rule_id(night: Night, stage: LifecycleStage) -> str:
    return f"{lifecycle_of(night).id}/{stage.id}"
