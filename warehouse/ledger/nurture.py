"""What journeys ask colleagues to do, in the ledger: the list of what is open, and closing one (R64, R73).

What belongs here: rows of `nurture_task` after they were opened. What does not: opening them (`journey.py`), words (`tasks/nurture.py`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from warehouse.ledger.engine import reading
from warehouse.ledger.journey_schema import NURTURE_TASK


class TaskRefused(LookupError):
    """A task that cannot be closed."""

    def __init__(self, why: Literal["unknown", "ambiguous", "closed"], id: str) -> None:
        super().__init__(f"{id}: {why}")
        self.why = why
        self.id = id


@dataclass(frozen=True)
class OpenTask:
    """A task that waits for a colleague."""

    task_id: str
    journey_id: str
    step_id: str
    contact_id: str
    kind: str
    owner: str
    opened_at: dt.datetime
    due_at: dt.datetime


def open_tasks(engine: sa.Engine, owner: str | None = None) -> list[OpenTask]:
    """Open tasks of everybody or of one owner, those due first."""
    task = NURTURE_TASK.c
    columns = [task[name] for name in OpenTask.__dataclass_fields__]
    query = sa.select(*columns).where(task.is_open).order_by(task.due_at, task.task_id)
    with reading(engine) as connection:
        return [
            OpenTask(*row) for row in connection.execute(query if owner is None else query.where(task.owner == owner))
        ]


def close(engine: sa.Engine, id: str, by: str, reason: str, at: dt.datetime) -> str:
    """Close a task; `id` may be the beginning of one. Returns its whole id. Raises TaskRefused."""
    task = NURTURE_TASK.c
    with engine.begin() as connection:
        begins = task.task_id.startswith(id, autoescape=True)
        found = (
            connection.execute(sa.select(task.task_id, task.is_open).where(begins).with_for_update()).all()
            if id
            else []
        )
        if len(found) != 1:
            raise TaskRefused("ambiguous" if found else "unknown", id)
        if not found[0].is_open:
            raise TaskRefused("closed", found[0].task_id)
        values = {"is_open": False, "closed_at": at, "closed_by": by, "closed_reason": reason}
        connection.execute(sa.update(NURTURE_TASK).where(task.task_id == found[0].task_id).values(values))
    return str(found[0].task_id)
