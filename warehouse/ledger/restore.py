"""A ledger that was put back knows nothing of what happened since its backup: it starts on hold, until evidence tells what was sent (R120).

What belongs here: the hold, taking in the evidence, ending the hold; of messages and of notices to sales. What does not: copying rows
(`copying.py`), looking for evidence (`connectors/channels/evidence.py`).
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import NOTICE
from warehouse.ledger.schema import MESSAGE, TOUCH
from warehouse.ledger.send_schema import RESTORE, SENT_BEFORE
from warehouse.ledger.send_stop import set_stopped

NAME = "restore"
OPEN = ("planned", "claimed")
WAITING = ("planned", "sending")
"""States of a notice that is not told yet, as far as the ledger knows."""
BATCH = 500


@dataclass(frozen=True)
class Reconciled:
    """What became of the messages of a restored ledger. `doubtful`: due before the restore, no evidence either way; `unknown` now.

    `told` and `perhaps_told` are the same of notices to sales.
    """

    found: int
    accepted: int
    doubtful: int
    told: int = 0
    perhaps_told: int = 0


def hold(engine: sa.Engine, backup_at: dt.datetime, by: str) -> None:
    """Stop all sending because the ledger comes from a backup."""
    row = {"backup_at": backup_at, "restored_at": now(), "by": by}
    with engine.begin() as connection:
        connection.execute(sa.insert(RESTORE), row)
    set_stopped(engine, NAME, f"the ledger was put back from a backup of {backup_at:%Y-%m-%d %H:%M} UTC", True)


def waiting_since(engine: sa.Engine) -> dt.datetime | None:
    """The instant of the backup whose restore nobody reconciled yet; None when there is none."""
    waiting = sa.select(sa.func.min(RESTORE.c.backup_at)).where(RESTORE.c.reconciled_at.is_(None))
    with reading(engine) as connection:
        found: dt.datetime | None = connection.scalar(waiting)
        return found


def take_evidence(
    engine: sa.Engine,
    sent: Mapping[str, dt.datetime],
    is_complete: bool,
    where: str,
    by: str,
    taken_once: Collection[str] = (),
) -> Reconciled:
    """Take in what was sent since the backup, in one transaction, and end the wait. `sent` maps message ids to when they went (UTC).

    A message found is accepted, with its touch; one that the night has yet to plan again is remembered. Where the evidence is not complete,
    what could have gone before the restore is unknown, so that it is never sent again by itself. Of a notice to sales, evidence is complete
    nowhere: many share one letter.

    Args:
        taken_once: channels of notices whose receiver takes a key once only, so that telling again does no harm.
    """
    with engine.begin() as connection:
        remembered = [{"message_id": id, "at": at} for id, at in sorted(sent.items())]
        found = sum(
            insert_new(connection, SENT_BEFORE, remembered[start : start + BATCH])
            for start in range(0, len(remembered), BATCH)
        )
        accepted = settle_known(connection)
        doubtful = 0 if is_complete else _doubt(connection)
        told, perhaps_told = _told_before(connection), _doubt_notices(connection, taken_once)
        done = sa.update(RESTORE).where(RESTORE.c.reconciled_at.is_(None))
        connection.execute(done.values(reconciled_at=now(), reconciled_by=by, evidence=where))
    return Reconciled(found, accepted, doubtful, told, perhaps_told)


def settle_known(connection: sa.Connection) -> int:
    """Every message that waits and is known as sent before the restore is accepted, and touches its contact; returns how many."""
    known = (
        sa.select(MESSAGE, SENT_BEFORE.c.at)
        .join(SENT_BEFORE, SENT_BEFORE.c.message_id == MESSAGE.c.message_id)
        .where(MESSAGE.c.state.in_(OPEN))
    )
    rows = connection.execute(known).mappings().all()
    for start in range(0, len(rows), BATCH):
        _accept(connection, [dict(row) for row in rows[start : start + BATCH]])
    return len(rows)


def _accept(connection: sa.Connection, rows: list[dict[str, object]]) -> None:
    waits = sa.or_(*[MESSAGE.c.state == state for state in OPEN])  # an IN takes no many rows at once
    here = sa.and_(MESSAGE.c.message_id == sa.bindparam("id"), waits)
    fate = {"state": "accepted", "reason": "sent_before_restore"}
    when: dict[str, Any] = {"sending_at": sa.bindparam("went_at"), "final_at": sa.bindparam("went_at")}
    update = sa.update(MESSAGE).where(here).values(**fate, **when, fence=MESSAGE.c.fence + 1)
    connection.execute(update, [{"id": row["message_id"], "went_at": row["at"]} for row in rows])
    touches = [
        {name: row[name] for name in ("message_id", "contact_id", "channel", "purpose", "at")}
        for row in rows
        if row["purpose"] == "marketing"
    ]
    insert_new(connection, TOUCH, touches)


def _doubt(connection: sa.Connection) -> int:
    """What was due before the restore may have gone: unknown, to be looked at by a person."""
    due = sa.and_(MESSAGE.c.state.in_(OPEN), MESSAGE.c.not_before <= _restored_at())
    fate = {"state": "unknown", "reason": "restored", "final_at": now(), "fence": MESSAGE.c.fence + 1}
    return connection.execute(sa.update(MESSAGE).where(due).values(**fate)).rowcount


def _told_before(connection: sa.Connection) -> int:
    """Notices that went alone, under their own id, and were found: accepted."""
    went_at = sa.select(SENT_BEFORE.c.at).where(SENT_BEFORE.c.message_id == NOTICE.c.notice_id).scalar_subquery()
    fate = {"state": "accepted", "reason": "sent_before_restore", "final_at": went_at, "real_at": went_at}
    known = sa.exists().where(SENT_BEFORE.c.message_id == NOTICE.c.notice_id)
    return connection.execute(sa.update(NOTICE).where(NOTICE.c.state.in_(WAITING), known).values(**fate)).rowcount


def _doubt_notices(connection: sa.Connection, taken_once: Collection[str]) -> int:
    """Sales may know already of what was due before the restore: unknown, never told again by itself."""
    due = sa.and_(NOTICE.c.state.in_(WAITING), NOTICE.c.not_before <= _restored_at())
    at = now()
    fate = {"state": "unknown", "reason": "restored", "final_at": at, "real_at": at}
    mine = sa.update(NOTICE).where(due, NOTICE.c.channel.not_in(sorted(taken_once)))
    return connection.execute(mine.values(**fate)).rowcount


def _restored_at() -> sa.ScalarSelect[dt.datetime]:
    return sa.select(sa.func.max(RESTORE.c.restored_at)).scalar_subquery()
