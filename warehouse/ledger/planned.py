"""A plan into the ledger: intents as messages, the rest as refusals, a million of them in some twenty seconds.

What belongs here: recording rows of `vesper.send.plan` in bulk. What does not: deciding (`vesper/send.py`), what becomes of a message later
(`outbox.py`, `dispatch.py`). Every unique key of `message` holds: recording a night again adds nothing, and a second message of one campaign to
one contact or to one mailbox cannot exist. No address comes in: the ledger holds its hash only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse.ledger.bulk import insert_new_arrow, pages_in_memory
from warehouse.ledger.experiment import assign
from warehouse.ledger.schema import MESSAGE, REFUSAL

INTENT, PLANNED = "intent", "planned"
BATCH = 50_000

Plan = Any
"""Rows of `vesper.send.plan`: an iterable of rows with names, a pyarrow Table, or a RecordBatchReader."""


@dataclass(frozen=True)
class Recorded:
    """What recording a plan did: messages and refusals that are new; those known from an earlier run of the night are left alone."""

    messages: int = 0
    refusals: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(self.messages + other.messages, self.refusals + other.refusals)


def record(ledger: sa.Engine | sa.Connection, plan: Plan) -> Recorded:
    """Keep a plan: in one transaction of its own, or within the one that an open connection is in.

    Large plans come in the order of their contacts, as `vesper.send.plan` gives them: then one key of each batch lies together in the ledger,
    and sorting the batch by message id makes another one do so.
    """
    with _transaction(ledger) as connection, pages_in_memory(connection):
        return sum((_recorded(connection, batch) for batch in _batches(plan)), Recorded())


@contextmanager
def _transaction(ledger: sa.Engine | sa.Connection) -> Iterator[sa.Connection]:
    if isinstance(ledger, sa.Connection):
        yield ledger
    else:
        with ledger.begin() as connection:
            yield connection


def _recorded(connection: sa.Connection, batch: pa.Table) -> Recorded:
    is_intent = pc.equal(batch["decision"], INTENT)
    messages = batch.filter(is_intent).sort_by("message_id")
    refusals = batch.filter(pc.invert(is_intent)).rename_columns(
        ["reason" if name == "decision" else name for name in batch.column_names]
    )
    state = pa.repeat(PLANNED, len(messages))
    assign(connection, messages)
    return Recorded(
        insert_new_arrow(connection, MESSAGE, messages.append_column("state", state)),
        insert_new_arrow(connection, REFUSAL, refusals),
    )


def _batches(plan: Plan) -> Iterator[pa.Table]:
    if isinstance(plan, pa.Table):
        for start in range(0, len(plan), BATCH):
            yield plan.slice(start, BATCH)
    elif isinstance(plan, pa.RecordBatchReader):
        for batch in plan:
            yield pa.Table.from_batches([batch])
    else:
        rows: Iterator[Any] = iter(plan)
        while batch := list(islice(rows, BATCH)):
            yield _as_arrow(batch)


def _as_arrow(rows: list[Any]) -> pa.Table:
    """Rows with names as Arrow; what a row does not have is left out."""
    known = {c.name: c.type for c in (*REFUSAL.c, *MESSAGE.c)}
    names = [name for name in (*known, "decision") if name != "reason" and hasattr(rows[0], name)]
    return pa.table(
        {name: pa.array([getattr(row, name) for row in rows], ARROW.get(type(known.get(name)))) for name in names}
    )


ARROW = {
    sa.String: pa.string(),
    sa.Text: pa.string(),
    sa.Integer: pa.int32(),
    sa.Date: pa.date32(),
    sa.DateTime: pa.timestamp("us"),
}
