"""Marks rows of the inbox that a machine made: what each request told when it came, and what several rows tell together.

What belongs here: from ledger rows to the rules' facts. What does not: the rules (`vesper/machine.py`). The rows themselves are never changed, so a
better rule can look at them again.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from vesper.machine import CLICKED, Seen, told_together
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import Waiting, accepted_at


def machine_rows(engine: sa.Engine, rows: Sequence[Waiting]) -> frozenset[int]:
    """Ids of the rows that a machine made."""
    told = {row.inbox_id for row in rows if row.payload.get("is_machine")}
    clicks = [row for row in rows if row.kind == CLICKED and row.message_id]
    if not clicks:
        return frozenset(told)
    with reading(engine) as connection:
        taken = accepted_at(connection, {str(row.message_id) for row in clicks})
    seen = (
        Seen(row.inbox_id, str(row.message_id), row.kind, row.occurred_at, str(row.payload.get("url") or ""))
        for row in clicks
    )
    return frozenset(told | told_together(seen, taken).keys())
