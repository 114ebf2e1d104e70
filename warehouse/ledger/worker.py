"""Workers: processes that send from one ledger. Who died is known by the lock that the kernel took from it, not by a clock.

What belongs here: registering, finding the dead, what becomes of what they held. What does not: claims of the living (`claim.py`).

A worker holds an flock on `.vesper/workers/<worker_id>` as long as it lives, stopped or not. A worker of this host and folder whose lock is free
is dead: nothing of it can reach a server any more. Of a worker elsewhere only its leases tell: a lapsed claim goes back, a lapsed wire call is
unknown, and whoever held it may still be alive; so that unknown is never taken for dead.
"""

import datetime as dt
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.claim import LEASE, lapse, released
from warehouse.ledger.outbox import SENDING, UNKNOWN
from warehouse.ledger.schema import ATTEMPT, MESSAGE
from warehouse.ledger.send_schema import WORKER

FOLDER = "workers"
KEPT = dt.timedelta(days=30)
"""How long the ledger remembers a worker that ended: much longer than a message of it can be of unknown fate."""
CRASH, LAPSED = "crash", "lapsed"
_SAYS = {
    CRASH: "the worker died before the server's answer was kept",
    LAPSED: "the worker did not keep the server's answer in time; it may still be alive",
}


@dataclass(frozen=True)
class Recovered:
    """What was found: workers that died, messages on their wires (unknown now), messages they had claimed (planned again)."""

    workers: int = 0
    unknown: int = 0
    returned: int = 0

    def and_(self, other: "Recovered") -> "Recovered":
        """Both together."""
        return Recovered(self.workers + other.workers, self.unknown + other.unknown, self.returned + other.returned)


@contextmanager
def registered(engine: sa.Engine, store: Path) -> Iterator[str]:
    """Be a worker for a while; yields its id. The lock is held before the ledger knows of it."""
    host = socket.gethostname()
    worker_id = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
    path = store / FOLDER / worker_id
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        row = {"worker_id": worker_id, "host": host, "pid": os.getpid(), "started_at": now()}
        with engine.begin() as connection:
            connection.execute(sa.delete(WORKER).where(WORKER.c.ended_at < now() - KEPT))
            connection.execute(sa.insert(WORKER), row)
        yield worker_id
        # Not reached by an exception: whoever comes next finds the lock free, and gives back what is held.
        with engine.begin() as connection:
            connection.execute(_ended([worker_id], now()))
    path.unlink(missing_ok=True)


def recover(engine: sa.Engine, store: Path, at: dt.datetime | None = None) -> Recovered:
    """Take from the dead and from lapsed leases what they held. Claimed messages are planned again; those on the wire are unknown, because the
    server may have them, and keep their touch. Safe to call at any time, by any number of workers. `at` is the real instant, now unless told."""
    at = at or now()
    with _dead(engine, store) as dead, _writing(engine) as connection:
        unknown = _give_up(connection, MESSAGE.c.owner.in_(dead), CRASH, at) if dead else 0
        returned = sum(released(connection, worker_id) for worker_id in dead) + lapse(connection, at)
        over = sa.or_(MESSAGE.c.lease_until.is_(None), MESSAGE.c.lease_until < at)
        unknown += _give_up(connection, over, LAPSED, at)
        if dead:
            connection.execute(_ended(dead, at))
    return Recovered(len(dead), unknown, returned)


def _give_up(connection: sa.Connection, which: sa.ColumnElement[bool], code: str, at: dt.datetime) -> int:
    """Messages on the wire become unknown, with an attempt that says so; the fence stays, so that a late result still finds its message."""
    wanted = sa.select(MESSAGE).where(MESSAGE.c.state == SENDING, which).with_for_update(skip_locked=True)
    rows = connection.execute(wanted).all()
    if not rows:
        return 0
    connection.execute(sa.insert(ATTEMPT), [_attempt(row, code, at) for row in rows])
    lost = sa.update(MESSAGE).where(MESSAGE.c.message_id == sa.bindparam("one"), MESSAGE.c.state == SENDING)
    unknown = lost.values(state=UNKNOWN, reason=code, final_at=MESSAGE.c.sending_at, lease_until=None)
    connection.execute(unknown, [{"one": row.message_id} for row in rows])
    return len(rows)


def _attempt(row: Any, code: str, at: dt.datetime) -> dict[str, Any]:
    began = min(at, row.lease_until - LEASE) if row.lease_until else row.sending_at
    return {
        "message_id": row.message_id,
        "number": row.attempts,
        "fence": row.fence,
        "owner": row.owner,
        "started_at": began,
        "ended_at": at,
        "outcome": UNKNOWN,
        "code": code,
        "detail": _SAYS[code],
    }


@contextmanager
def _dead(engine: sa.Engine, store: Path) -> Iterator[list[str]]:
    """Ids of the workers of this host and folder that died; their locks are held meanwhile, and their files go when all is written down."""
    mine = sa.select(WORKER.c.worker_id).where(WORKER.c.host == socket.gethostname(), WORKER.c.ended_at.is_(None))
    with engine.connect().execution_options(read_only=True) as connection:
        known = connection.scalars(mine).all()
    found: dict[str, IO[str]] = {}
    try:
        for worker_id in known:
            file = _free(store / FOLDER / worker_id)
            if file is not None:
                found[worker_id] = file
        yield sorted(found)
        for worker_id in found:
            (store / FOLDER / worker_id).unlink(missing_ok=True)
    finally:
        for file in found.values():
            file.close()


def _free(path: Path) -> IO[str] | None:
    """The file of a worker, locked, when nobody held it; None while its worker lives, and for a worker of another folder."""
    try:
        file = path.open("r+")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _ended(worker_ids: list[str], at: dt.datetime) -> sa.Update:
    return sa.update(WORKER).where(WORKER.c.worker_id.in_(worker_ids), WORKER.c.ended_at.is_(None)).values(ended_at=at)


@contextmanager
def _writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees what others committed while it waited for them."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as connection:
        yield connection
