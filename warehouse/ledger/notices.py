"""The step of a notice over the wire, in two transactions: `begin` commits what is about to go, `settle` what became of it.

```
planned --begin--> sending --settle--> accepted | rejected | unknown        (final)
   |                  |-- not taken for now --> planned, later
   |-- its hand-over was withdrawn --> refused                              (final)
sending found by a later run --recover--> unknown, listed and never sent again; where the receiver takes a key once only, planned
```
What belongs here: these transitions. What does not: the wire (`connectors/channels/`), the words, the loop (`tasks/handover_notices.py`).
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import HANDOVER, NOTICE
from warehouse.ledger.send_stop import stopped_in

PLANNED, SENDING, ACCEPTED, UNKNOWN, REFUSED = "planned", "sending", "accepted", "unknown", "refused"
WITHDRAWN = "withdrawn"
BACKOFF = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2))


@dataclass(frozen=True)
class DueNotice:
    """A notice that may go, with what its words need of the hand-over. The same letter takes all of a recipient and channel."""

    channel: str
    recipient: str
    not_before: dt.datetime
    notice_id: str
    kind: str
    handover_id: str
    attempts: int
    contact_id: str
    score: int
    cause: str
    owner: str | None
    due_at: dt.datetime


def due(engine: sa.Engine, until: dt.datetime) -> list[DueNotice]:
    """Every planned notice that may go by an instant, the best scores of a recipient first."""
    of_handover = ("contact_id", "score", "cause", "owner", "due_at")
    columns = [(HANDOVER if name in of_handover else NOTICE).c[name] for name in DueNotice.__dataclass_fields__]
    query = (
        sa.select(*columns)
        .join_from(NOTICE, HANDOVER, HANDOVER.c.handover_id == NOTICE.c.handover_id)
        .where(NOTICE.c.state == PLANNED, NOTICE.c.not_before <= until)
        .order_by(NOTICE.c.channel, NOTICE.c.recipient, HANDOVER.c.score.desc(), NOTICE.c.notice_id)
    )
    with reading(engine) as connection:
        return [DueNotice(*row) for row in connection.execute(query)]


def begin(engine: sa.Engine, ids: Collection[str], letter_id: str, at: dt.datetime) -> frozenset[str]:
    """Claim notices for one wire call; returns those that may go. None while sending is stopped (R108); a withdrawn hand-over is not announced."""
    with engine.begin() as connection:
        if stopped_in(connection):
            return frozenset()
        mine = sa.and_(NOTICE.c.notice_id.in_(sorted(ids)), NOTICE.c.state == PLANNED)
        withdrawn = sa.select(HANDOVER.c.handover_id).where(HANDOVER.c.state == WITHDRAWN)
        stale = sa.and_(mine, NOTICE.c.kind != WITHDRAWN, NOTICE.c.handover_id.in_(withdrawn))
        refused = sa.update(NOTICE).where(stale)
        connection.execute(refused.values(state=REFUSED, reason=WITHDRAWN, final_at=at, real_at=now()))
        going = frozenset(connection.scalars(sa.select(NOTICE.c.notice_id).where(mine)))
        claimed = {"state": SENDING, "letter_id": letter_id, "sending_at": at, "attempts": NOTICE.c.attempts + 1}
        connection.execute(sa.update(NOTICE).where(mine).values(claimed))
        return going


def settle(engine: sa.Engine, letter_id: str, kind: str, reason: str | None, at: dt.datetime) -> None:
    """Commit what became of a wire call. Proven non-acceptance (`deferred`) waits and is tried again, at most five times."""
    mine = sa.and_(NOTICE.c.letter_id == letter_id, NOTICE.c.state == SENDING)
    with engine.begin() as connection:
        attempts = int(connection.scalar(sa.select(sa.func.max(NOTICE.c.attempts)).where(mine)) or 0)
        update = sa.update(NOTICE).where(mine)
        if kind == "deferred" and attempts <= len(BACKOFF):
            waits = at + BACKOFF[attempts - 1]
            connection.execute(update.values(state=PLANNED, reason=reason, not_before=waits, letter_id=None))
            return
        final = "rejected" if kind == "deferred" else kind
        connection.execute(update.values(state=final, reason=reason, final_at=at, real_at=now()))


def recover(engine: sa.Engine, taken_once: Sequence[str] = ()) -> int:
    """Notices that a crashed run left on the wire become unknown; on a channel that takes a key once only they wait again. Returns how many are unknown."""
    with engine.begin() as connection:
        left = sa.update(NOTICE).where(NOTICE.c.state == SENDING)
        again = left.where(NOTICE.c.channel.in_(taken_once))
        connection.execute(again.values(state=PLANNED, reason="crash", letter_id=None))
        lost = left.where(NOTICE.c.channel.not_in(taken_once))
        done = connection.execute(
            lost.values(state=UNKNOWN, reason="crash", final_at=NOTICE.c.sending_at, real_at=now())
        )
        return int(done.rowcount)
