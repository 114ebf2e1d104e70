"""What a goal measures, as a Select of one row with `part` and `whole`, like the figures of the monitoring table (R24).

What belongs here: one function per figure of `vesper/model/goal.py`. What does not: the table of goals (`vesper/marts/goal.py`).
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.model.goal import EventCount, Goal, Passed, Returned
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.watch import figure, since


def measured(goal: Goal, night: Night) -> sa.Select[Any]:
    """`part` and `whole` of the goal's figure over its period; a whole of 0 or NULL means: not measured."""
    asked, since_on = goal.measures.stated, since(goal.period, night)
    if isinstance(asked, str):
        return figure(asked)(night, since_on)
    if isinstance(asked, EventCount):
        return _events(asked, night, since_on)
    if isinstance(asked, Passed):
        return _passed(asked, night, since_on)
    if isinstance(asked, Returned):
        return _returned(asked, night, since_on)
    return _new_contacts(night, since_on)


def _new_contacts(night: Night, since_on: dt.date) -> sa.Select[Any]:
    first = CONTACT.c.first_seen_on
    return _number(sa.select(sa.func.count().label("part")).where(first.between(on(since_on), on(night.business_on))))


def _events(asked: EventCount, night: Night, since_on: dt.date) -> sa.Select[Any]:
    event = EVENT.c
    return _number(
        sa.select(sa.func.count().label("part")).where(
            event.kind.in_(asked.kind), ~event.is_machine, event.on.between(on(since_on), on(night.business_on))
        )
    )


def _number(counted: sa.Select[Any]) -> sa.Select[Any]:
    """A count as a figure: a part of one whole."""
    found = counted.subquery("counted")
    return sa.select(found.c.part, sa.literal(1).label("whole"))


def _passed(asked: Passed, night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Contacts by the first night on which they entered the stage in the period, and whether they entered a next one on that night or later."""
    change = LIFECYCLE_CHANGE.c
    entered = (
        sa.select(change.contact_id, sa.func.min(change.business_on).label("entered_on"))
        .where(change.to_stage == asked.stage, change.business_on.between(on(since_on), on(night.business_on)))
        .group_by(change.contact_id)
        .subquery("entered")
    )
    later = LIFECYCLE_CHANGE.alias("later").c
    went_on = sa.exists().where(
        later.contact_id == entered.c.contact_id,
        later.to_stage.in_(asked.to),
        later.business_on.between(entered.c.entered_on, on(night.business_on)),
    )
    one = sa.select(sa.case((went_on, 1), else_=0).label("went_on")).select_from(entered).subquery("one")
    return sa.select(sa.func.sum(one.c.went_on).label("part"), sa.func.count().label("whole")).select_from(one)


def _returned(asked: Returned, night: Night, since_on: dt.date) -> sa.Select[Any]:
    """Who left the stage in the period for a better one, of all who left it or stand in it tonight."""
    change = LIFECYCLE_CHANGE.c
    in_period = change.business_on.between(on(since_on), on(night.business_on))
    left = sa.select(change.contact_id, change.to_stage.in_(asked.to).label("better")).where(
        change.from_stage == asked.stage, change.to_stage.is_not(None), in_period
    )
    stands = sa.select(LIFECYCLE.c.contact_id, sa.false().label("better")).where(LIFECYCLE.c.stage == asked.stage)
    everyone = sa.union_all(left, stands).subquery("everyone")
    each = (
        sa.select(everyone.c.contact_id, sa.func.max(sa.cast(everyone.c.better, sa.Integer)).label("better"))
        .group_by(everyone.c.contact_id)
        .subquery("each_one")
    )
    return sa.select(sa.func.sum(each.c.better).label("part"), sa.func.count().label("whole")).select_from(each)
