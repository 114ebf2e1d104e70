"""What the ledger remembers of each contact's hand-overs and human tasks, and what tonight's scores change in it.

What belongs here: the Selects over the ledger's copies. What does not: who is handed over tonight (`handover.py`), what sales answered
(`handover_answers.py`). A retired contact id counts as the contact that holds its person now.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import at, on
from vesper.marts.handover import RAW_HANDOVER, RAW_HUMAN_TASK
from vesper.marts.score import SCORE
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.identity import CONTACT_ALIAS

ACTIVE = ("open", "accepted")


def ready(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """contact_id, score and mql_preset of everybody with a score tonight, and `is_ready`: an MQL, or at takeover_at and above."""
    is_ready = sa.or_(SCORE.c.is_mql, is_high(SCORE.c.score, policy))
    return sa.select(SCORE.c.contact_id, SCORE.c.score, SCORE.c.mql_preset, is_ready.label("is_ready")).where(
        SCORE.c.business_on == on(night.business_on)
    )


def is_high(score: sa.ColumnElement[int], policy: SalesPolicy) -> sa.ColumnElement[bool]:
    """SQL: whether a score asks for a person (R64); never where the policy has no takeover_at."""
    return sa.false() if policy.takeover_at is None else score >= policy.takeover_at


def handed() -> sa.Select[Any]:
    """By contact: the last episode's number, the active hand-over with its state and owner, and whether the newest one's readiness still stands."""
    newest = _handovers().subquery("newest")
    is_active = sa.and_(newest.c.rank == 1, newest.c.state.in_(ACTIVE))
    stands = sa.func.count().filter(sa.and_(newest.c.rank == 1, newest.c.lapsed_on.is_(None)))
    return sa.select(
        newest.c.contact_id,
        sa.func.max(newest.c.episode).label("episodes"),
        sa.func.max(newest.c.handover_id).filter(is_active).label("active_id"),
        sa.func.max(newest.c.state).filter(is_active).label("active_state"),
        sa.func.max(newest.c.owner).filter(is_active).label("active_owner"),
        (stands > 0).label("is_standing"),
    ).group_by(newest.c.contact_id)


def tasked() -> sa.Select[Any]:
    """By contact: the last task's number, whether one is open, since when the newest is known, and whether its score still stands."""
    task = _tasks().subquery("task")
    stands = sa.func.count().filter(sa.and_(task.c.rank == 1, task.c.lapsed_on.is_(None)))
    return sa.select(
        task.c.contact_id,
        sa.func.max(task.c.number).label("tasks"),
        sa.func.bool_or(task.c.is_open).label("has_open"),
        sa.func.max(sa.func.coalesce(task.c.closed_at, task.c.opened_at)).label("known_at"),
        (stands > 0).label("is_standing"),
    ).group_by(task.c.contact_id)


def kept(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """Conservation: how many are ready tonight, and how many of them have a hand-over that is active or stands for this episode (R63)."""
    now, before = ready(night, policy).cte("now"), handed().cte("handed")
    has_one = sa.or_(before.c.is_standing, before.c.active_id.is_not(None))
    joined = now.outerjoin(before, before.c.contact_id == now.c.contact_id)
    counted = (sa.func.count().label("ready"), sa.func.count().filter(has_one).label("handed_over"))
    return sa.select(*counted).select_from(joined).where(now.c.is_ready)


def taken_over(night: Night, at_instant: dt.datetime) -> sa.Select[Any]:
    """Contacts with whom a person talks at an instant: those of a human task that is open then (R64, R65)."""
    task, merged = RAW_HUMAN_TASK.c, CONTACT_ALIAS.alias("taken_alias")
    joined = RAW_HUMAN_TASK.outerjoin(merged, merged.c.old_id == task.contact_id)
    is_open = sa.or_(task.is_open, task.closed_at > at(at_instant))
    found = sa.select(sa.func.coalesce(merged.c.contact_id, task.contact_id)).select_from(joined)
    return found.where(task.opened_on <= on(night.business_on), is_open)


def turns(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """The newest hand-over of each contact whose readiness is over tonight, or came back while it was active: `id`, `stands`."""
    newest, now = _handovers().cte("newest"), ready(night, policy).cte("now")
    stands = sa.func.coalesce(now.c.is_ready, sa.false())
    joined = newest.outerjoin(now, now.c.contact_id == newest.c.contact_id)
    return _turned(joined, newest, newest.c.handover_id, newest.c.state.in_(ACTIVE), stands)


def task_turns(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """The same of human tasks, by takeover_at."""
    newest, now = _tasks().cte("newest"), ready(night, policy).cte("now")
    stands = sa.func.coalesce(is_high(now.c.score, policy), sa.false())
    joined = newest.outerjoin(now, now.c.contact_id == newest.c.contact_id)
    return _turned(joined, newest, newest.c.task_id, newest.c.is_open, stands)


def _turned(
    joined: sa.FromClause,
    newest: sa.CTE,
    id: sa.ColumnElement[str],
    is_active: sa.ColumnElement[bool],
    stands: sa.ColumnElement[bool],
) -> sa.Select[Any]:
    comes_back = sa.and_(stands, newest.c.lapsed_on.is_not(None), is_active)
    is_over = sa.and_(sa.not_(stands), newest.c.lapsed_on.is_(None))
    turned = sa.select(id.label("id"), stands.label("stands")).select_from(joined)
    return turned.where(newest.c.rank == 1, sa.or_(comes_back, is_over)).order_by(id)


def _handovers() -> sa.Select[Any]:
    """Every hand-over by the contact of today; rank 1 is the active one, else the newest."""
    held, merged = RAW_HANDOVER.c, CONTACT_ALIAS.alias("handed_alias")
    contact_id = sa.func.coalesce(merged.c.contact_id, held.contact_id)
    order = (held.state.in_(ACTIVE).desc(), held.business_on.desc(), held.episode.desc(), held.handover_id)
    rank = sa.func.row_number().over(partition_by=contact_id, order_by=order)
    columns = (held.handover_id, held.state, held.owner, held.lapsed_on, held.episode)
    joined = RAW_HANDOVER.outerjoin(merged, merged.c.old_id == held.contact_id)
    return sa.select(contact_id.label("contact_id"), *columns, rank.label("rank")).select_from(joined)


def _tasks() -> sa.Select[Any]:
    """Every human task by the contact of today; rank 1 is the open one, else the newest."""
    task, merged = RAW_HUMAN_TASK.c, CONTACT_ALIAS.alias("tasked_alias")
    contact_id = sa.func.coalesce(merged.c.contact_id, task.contact_id)
    order = (task.is_open.desc(), task.opened_on.desc(), task.number.desc(), task.task_id)
    rank = sa.func.row_number().over(partition_by=contact_id, order_by=order)
    columns = (task.task_id, task.number, task.is_open, task.lapsed_on, task.opened_at, task.closed_at)
    joined = RAW_HUMAN_TASK.outerjoin(merged, merged.c.old_id == task.contact_id)
    return sa.select(contact_id.label("contact_id"), *columns, rank.label("rank")).select_from(joined)
