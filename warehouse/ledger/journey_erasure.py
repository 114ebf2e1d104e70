"""What an erasure changes of journeys: the person leaves them, their tasks are closed, and a token takes the place of their id everywhere.

What belongs here: entries, visits, coupons and nurture tasks. What does not: messages (`erasure.py`), the order of an erasure's steps (`tasks/erase.py`).
The counts of every funnel stay as they were.
"""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from vesper.erased import ERASED
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK


def forget_on_journeys(connection: sa.Connection, tokens: Mapping[str, str], at: dt.datetime) -> None:
    """End what is open for some contacts, and put their tokens in place of their ids; in the caller's transaction."""
    for contact_id, token in sorted(tokens.items()):
        _end(connection, contact_id, at)
        _rename(connection, contact_id, token)


def _end(connection: sa.Connection, contact_id: str, at: dt.datetime) -> None:
    entry, visit, task = JOURNEY_ENTRY.c, JOURNEY_VISIT.c, NURTURE_TASK.c
    active = sa.and_(entry.contact_id == contact_id, entry.state == "active")
    standing = sa.select(entry.journey_id, entry.occurrence).where(active)
    here = sa.and_(
        visit.contact_id == contact_id,
        visit.left_at.is_(None),
        sa.tuple_(visit.journey_id, visit.occurrence).in_(standing),
    )
    connection.execute(sa.update(JOURNEY_VISIT).where(here).values(outcome=ERASED, left_at=at, handled_at=at))
    ended = {"state": "exited", "reason": ERASED, "ended_at": at, "due_at": None}
    connection.execute(sa.update(JOURNEY_ENTRY).where(active).values(ended))
    waiting = sa.update(NURTURE_TASK).where(task.contact_id == contact_id, task.is_open)
    connection.execute(waiting.values(is_open=False, closed_at=at, closed_by="vesper", closed_reason=ERASED))


def _rename(connection: sa.Connection, contact_id: str, token: str) -> None:
    """Visits name their entry, so the entry of the token comes before them and the old one goes after."""
    mine = JOURNEY_ENTRY.c.contact_id == contact_id
    columns = [sa.literal(token).label(c.name) if c.name == "contact_id" else c for c in JOURNEY_ENTRY.c]
    names = [c.name for c in JOURNEY_ENTRY.c]
    connection.execute(sa.insert(JOURNEY_ENTRY).from_select(names, sa.select(*columns).where(mine)))
    for table in (JOURNEY_VISIT, COUPON, NURTURE_TASK):
        connection.execute(sa.update(table).where(table.c.contact_id == contact_id).values(contact_id=token))
    connection.execute(sa.delete(JOURNEY_ENTRY).where(mine))
