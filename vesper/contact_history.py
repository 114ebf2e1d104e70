"""How a contact's fields were over time: each value with the instants between which it held.

What belongs here: the Select that carries the intervals from one night to the next. What does not: the table (marts/contact_history.py).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.definition_hash import hash_of
from vesper.marts.lifecycle import LIFECYCLE
from vesper.night import Night
from vesper.tables.contact import CONTACT

STAGE = "stage"
FIELDS = (STAGE, "province", "city", "owner")


def histories(night: Night, previous_history: sa.Table) -> sa.Select[Any]:
    """Every interval of every field; `valid_to` is empty where the value holds tonight.

    A value begins and ends at a night's cut-off; the stage that stood on the first night begins when the lifecycle says it began.
    """
    now, before = _tonight(night).cte("now"), previous_history
    made_by = sa.literal(hash_of(night, "lifecycle")).label("definition_hash")
    same = sa.and_(
        now.c.contact_id == before.c.contact_id, now.c.field == before.c.field, now.c.value == before.c.value
    )
    is_over = sa.or_(before.c.valid_to.is_not(None), now.c.contact_id.is_(None))
    ended_at = sa.case((is_over, sa.func.coalesce(before.c.valid_to, at(night.cutoff_at))))
    kept = sa.select(
        before.c.contact_id, before.c.field, before.c.value, before.c.valid_from, ended_at.label("valid_to")
    ).join_from(before, now, same, isouter=True)
    holding = sa.select(before).where(before.c.valid_to.is_(None)).subquery("holding")
    open_end = sa.cast(sa.null(), sa.DateTime).label("valid_to")
    fresh = sa.select(*now.c, open_end).where(
        ~sa.exists().where(
            holding.c.contact_id == now.c.contact_id,
            holding.c.field == now.c.field,
            holding.c.value == now.c.value,
        )
    )
    every = sa.union_all(kept, fresh).subquery("intervals")
    return sa.select(on(night.business_on).label("business_on"), every, made_by)


def _tonight(night: Night) -> sa.Select[Any]:
    """contact_id, field, value, valid_from: what stands tonight, and since when if it began tonight."""
    stage = LIFECYCLE.c
    parts = [
        sa.select(
            stage.contact_id,
            sa.literal(STAGE).label("field"),
            stage.stage.label("value"),
            stage.entered_at.label("valid_from"),
        )
    ]
    parts += [
        sa.select(CONTACT.c.contact_id, sa.literal(name), CONTACT.c[name], at(night.cutoff_at)).where(
            CONTACT.c[name].is_not(None)
        )
        for name in FIELDS
        if name != STAGE
    ]
    return sa.select(sa.union_all(*parts).subquery("standing"))
