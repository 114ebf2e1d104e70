"""The step over the wire: one transaction commits what became of the last message and the intent of the next, then the wire call follows.

```
claimed --begin--> sending --settle--> accepted | rejected | unknown | awaiting_confirmation (`broadcast.py`; the touch is given back)
   |                  |-- not accepted for now --> planned, later              (the touch is given back)
   |-- cap, window --> planned, later
   |-- no consent, suppressed, capped, expired --> refused
sending whose worker died --> unknown (`worker.py`); unknown --> `reconcile.py`
```
What belongs here: these transitions. What does not: claims (`claim.py`), SMTP, rendering, the loop (`tasks/delivery.py`).

A fence enters `sending` once, and at most one wire call follows it. A result is written down whatever the ledger thinks of the message by then:
one that comes late, from a worker that was given up, still moves its own `unknown` to what it really was.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vesper.bounce import HARD_BOUNCE
from vesper.clock import now
from vesper.send_limits import Limits, Touch
from warehouse.ledger import dispatch_sql as sql
from warehouse.ledger.claim import LEASE
from warehouse.ledger.outbox import ACCEPTED, AWAITING, CLAIMED, PLANNED, REFUSED, REJECTED, SENDING, UNKNOWN, Due
from warehouse.ledger.rate import Allowance, take
from warehouse.ledger.session import Session

MARKETING, OPERATIONAL = "marketing", "operational"
BACKOFF = (dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2), dt.timedelta(hours=8))
"""Pauses between wire calls that were surely not accepted; after so many more than these the message is given up."""

OutcomeKind = Literal["accepted", "rejected", "deferred", "unknown", "awaiting"]


@dataclass(frozen=True)
class Begun:
    """The intent is committed: exactly one wire call may follow. `number` counts the message's calls from 1; `started_at` is the real instant."""

    at: dt.datetime
    number: int
    started_at: dt.datetime


@dataclass(frozen=True)
class Later:
    """Not now: the message waits until an instant. It is planned again, or still held by its worker when `is_kept`."""

    until: dt.datetime
    reason: str
    is_kept: bool = False


@dataclass(frozen=True)
class Refused:
    """The message will never be sent."""

    reason: str


@dataclass(frozen=True)
class Stopped:
    """All sending is stopped (`send`), or this campaign's (`campaign`); the message was not touched and is still claimed."""

    scope: Literal["send", "campaign"]


@dataclass(frozen=True)
class Held:
    """The provider takes no message before an instant; the message was not touched and is still claimed."""

    until: dt.datetime


@dataclass(frozen=True)
class Gone:
    """The claim is no longer ours; nothing was done."""


Begin = Begun | Later | Refused | Stopped | Held | Gone


@dataclass(frozen=True)
class Result:
    """What a wire call brought: the message, the intent it was made under, the server's word."""

    message: Due
    begun: Begun
    kind: OutcomeKind
    code: str | None = None
    detail: str | None = None
    is_gone: bool = False
    """The address does not exist: it is kept out from now on (rule C12)."""


@dataclass(frozen=True)
class Terms:
    """Under what a message may begin: the limits of its person; the provider and, where one is set, its rate; who holds it.

    `keep_until`: a message that has to wait not longer than that stays claimed, for a worker that plays time and comes back to it.
    """

    worker_id: str
    limits: Limits
    provider: str = ""
    allowance: Allowance | None = None
    keep_until: dt.datetime | None = None
    lease: dt.timedelta = LEASE
    clock: Callable[[], dt.datetime] = now
    """The real instant, that leases, tokens and attempts are dated with."""


def step(
    session: Session, result: Result | None, message: Due, at: dt.datetime, terms: Terms
) -> tuple[Later | None, Begin]:
    """Settle one message and begin the next, in one transaction and therefore one commit. `at` is the instant that the next one goes at.

    Stop, expiry, consent, suppression, takeover, window and caps are checked again, a token is taken and the touch reserved in here (R86, R87,
    R88, R90, R108).
    """
    with session.transaction(message.contact_id) as cursor:
        later = _settle(session, cursor, result, terms) if result else None
        return later, _begin(session, cursor, message, at, terms)


def begin(session: Session, message: Due, at: dt.datetime, terms: Terms) -> Begin:
    """Begin a claimed message without settling another one."""
    return step(session, None, message, at, terms)[1]


def settle(session: Session, result: Result, terms: Terms) -> Later | None:
    """Commit what became of a wire call without beginning another. Returns until when the message waits, if it does."""
    with session.transaction() as cursor:
        return _settle(session, cursor, result, terms)


def refuse(session: Session, message: Due, at: dt.datetime, reason: str, detail: str | None = None) -> Refused | Gone:
    """Refuse a claimed message for a reason found outside the ledger, such as an address that is gone."""
    with session.transaction() as cursor:
        refused = _moved(session, cursor, message, (CLAIMED,), state=REFUSED, reason=reason, detail=detail, final_at=at)
    return Refused(reason) if refused else Gone()


# beginning -----------------------------------------------------------------------------------------------------------


def _begin(session: Session, cursor: Any, message: Due, at: dt.datetime, terms: Terms) -> Begin:
    facts = sql.facts(session, cursor, message, at - terms.limits.lookback, terms.provider)
    if facts.is_stopped:
        return Stopped("send")
    if facts.is_paused:
        return Stopped("campaign")
    decided, detail = _decide(message, at, terms, facts)
    if isinstance(decided, Refused):
        refused = {"state": REFUSED, "reason": decided.reason, "detail": detail, "final_at": at}
        return decided if _moved(session, cursor, message, (CLAIMED,), **refused) else Gone()
    if isinstance(decided, Later):
        return decided if _postponed(session, cursor, message, (CLAIMED,), decided, detail, terms) else Gone()
    return _started(session, cursor, message, decided, terms, facts)


def _decide(
    message: Due, at: dt.datetime, terms: Terms, facts: sql.Facts
) -> tuple[Begun | Later | Refused, str | None]:
    """What the rules say, and in words what exactly blocked."""
    refusal = _refusal(message, at, facts)
    if refusal:
        return Refused(refusal), None
    limits, touches = terms.limits, [touch for touch, _ in facts.touches] if terms.limits.caps else []
    earliest = limits.earliest(at, touches)
    if earliest == at:
        return Begun(at, message.attempts + 1, terms.clock()), None
    opened = limits.in_window(at) or at
    cap = limits.binding(opened, touches)
    detail = _blocking(limits, cap, opened, facts.touches)
    if earliest is None or earliest > message.expires_at:
        return Refused(f"capped:{cap}" if cap else "expired"), detail
    return _later(earliest, f"waiting:{cap or 'window'}", terms), detail


def _refusal(message: Due, at: dt.datetime, facts: sql.Facts) -> str | None:
    if at > message.expires_at:
        return "expired"
    is_marketing = message.purpose == MARKETING
    if is_marketing and not facts.is_granted:
        return "no_consent"
    if message.purpose != OPERATIONAL and facts.is_suppressed:
        return "suppressed"
    if is_marketing and facts.is_taken_over:
        return "human_takeover"
    return None


def _blocking(limits: Limits, name: str | None, at: dt.datetime, touches: Sequence[tuple[Touch, str]]) -> str | None:
    """The messages that fill a cap around an instant: ids only, nothing of a person."""
    cap = next((cap for cap in limits.caps if cap.name == name), None)
    if cap is None:
        return None
    near = [id for touch, id in touches if cap.counts(touch.channel) and abs(touch.at - at) <= cap.reach]
    return f"{cap.name}: {', '.join(near)}"


def _started(
    session: Session, cursor: Any, message: Due, begun: Begun, terms: Terms, facts: sql.Facts
) -> Begun | Held | Gone:
    """A token, the message to `sending`, the touch."""
    if facts.held_until is not None and facts.held_until > begun.started_at:
        return Held(facts.held_until)
    if terms.allowance is not None:
        until = take(session, cursor, terms.allowance, begun.started_at)
        if until is not None:
            return Held(until)
    moved = session.prepared(sql.START).run(
        cursor,
        one=message.message_id,
        held=message.fence,
        new_sending_at=begun.at,
        new_owner=terms.worker_id,
        new_lease=begun.started_at + terms.lease,
    )
    if moved.rowcount != 1:
        return Gone()
    if message.purpose == MARKETING:
        sql.touch(session, cursor, message, begun.at)
    return begun


def _later(until: dt.datetime, reason: str, terms: Terms) -> Later:
    return Later(until, reason, terms.keep_until is not None and until <= terms.keep_until)


# settling ------------------------------------------------------------------------------------------------------------


def _settle(session: Session, cursor: Any, result: Result, terms: Terms) -> Later | None:
    """Only proven non-acceptance gives the touch back; a deferred message waits and is tried again, at most five times, not beyond its end."""
    message, begun, kind = result.message, result.begun, result.kind
    session.prepared(sql.ATTEMPTED).run(cursor, **_attempt(result, terms))
    if result.is_gone:
        sql.keep_out(session, cursor, message, HARD_BOUNCE, begun.at)
    if kind == "awaiting":
        waits = {"state": AWAITING, "reason": "waiting:confirmation", "sending_at": begun.at}
        if _moved(session, cursor, message, (SENDING, UNKNOWN), **waits):
            session.prepared(sql.UNTOUCH).run(cursor, one=message.message_id)
        return None
    if kind in (ACCEPTED, UNKNOWN):
        reason = None if kind == ACCEPTED else result.code or "no_answer"
        took = {"state": kind, "reason": reason, "sending_at": begun.at, "final_at": begun.at}
        owner = terms.worker_id if kind == UNKNOWN else None
        if not _moved(session, cursor, message, (SENDING, UNKNOWN), owner=owner, **took) and kind == ACCEPTED:
            sql.prove_accepted(session, cursor, message, begun.at)
        return None
    later = _retry(message, begun, terms) if kind == "deferred" else None
    if later is not None:
        is_ours = _postponed(session, cursor, message, (SENDING, UNKNOWN), later, result.detail, terms)
    else:
        reason = result.code or kind if kind == "rejected" else "exhausted"
        gone = {"state": REJECTED, "reason": reason, "detail": result.detail, "final_at": begun.at}
        is_ours = _moved(session, cursor, message, (SENDING, UNKNOWN), **gone)
    if is_ours:
        session.prepared(sql.UNTOUCH).run(cursor, one=message.message_id)
    return later if is_ours else None


def _attempt(result: Result, terms: Terms) -> dict[str, Any]:
    return {
        "message_id": result.message.message_id,
        "number": result.begun.number,
        "fence": result.message.fence,
        "owner": terms.worker_id,
        "started_at": result.begun.started_at,
        "ended_at": terms.clock(),
        "outcome": result.kind,
        "code": result.code,
        "detail": result.detail,
    }


def _retry(message: Due, begun: Begun, terms: Terms) -> Later | None:
    if begun.number > len(BACKOFF):
        return None
    until = begun.at + BACKOFF[begun.number - 1]
    return _later(until, "waiting:retry", terms) if until <= message.expires_at else None


# moving --------------------------------------------------------------------------------------------------------------


def _postponed(
    session: Session, cursor: Any, message: Due, expected: Sequence[str], later: Later, detail: str | None, terms: Terms
) -> bool:
    kept = {"owner": terms.worker_id, "lease_until": terms.clock() + terms.lease} if later.is_kept else {}
    values = {"state": CLAIMED if later.is_kept else PLANNED, "reason": later.reason, "detail": detail, **kept}
    return _moved(session, cursor, message, expected, not_before=later.until, **values)


def _moved(session: Session, cursor: Any, message: Due, expected: Sequence[str], **values: Any) -> bool:
    """Change a message that stands in an expected state under the fence that we hold; False when it is no longer ours."""
    moved = session.prepared(sql.MOVE).run(
        cursor,
        one=message.message_id,
        held=message.fence,
        expected=expected[0],
        or_expected=expected[-1],
        new_state=values["state"],
        new_reason=values.get("reason"),
        new_detail=values.get("detail"),
        new_not_before=values.get("not_before", message.not_before),
        new_sending_at=values.get("sending_at"),
        new_final_at=values.get("final_at"),
        new_owner=values.get("owner"),
        new_lease=values.get("lease_until"),
    )
    return bool(moved.rowcount == 1)
