"""The stop switches: all sending, and one campaign or journey. Append-only, read inside every claim, so that they bind from the next transaction
on (R108).

What belongs here: the switch. What does not: what becomes of messages meanwhile (they wait: `dispatch.py`), why somebody stopped (`incident.py`).
"""

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import STOP

SCOPE = "send"
_CAMPAIGN = "campaign:"


def scope_of(campaign_id: str | None) -> str:
    """The scope of a campaign or journey; that of all sending for None."""
    return SCOPE if campaign_id is None else f"{_CAMPAIGN}{campaign_id}"


def set_stopped(engine: sa.Engine, by: str, reason: str, stopped: bool, scope: str = SCOPE) -> None:
    """Stop or resume a scope. Both are recorded with who, why and when; resuming is never implied."""
    with engine.begin() as connection:
        set_stopped_in(connection, by, reason, stopped, scope)


def set_stopped_in(connection: sa.Connection, by: str, reason: str, stopped: bool, scope: str = SCOPE) -> None:
    """The same in the caller's transaction."""
    row = {"scope": scope, "is_stopped": stopped, "by": by, "reason": reason, "at": now()}
    connection.execute(sa.insert(STOP), row)


def is_stopped(engine: sa.Engine, campaign_id: str | None = None) -> bool:
    """Whether sending is stopped now: all of it, or that of one campaign or journey."""
    with reading(engine) as connection:
        return stopped_in(connection, campaign_id)


def stopped_in(connection: sa.Connection, campaign_id: str | None = None) -> bool:
    """The same, read in the caller's transaction. One campaign's switch says nothing of all sending: ask for both."""
    mine = STOP.c.scope == scope_of(campaign_id)
    newest = sa.select(STOP.c.is_stopped).where(mine).order_by(STOP.c.stop_id.desc()).limit(1)
    return bool(connection.scalar(newest))


def paused(engine: sa.Engine) -> frozenset[str]:
    """Ids of the campaigns and journeys that are stopped now."""
    newest = sa.select(sa.func.max(STOP.c.stop_id)).group_by(STOP.c.scope)
    held = sa.select(STOP.c.scope).where(STOP.c.stop_id.in_(newest), STOP.c.is_stopped, STOP.c.scope != SCOPE)
    with reading(engine) as connection:
        return frozenset(scope.removeprefix(_CAMPAIGN) for scope in connection.scalars(held))
