"""Reconciling: what becomes of messages whose fate is unknown, by what is known of them besides the server's reply (RFC 1047).

```
unknown -> accepted    evidence shows that the server took it
        -> planned     the evidence is whole, shows nothing of it, and the connection is known dead: it was not taken; the touch is given back
        -> abandoned   nothing could tell within 72 hours; a person decides
        -> planned     the same, where the campaign says `on_unknown: resend`; the touch stays
```
What belongs here: these transitions, each once and each with an attempt that says why. What does not: looking for evidence
(`connectors/channels/evidence.py`), late results of workers, which move an unknown by themselves (`dispatch.py`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.dispatch import BACKOFF
from warehouse.ledger.engine import reading
from warehouse.ledger.outbox import ABANDONED, ACCEPTED, PLANNED, REJECTED, UNKNOWN
from warehouse.ledger.schema import ATTEMPT, MESSAGE, TOUCH
from warehouse.ledger.send_schema import WORKER
from warehouse.ledger.worker import LAPSED

HORIZON = dt.timedelta(hours=72)
Verdict = Literal["accepted", "not_accepted", "resend", "abandoned", "exhausted"]
Shown = Mapping[str, dt.datetime]
"""Message id -> when a server took it, as evidence shows."""


@dataclass(frozen=True)
class Doubt:
    """A message of unknown fate. `called_at` is the real instant of its last wire call; `is_dead` says that nothing of that call can still arrive."""

    message_id: str
    campaign_id: str
    channel: str
    fence: int
    attempts: int
    called_at: dt.datetime
    is_dead: bool
    contact_id: str = ""
    address_hash: str = ""


@dataclass(frozen=True)
class Rules:
    """How to judge. `covers`: whether the evidence is whole from an instant on; `settled_after`: how long it may take to appear."""

    shown: Shown
    covers: Callable[[str, dt.datetime], bool]
    resends: Callable[[str], bool]
    settled_after: dt.timedelta
    where: str


def doubts(engine: sa.Engine) -> list[Doubt]:
    """Every message of unknown fate, oldest call first."""
    called = sa.select(sa.func.max(ATTEMPT.c.started_at)).where(ATTEMPT.c.message_id == MESSAGE.c.message_id)
    when = sa.func.coalesce(called.scalar_subquery(), MESSAGE.c.sending_at, MESSAGE.c.final_at, type_=sa.DateTime)
    is_dead = sa.or_(MESSAGE.c.reason != LAPSED, WORKER.c.ended_at.is_not(None))
    names = ("message_id", "campaign_id", "channel", "fence", "attempts")
    query = (
        sa.select(
            *[MESSAGE.c[name] for name in names],
            when.label("called_at"),
            sa.func.coalesce(is_dead, sa.false()),
            MESSAGE.c.contact_id,
            MESSAGE.c.address_hash,
        )
        .select_from(MESSAGE.outerjoin(WORKER, WORKER.c.worker_id == MESSAGE.c.owner))
        .where(MESSAGE.c.state == UNKNOWN)
        .order_by("called_at", MESSAGE.c.message_id)
    )
    with reading(engine) as connection:
        return [Doubt(*row) for row in connection.execute(query)]


def verdict(doubt: Doubt, rules: Rules, at: dt.datetime) -> Verdict | None:
    """What is to become of a message; None while nobody can tell and there is time."""
    if doubt.message_id in rules.shown:
        return "accepted"
    is_settled = at - doubt.called_at >= rules.settled_after
    if doubt.is_dead and is_settled and rules.covers(doubt.channel, doubt.called_at):
        return "not_accepted" if doubt.attempts <= len(BACKOFF) else "exhausted"
    if at - doubt.called_at < HORIZON:
        return None
    return "resend" if rules.resends(doubt.campaign_id) and doubt.attempts <= len(BACKOFF) else "abandoned"


def reconcile(engine: sa.Engine, rules: Rules, at: dt.datetime | None = None) -> Counter[str]:
    """Judge every message of unknown fate; returns how many by verdict, those that stay under `unknown`. Safe to call at any time."""
    at = at or now()
    counts: Counter[str] = Counter()
    for doubt in doubts(engine):
        found = verdict(doubt, rules, at)
        if found is None or not _applied(engine, doubt, found, rules, at):
            counts[UNKNOWN] += 1
        else:
            counts[found] += 1
    return counts


_STATES: Mapping[str, dict[str, Any]] = {
    "accepted": {"state": ACCEPTED, "reason": None},
    "not_accepted": {"state": PLANNED, "reason": "not_accepted", "sending_at": None, "final_at": None},
    "resend": {"state": PLANNED, "reason": "resend", "sending_at": None, "final_at": None},
    "abandoned": {"state": ABANDONED, "reason": "no_evidence"},
    "exhausted": {"state": REJECTED, "reason": "exhausted", "sending_at": None},
}
_NOT_TAKEN = ("not_accepted", "exhausted")


def _applied(engine: sa.Engine, doubt: Doubt, found: Verdict, rules: Rules, at: dt.datetime) -> bool:
    """One verdict in one transaction; False when a late result was quicker. The fence grows, so that a later one cannot undo it."""
    mine = sa.and_(MESSAGE.c.message_id == doubt.message_id, MESSAGE.c.state == UNKNOWN, MESSAGE.c.fence == doubt.fence)
    move = sa.update(MESSAGE).where(mine).values(**_STATES[found], owner=None, fence=MESSAGE.c.fence + 1)
    attempt = {
        "message_id": doubt.message_id,
        "number": doubt.attempts,
        "fence": doubt.fence,
        "started_at": rules.shown.get(doubt.message_id, at),
        "ended_at": at,
        "outcome": found,
        "code": "reconciled",
        "detail": rules.where,
    }
    with engine.begin() as connection:
        if connection.execute(move).rowcount != 1:
            return False
        connection.execute(sa.insert(ATTEMPT), attempt)
        if found in _NOT_TAKEN:
            connection.execute(sa.delete(TOUCH).where(TOUCH.c.message_id == doubt.message_id))
    return True
