"""Hand-overs in the ledger: a night's in one transaction with their reasons, tasks and notices; copies for the lake.

What belongs here: what a night writes and reads. What does not: what a person does between nights (`handover_acts.py`), the step of a notice over
the wire (`notices.py`), deciding who is handed over (`vesper/handover.py`).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.marts.handover import RAW_HANDOVER, RAW_HUMAN_TASK, RAW_NOTICE
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import HANDOVER, HANDOVER_REASON, HUMAN_TASK, NOTICE

OPEN = "open"
BATCH = 5000
Rows = Sequence[Mapping[str, Any]]

_ARROW: dict[type, pa.DataType] = {
    sa.String: pa.string(),
    sa.Integer: pa.int32(),
    sa.Boolean: pa.bool_(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
}


@dataclass(frozen=True)
class NightOfSales:
    """What one night changes: rows of the ledger's tables, answers by hand-over, and readiness that ended or came back.

    `owners` are first owners of hand-overs recorded before: handover_id, owner, assigned_at, due_at. `turns` and `task_turns` have `id` and
    `stands`.
    """

    business_on: dt.date
    handovers: Rows = ()
    reasons: Rows = ()
    tasks: Rows = ()
    notices: Rows = ()
    owners: Rows = ()
    answers: Rows = ()
    turns: Rows = ()
    task_turns: Rows = ()


@dataclass(frozen=True)
class Recorded:
    """How many rows were new; those of an earlier run of the night are left alone."""

    handovers: int
    tasks: int
    notices: int


def record(engine: sa.Engine, night: NightOfSales) -> Recorded:
    """Keep a night in one transaction: a hand-over never stands without its notices, and a second run adds nothing."""
    with engine.begin() as connection:
        _turn(connection, HANDOVER, HANDOVER.c.handover_id, night.turns, night.business_on)
        _turn(connection, HUMAN_TASK, HUMAN_TASK.c.task_id, night.task_turns, night.business_on)
        _answer(connection, night.answers)
        made = _insert(connection, HANDOVER, night.handovers)
        _insert(connection, HANDOVER_REASON, night.reasons)
        _own(connection, night.owners)
        tasks = _insert(connection, HUMAN_TASK, night.tasks)
        return Recorded(made, tasks, _insert(connection, NOTICE, night.notices))


def reasons_of(engine: sa.Engine, handover_ids: Iterable[str]) -> dict[str, list[Any]]:
    """rule_id, points and evidence_count of hand-overs, the weightiest first."""
    why = HANDOVER_REASON.c
    query = sa.select(HANDOVER_REASON).where(why.handover_id.in_(sorted(set(handover_ids))))
    found: dict[str, list[Any]] = {}
    with reading(engine) as connection:
        for row in connection.execute(query.order_by(why.handover_id, why.points.desc(), why.rule_id)):
            found.setdefault(row.handover_id, []).append(row)
    return found


def copies(engine: sa.Engine) -> dict[str, pa.Table]:
    """Hand-overs, human tasks and notices as Arrow, by the names of their copies in the lake."""
    pairs = ((RAW_HANDOVER, HANDOVER), (RAW_HUMAN_TASK, HUMAN_TASK), (RAW_NOTICE, NOTICE))
    return {raw.name: copied(engine, kept, raw) for raw, kept in pairs}


def tasks_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every human task, to be bound as `raw_vesper__human_task`."""
    return copied(engine, HUMAN_TASK, RAW_HUMAN_TASK)


def reasons_as_arrow(engine: sa.Engine, like: sa.Table) -> pa.Table:
    """Every reason of every hand-over, in the columns of a declared table."""
    return copied(engine, HANDOVER_REASON, like)


def copied(engine: sa.Engine, kept: sa.Table, raw: sa.Table) -> pa.Table:
    """The rows of a ledger's table in the columns of its copy; the types hold for an empty table, too."""
    schema = pa.schema([(c.name, _ARROW[type(c.type)]) for c in raw.c])
    query = sa.select(*[kept.c[c.name] for c in raw.c]).order_by(*kept.primary_key)
    with reading(engine) as connection:
        parts = connection.execute(query).mappings().partitions(BATCH)
        batches = [pa.RecordBatch.from_pylist([dict(row) for row in part], schema) for part in parts]
    return pa.Table.from_batches(batches, schema)


def _turn(connection: sa.Connection, table: sa.Table, id: sa.Column[str], turns: Rows, on: dt.date) -> None:
    """Readiness that is over since tonight, and readiness that came back."""
    for stands in (True, False):
        ids = [row["id"] for row in turns if row["stands"] is stands]
        for start in range(0, len(ids), BATCH):
            here = sa.update(table).where(id.in_(ids[start : start + BATCH]))
            connection.execute(here.values(lapsed_on=None if stands else on))


def _answer(connection: sa.Connection, answers: Rows) -> None:
    """What sales say holds, but for a hand-over that was withdrawn."""
    if answers:
        names = ("state", "outcome", "reason_code", "touched_at", "accepted_at", "ended_at")
        mine = sa.and_(HANDOVER.c.handover_id == sa.bindparam("mine"), HANDOVER.c.state != "withdrawn")
        update = sa.update(HANDOVER).where(mine).values({name: sa.bindparam(f"new_{name}") for name in names})
        rows = [{"mine": row["handover_id"], **{f"new_{n}": row[n] for n in names}} for row in answers]
        connection.execute(update, rows)


def _own(connection: sa.Connection, owners: Rows) -> None:
    names = ("owner", "assigned_at", "due_at")
    if owners:
        mine = sa.and_(HANDOVER.c.handover_id == sa.bindparam("mine"), HANDOVER.c.state == OPEN)
        update = sa.update(HANDOVER).where(mine).values({name: sa.bindparam(f"new_{name}") for name in names})
        rows = [{"mine": row["handover_id"], **{f"new_{n}": row[n] for n in names}} for row in owners]
        connection.execute(update, rows)


def _insert(connection: sa.Connection, table: sa.Table, rows: Rows) -> int:
    whole = [{c.name: row.get(c.name) for c in table.c} for row in rows]
    return sum(insert_new(connection, table, whole[at : at + BATCH]) for at in range(0, len(whole), BATCH))
