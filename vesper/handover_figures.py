"""The figures of the hand-over stage's page, as Selects over its own tables. What they mean stands in the marts."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts.follow_up import FOLLOW_UP
from vesper.marts.handover import HANDOVER
from vesper.night import Night


def team(night: Night) -> sa.Select[Any]:
    """Follow-up by representative tonight, the whole team last (R68)."""
    names = ("owner", "open_count", "due_count", "timely_count", "timely_ratio", "target_ratio")
    mine = FOLLOW_UP.c.business_on == on(night.business_on)
    order = (FOLLOW_UP.c.owner == "all", FOLLOW_UP.c.owner)
    return sa.select(*[FOLLOW_UP.c[name] for name in names]).where(mine).order_by(*order)


def breaches(night: Night) -> sa.Select[Any]:
    """Tonight's hand-overs that were recorded or told of more than ten minutes after their score (R63)."""
    names = ("handover_id", "score", "owner", "created_at", "notified_at")
    mine = sa.and_(HANDOVER.c.is_late, HANDOVER.c.business_on == on(night.business_on))
    return sa.select(*[HANDOVER.c[name] for name in names]).where(mine).order_by(HANDOVER.c.handover_id)
