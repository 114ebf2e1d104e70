"""Requests to judge rows that were set aside once more: who asked, why, and which night did it.

What belongs here: recording, listing and closing them. What does not: which rows they are about (`vesper/consolidate/set_aside.py`).
A request is written once; the night that carries it out adds its date, in the transaction that publishes the rows.
"""

import datetime as dt
import json
from collections.abc import Sequence

import sqlalchemy as sa

from vesper.clock import now
from vesper.consolidate.set_aside import Request
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import ERASED_FILE, REQUEUE


def ask(engine: sa.Engine, source: str, rule: str | None, by: str, reason: str, on: dt.date) -> int:
    """Record that rows of a source are to be judged again from a night on; returns the request's id."""
    row = {"source": source, "rule": rule, "by": by, "reason": reason, "at": now(), "recorded_on": on}
    with engine.begin() as connection:
        inserted = connection.execute(sa.insert(REQUEUE).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def requests(engine: sa.Engine, source: str | None = None) -> list[Request]:
    """All requests, or those of one source, oldest first."""
    query = sa.select(*[REQUEUE.c[name] for name in Request.__dataclass_fields__]).order_by(REQUEUE.c.requeue_id)
    if source is not None:
        query = query.where(REQUEUE.c.source == source)
    with reading(engine) as connection:
        found = [row._asdict() for row in connection.execute(query)]
    return [Request(**row | {"left": tuple(json.loads(row["left"] or "[]"))}) for row in found]


def close(connection: sa.Connection, done: Sequence[Request], on: dt.date, left: Sequence[str]) -> None:
    """Note, in a publishing transaction, that a night judged the rows of these requests again, and the files that it could not take.

    A request that another night carried out stays that night's.
    """
    mine = REQUEUE.c.requeue_id.in_([request.requeue_id for request in done])
    still = sa.or_(REQUEUE.c.done_on.is_(None), REQUEUE.c.done_on == on)
    said = json.dumps(sorted(left), ensure_ascii=False) if left else None
    connection.execute(sa.update(REQUEUE).where(mine, still).values(done_on=on, left=said))


def files_with_moved_rows(engine: sa.Engine) -> frozenset[str]:
    """Contents (sha256) of landing files that an erasure wrote anew: in kinds of file without lines, rows have other numbers since."""
    query = sa.select(ERASED_FILE.c.new_sha256).where(ERASED_FILE.c.place == "landing")
    with reading(engine) as connection:
        return frozenset(connection.scalars(query))
