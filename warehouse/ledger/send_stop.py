"""The stop switch of all sending: append-only, read inside every claim, so that it binds from the next transaction on (R108)."""

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import STOP

SCOPE = "send"


def set_stopped(engine: sa.Engine, by: str, reason: str, stopped: bool) -> None:
    """Stop or resume all sending. Both are recorded with who, why and when; resuming is never implied."""
    row = {"scope": SCOPE, "is_stopped": stopped, "by": by, "reason": reason, "at": now()}
    with engine.begin() as connection:
        connection.execute(sa.insert(STOP), row)


def is_stopped(engine: sa.Engine) -> bool:
    """Whether sending is stopped now."""
    with reading(engine) as connection:
        return stopped_in(connection)


def stopped_in(connection: sa.Connection) -> bool:
    """Whether sending is stopped, read in the caller's transaction."""
    newest = sa.select(STOP.c.is_stopped).where(STOP.c.scope == SCOPE).order_by(STOP.c.stop_id.desc()).limit(1)
    return bool(connection.scalar(newest))
