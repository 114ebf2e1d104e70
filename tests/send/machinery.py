"""What the tests of claims, workers and reconciling share: messages put straight into a ledger, workers that can be killed, a server that remembers."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.send.company import statement
from vesper.send_limits import Cap, Limits
from warehouse.ledger.consent import append_consent
from warehouse.ledger.outbox import ABANDONED, Due
from warehouse.ledger.schema import ATTEMPT, CONSENT, MESSAGE, STOP, SUPPRESSION, TOUCH
from warehouse.ledger.send_schema import RATE, WORKER
from warehouse.ledger.worker import registered

START = dt.datetime(2018, 1, 1, 13)
DAY = dt.timedelta(days=1)
LIMITS = Limits(("Asia/Shanghai",), (), (Cap("all_channels", 2, DAY),))
FREE = Limits(("Asia/Shanghai",))
STATES = ("planned", "claimed", "sending", "accepted", "rejected", "unknown", "refused", ABANDONED)


def row(campaign_id: str, contact_id: str, **changes: Any) -> dict[str, Any]:
    """A planned message."""
    id = hashlib.sha256(f"{campaign_id}|{contact_id}".encode()).hexdigest()[:26]
    fields = {
        "message_id": id,
        "campaign_id": campaign_id,
        "contact_id": contact_id,
        "step_id": "send",
        "occurrence": 1,
        "channel": "email",
        "purpose": "marketing",
        "address_hash": statement(f"{contact_id}@example.com")["address_hash"],
        "state": "planned",
        "priority": 250,
        "business_on": START.date(),
        "planned_at": START,
        "not_before": START,
        "expires_at": START + 60 * DAY,
    }
    return fields | changes


def put(engine: sa.Engine, rows: Iterable[dict[str, Any]]) -> None:
    """Fill an emptied ledger with messages whose contacts consent."""
    kept = list(rows)
    with engine.begin() as connection:
        for table in (TOUCH, ATTEMPT, MESSAGE, STOP, SUPPRESSION, CONSENT, RATE, WORKER):
            connection.execute(sa.delete(table))
        if kept:
            connection.execute(sa.insert(MESSAGE), kept)
    append_consent(engine, [statement(f"{id}@example.com") for id in sorted({one["contact_id"] for one in kept})])


def all_of(engine: sa.Engine, table: sa.Table = MESSAGE) -> list[Any]:
    with engine.connect().execution_options(read_only=True) as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


def of(engine: sa.Engine, message: Due) -> Any:
    return next(one for one in all_of(engine) if one.message_id == message.message_id)


class Worker:
    """A registered worker of this process that can die: its lock is freed, and nothing else is tidied up."""

    def __init__(self, engine: sa.Engine, store: Path) -> None:
        self._context = registered(engine, store)
        self.id = self._context.__enter__()

    def die(self) -> None:
        """As SIGKILL does it."""
        error = RuntimeError("killed")
        with suppress(RuntimeError):
            self._context.__exit__(RuntimeError, error, None)

    def leave(self) -> None:
        """As a run ends."""
        self._context.__exit__(None, None, None)
