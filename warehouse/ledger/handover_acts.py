"""What a person does with hand-overs between nights: withdraw one, close a human task; and the lists to choose from.

What belongs here: these acts, each one transaction with a name and a reason. What does not: what a night does (`handover.py`), who may do it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE

WITHDRAWN = "withdrawn"
Notices = Callable[[str, list[tuple[str, str]]], list[dict[str, Any]]]
"""Hand-over and the (channel, recipient) pairs that may know of it -> the notices to be made."""


class ActRefused(LookupError):
    """An act that the ledger's state forbids."""

    def __init__(self, why: Literal["unknown", "ambiguous", "accepted", "over", "closed"], id: str) -> None:
        super().__init__(f"{id}: {why}")
        self.why = why
        self.id = id


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did: notices not sent any more, notices of withdrawal made, human tasks closed."""

    handover_id: str
    kept_back: int
    notices: int
    tasks: int


def withdraw(engine: sa.Engine, id: str, by: str, reason: str, at: dt.datetime, notices: Notices) -> Withdrawal:
    """Withdraw a hand-over that sales have not accepted; `id` may be the beginning of one.

    What has not left stays here; who was told, or may have been, is told of the withdrawal. Its human task is closed. Raises ActRefused.
    """
    with engine.begin() as connection:
        row = _one(connection, HANDOVER, HANDOVER.c.handover_id, id)
        if row.state != "open":
            raise ActRefused("accepted" if row.state == "accepted" else "over", row.handover_id)
        mine = NOTICE.c.handover_id == row.handover_id
        waiting = sa.update(NOTICE).where(mine, NOTICE.c.state == "planned")
        kept_back = connection.execute(waiting.values(state="refused", reason=WITHDRAWN, final_at=at)).rowcount
        may_know = NOTICE.c.state.in_(("sending", "accepted", "unknown"))
        told = connection.execute(sa.select(NOTICE.c.channel, NOTICE.c.recipient).where(mine, may_know).distinct())
        made = insert_new(
            connection, NOTICE, notices(row.handover_id, [(pair.channel, pair.recipient) for pair in told])
        )
        gone = sa.update(HANDOVER).where(HANDOVER.c.handover_id == row.handover_id)
        connection.execute(gone.values(state=WITHDRAWN, ended_at=at, withdrawn_by=by, withdrawn_reason=reason))
        tasks = _closed(connection, HUMAN_TASK.c.handover_id == row.handover_id, by, reason, at)
    return Withdrawal(row.handover_id, int(kept_back), made, tasks)


def close_task(engine: sa.Engine, id: str, by: str, reason: str, at: dt.datetime) -> str:
    """Close a human task, after which marketing may write again; returns its id. `id` may be the beginning of one. Raises ActRefused."""
    with engine.begin() as connection:
        row = _one(connection, HUMAN_TASK, HUMAN_TASK.c.task_id, id)
        if not _closed(connection, HUMAN_TASK.c.task_id == row.task_id, by, reason, at):
            raise ActRefused("closed", row.task_id)
    return str(row.task_id)


def is_taken_over(connection: sa.Connection, contact_id: str) -> bool:
    """Whether a person talks to a contact now, read in the caller's transaction (R64)."""
    found = sa.select(HUMAN_TASK.c.task_id).where(HUMAN_TASK.c.contact_id == contact_id, HUMAN_TASK.c.is_open)
    return connection.execute(found).first() is not None


def open_tasks(engine: sa.Engine) -> list[Any]:
    """Open human tasks, oldest first."""
    query = sa.select(HUMAN_TASK).where(HUMAN_TASK.c.is_open).order_by(HUMAN_TASK.c.opened_at, HUMAN_TASK.c.task_id)
    with reading(engine) as connection:
        return list(connection.execute(query))


def active(engine: sa.Engine) -> list[Any]:
    """Hand-overs that sales have not answered finally, those due first."""
    held = HANDOVER.c
    query = sa.select(HANDOVER).where(held.state.in_(("open", "accepted"))).order_by(held.due_at, held.handover_id)
    with reading(engine) as connection:
        return list(connection.execute(query))


def known(engine: sa.Engine, ids: Sequence[str]) -> dict[str, Any]:
    """Hand-overs by their ids, those that there are."""
    query = sa.select(HANDOVER).where(HANDOVER.c.handover_id.in_(sorted(set(ids))))
    with reading(engine) as connection:
        return {row.handover_id: row for row in connection.execute(query)}


def _one(connection: sa.Connection, table: sa.Table, id: sa.Column[str], beginning: str) -> Any:
    """The one row whose id begins so, its row held against others."""
    found = connection.execute(
        sa.select(table).where(id.startswith(beginning, autoescape=True)).with_for_update()
    ).all()
    if not beginning or not found:
        raise ActRefused("unknown", beginning)
    if len(found) > 1:
        raise ActRefused("ambiguous", beginning)
    return found[0]


def _closed(connection: sa.Connection, which: sa.ColumnElement[bool], by: str, reason: str, at: dt.datetime) -> int:
    close = sa.update(HUMAN_TASK).where(which, HUMAN_TASK.c.is_open)
    values = {"is_open": False, "closed_at": at, "closed_by": by, "closed_reason": reason}
    return int(connection.execute(close.values(values)).rowcount)
