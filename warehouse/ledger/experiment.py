"""Experiments in the ledger: assignments kept, a decision recorded, a person forgotten.

What belongs here: these rows. What does not: assigning (`vesper/experiment/assign.py`; the rows come in with the plan, `planned.py`), judging
(`vesper/experiment/verdict.py`), how a night sees the rows (`experiment_copy.py`).
"""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse.ledger.bulk import insert_new_arrow
from warehouse.ledger.engine import reading
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT, EXPERIMENT_DECISION


def assign(connection: sa.Connection, rows: pa.Table) -> int:
    """Keep the assignments of rows with experiment_id, contact_id, arm_id, business_on and planned_at, in the caller's transaction.

    Rows without an arm are none; who is assigned already stays where they are. Returns how many are new.
    """
    if "arm_id" not in rows.column_names:
        return 0
    return insert_new_arrow(connection, EXPERIMENT_ASSIGNMENT, rows.filter(pc.is_valid(rows["arm_id"])))


def winners(engine: sa.Engine) -> dict[str, str]:
    """Experiment -> the arm that was decided for; without those that nobody decided, or whose decision was taken back."""
    decision = EXPERIMENT_DECISION.c
    newest = sa.select(sa.func.max(decision.decision_id)).group_by(decision.experiment_id)
    query = sa.select(decision.experiment_id, decision.arm_id).where(
        decision.decision_id.in_(newest), decision.arm_id.is_not(None)
    )
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query.order_by(decision.experiment_id))}


def decide(
    engine: sa.Engine,
    experiment_id: str,
    arm_id: str | None,
    business_on: dt.date,
    by: str,
    reason: str,
    at: dt.datetime,
) -> bool:
    """Record a winner, or None that there is none any more; False, and nothing is written, where that holds already."""
    decision = EXPERIMENT_DECISION.c
    newest = (
        sa.select(decision.arm_id)
        .where(decision.experiment_id == experiment_id)
        .order_by(decision.decision_id.desc())
        .limit(1)
    )
    with engine.begin() as connection:
        if connection.scalar(newest) == arm_id:
            return False
        row = {"experiment_id": experiment_id, "arm_id": arm_id, "business_on": business_on, "by": by, "reason": reason}
        connection.execute(sa.insert(EXPERIMENT_DECISION), row | {"at": at})
    return True


def forget_in_experiments(connection: sa.Connection, tokens: Mapping[str, str]) -> None:
    """Put tokens in place of erased contacts' ids, in the caller's transaction: the counts of every arm stay as they were."""
    for contact_id, token in sorted(tokens.items()):
        mine = sa.update(EXPERIMENT_ASSIGNMENT).where(EXPERIMENT_ASSIGNMENT.c.contact_id == contact_id)
        connection.execute(mine.values(contact_id=token))
