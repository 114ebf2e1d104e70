"""Broadcasts in the ledger: which messages go out together, the one call of each, and what became of their messages.

```
message:    sending -> awaiting_confirmation (its touch is given back) -> accepted (the touch counts now) | rejected | refused
broadcast:  formed --claim--> calling --answer--> submitted --fates--> settled
               ^-- not taken for now --|  \\-- refused
```
What belongs here: these transitions. What does not: providers (`connectors/channels/broadcast.py`), the order of steps (`tasks/broadcast.py`).
A broadcast is called by the one who moves it to `calling`. One that is found there later was called and nobody knows how it ended.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.ledger.channel_schema import BROADCAST, BROADCAST_MESSAGE
from warehouse.ledger.engine import reading
from warehouse.ledger.outbox import ACCEPTED, AWAITING, REFUSED, REJECTED, Due
from warehouse.ledger.schema import MESSAGE, SUPPRESSION, TOUCH

FORMED, CALLING, SUBMITTED, SETTLED = "formed", "calling", "submitted", "settled"
OPEN = (FORMED, CALLING, SUBMITTED)
MARKETING = "marketing"
ID_LENGTH = 32


@dataclass(frozen=True)
class Broadcast:
    """One row, as far as its next step asks."""

    broadcast_id: str
    channel: str
    text: str
    state: str
    provider_id: str | None
    called_at: dt.datetime | None
    looked_at: dt.datetime | None


def is_open(engine: sa.Engine) -> bool:
    """Whether any broadcast is under way, or any message waits for one. Cheap: every run asks."""
    waits = sa.select(MESSAGE.c.message_id).where(MESSAGE.c.state == AWAITING).limit(1)
    with reading(engine) as connection:
        return connection.execute(waits).first() is not None


def gathered(engine: sa.Engine, channel: str) -> list[Due]:
    """Messages that wait on a channel and are in no broadcast yet."""
    is_in = sa.exists().where(BROADCAST_MESSAGE.c.message_id == MESSAGE.c.message_id)
    return _messages(engine, sa.and_(MESSAGE.c.state == AWAITING, MESSAGE.c.channel == channel, ~is_in))


def members(engine: sa.Engine, broadcast_id: str) -> list[Due]:
    """Messages of a broadcast that still wait."""
    of = sa.select(BROADCAST_MESSAGE.c.message_id).where(BROADCAST_MESSAGE.c.broadcast_id == broadcast_id)
    return _messages(engine, sa.and_(MESSAGE.c.state == AWAITING, MESSAGE.c.message_id.in_(of)))


def open_ones(engine: sa.Engine, channel: str) -> list[Broadcast]:
    """Broadcasts of a channel that are not over."""
    columns = [BROADCAST.c[one.name] for one in fields(Broadcast)]
    mine = sa.select(*columns).where(BROADCAST.c.channel == channel, BROADCAST.c.state.in_(OPEN))
    with reading(engine) as connection:
        return [Broadcast(*row) for row in connection.execute(mine.order_by(BROADCAST.c.broadcast_id))]


def known_ids(engine: sa.Engine, channel: str) -> list[str]:
    """What the provider calls the broadcasts of a channel that have an id there."""
    mine = sa.select(BROADCAST.c.provider_id).where(
        BROADCAST.c.channel == channel, BROADCAST.c.provider_id.is_not(None)
    )
    with reading(engine) as connection:
        return list(connection.scalars(mine))


def form(engine: sa.Engine, messages: Sequence[Due], text: str) -> str | None:
    """Make one broadcast of some messages of one campaign; None when another process had one of them first."""
    try:
        return _formed(engine, messages, text)
    except sa.exc.OperationalError:  # PostgreSQL tells one of two who form at once that it came too late
        return None


def _formed(engine: sa.Engine, messages: Sequence[Due], text: str) -> str | None:
    ids = sorted(message.message_id for message in messages)
    first = messages[0]
    id = hashlib.sha256("|".join([first.channel, first.campaign_id, *ids]).encode()).hexdigest()[:ID_LENGTH]
    row = {
        "broadcast_id": id,
        "channel": first.channel,
        "campaign_id": first.campaign_id,
        "text": text,
        "state": FORMED,
    }
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(insert(BROADCAST).values(row).on_conflict_do_nothing())
        rows = [{"message_id": one, "broadcast_id": id} for one in ids]
        once = insert(BROADCAST_MESSAGE).values(rows).on_conflict_do_nothing()
        if connection.execute(once, execution_options={"preserve_rowcount": True}).rowcount != len(ids):
            transaction.rollback()
            return None
    return id


def claim(engine: sa.Engine, broadcast_id: str, at: dt.datetime, again: dt.datetime | None = None) -> bool:
    """Become the one who calls; False when somebody else is. `again`: the call found without an answer, made at that instant, is repeated."""
    mine = sa.and_(BROADCAST.c.broadcast_id == broadcast_id, BROADCAST.c.state == (CALLING if again else FORMED))
    if again:
        mine = sa.and_(mine, BROADCAST.c.called_at == again)
    move = sa.update(BROADCAST).where(mine).values(state=CALLING, called_at=at)
    try:
        with engine.begin() as connection:
            return connection.execute(move).rowcount == 1
    except sa.exc.OperationalError:
        return False


def answered(engine: sa.Engine, broadcast_id: str, state: str, **values: Any) -> None:
    """Write down what a call brought."""
    mine = sa.and_(BROADCAST.c.broadcast_id == broadcast_id, BROADCAST.c.state == CALLING)
    with engine.begin() as connection:
        connection.execute(sa.update(BROADCAST).where(mine).values(state=state, **values))


def looked(engine: sa.Engine, broadcast_id: str, at: dt.datetime) -> None:
    """The provider was asked; a broadcast of which no message waits any more is settled."""
    waits = (
        sa.select(MESSAGE.c.message_id)
        .join(BROADCAST_MESSAGE, BROADCAST_MESSAGE.c.message_id == MESSAGE.c.message_id)
        .where(BROADCAST_MESSAGE.c.broadcast_id == broadcast_id, MESSAGE.c.state == AWAITING)
    )
    mine = sa.and_(BROADCAST.c.broadcast_id == broadcast_id, BROADCAST.c.state == SUBMITTED)
    with engine.begin() as connection:
        connection.execute(sa.update(BROADCAST).where(mine).values(looked_at=at))
        if connection.execute(waits.limit(1)).first() is None:
            connection.execute(sa.update(BROADCAST).where(mine).values(state=SETTLED, settled_at=at))


def sent(engine: sa.Engine, message_ids: Collection[str], at: dt.datetime | None = None) -> int:
    """Messages that reached their people: accepted, and from now on their touches count. `at` is missing where time is played."""
    return sum(_moved(engine, id, {"state": ACCEPTED, "reason": None}, at, counts=True) for id in sorted(message_ids))


def failed(engine: sa.Engine, reasons: Mapping[str, str], at: dt.datetime | None = None, state: str = REJECTED) -> int:
    """Messages that did not and will not: message id -> why."""
    return sum(
        _moved(engine, id, {"state": state, "reason": why}, at, counts=False) for id, why in sorted(reasons.items())
    )


def suppressed(engine: sa.Engine, messages: Sequence[Due]) -> set[str]:
    """Ids of those messages whose address was kept out since they were gathered; they are refused here."""
    mine = sa.select(MESSAGE.c.message_id).join(
        SUPPRESSION,
        sa.and_(SUPPRESSION.c.channel == MESSAGE.c.channel, SUPPRESSION.c.address_hash == MESSAGE.c.address_hash),
    )
    ids = [message.message_id for message in messages]
    with reading(engine) as connection:
        out = set(connection.scalars(mine.where(MESSAGE.c.message_id.in_(ids), MESSAGE.c.purpose != "operational")))
    failed(engine, dict.fromkeys(out, "suppressed"), state=REFUSED)
    return out


def _moved(engine: sa.Engine, message_id: str, values: dict[str, Any], at: dt.datetime | None, *, counts: bool) -> int:
    """One message out of waiting; its touch in the same transaction."""
    mine = sa.and_(MESSAGE.c.message_id == message_id, MESSAGE.c.state == AWAITING)
    when = at if at is not None else MESSAGE.c.sending_at
    with engine.begin() as connection:
        move = sa.update(MESSAGE).where(mine).values(**values, final_at=when, owner=None, fence=MESSAGE.c.fence + 1)
        if counts and at is not None:
            move = move.values(sending_at=at)
        if connection.execute(move).rowcount != 1:
            return 0
        if counts:
            names = ["message_id", "contact_id", "channel", "purpose", "at"]
            of = [MESSAGE.c[name] for name in names[:-1]]
            row = sa.select(*of, MESSAGE.c.sending_at).where(
                MESSAGE.c.message_id == message_id, MESSAGE.c.purpose == MARKETING
            )
            connection.execute(sa.insert(TOUCH).from_select(names, row))
    return 1


def _messages(engine: sa.Engine, which: sa.ColumnElement[bool]) -> list[Due]:
    columns = [MESSAGE.c[one.name] for one in fields(Due)]
    with reading(engine) as connection:
        return [
            Due(*row) for row in connection.execute(sa.select(*columns).where(which).order_by(MESSAGE.c.message_id))
        ]
