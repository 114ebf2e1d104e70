"""The statements of the step over the wire: one SELECT of everything that may forbid a message, and what moves it.

What belongs here: SQL and the reading of its rows. What does not: the rules (`dispatch.py`).
Each statement is a constant, compiled once for each connection: a message costs one of each, and a mail must cost less than a millisecond.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from vesper.send_limits import Touch
from warehouse.ledger.claim import CAMPAIGN
from warehouse.ledger.handover_schema import HUMAN_TASK
from warehouse.ledger.outbox import ABANDONED, ACCEPTED, CLAIMED, PLANNED, SENDING, UNKNOWN, Due
from warehouse.ledger.schema import ATTEMPT, CONSENT, MESSAGE, STOP, SUPPRESSION, TOUCH
from warehouse.ledger.send_schema import RATE
from warehouse.ledger.send_stop import SCOPE
from warehouse.ledger.session import Session

MARKETING = "marketing"
_PART, _ROW = "|", ","


@dataclass(frozen=True)
class Facts:
    """What the ledger knows about a message at the moment of sending. `touches` are those of its person, with their messages' ids."""

    is_stopped: bool
    is_paused: bool
    is_granted: bool
    is_suppressed: bool
    is_taken_over: bool
    held_until: dt.datetime | None
    touches: Sequence[tuple[Touch, str]]


def _newest(scope: Any) -> sa.ScalarSelect[Any]:
    newest = sa.select(STOP.c.is_stopped).where(STOP.c.scope == scope).order_by(STOP.c.stop_id.desc()).limit(1)
    return newest.scalar_subquery()


def _consents() -> sa.ColumnElement[bool]:
    """Whether the address consents: somebody said so, and no source row's latest word is a refusal; at one instant the refusal wins (R88).

    The same fold as `consent.is_granted`; a test compares the two.
    """
    said, again = CONSENT.alias("said"), CONSENT.alias("again")
    here = (
        said.c.channel == sa.bindparam("channel"),
        said.c.purpose == sa.bindparam("purpose"),
        said.c.address_hash == sa.bindparam("address_hash"),
    )
    later = sa.exists().where(
        again.c.channel == said.c.channel,
        again.c.purpose == said.c.purpose,
        again.c.address_hash == said.c.address_hash,
        again.c.source == said.c.source,
        again.c.row_key == said.c.row_key,
        again.c.is_granted,
        again.c.at > said.c.at,
    )
    refused = sa.exists().where(*here, sa.not_(said.c.is_granted), sa.not_(later))
    return sa.and_(sa.exists().where(*here), sa.not_(refused))


def _touches() -> sa.ScalarSelect[Any]:
    """The person's touches from an instant on, as one text: instant|channel|message, with commas between."""
    told = sa.cast(TOUCH.c.at, sa.String) + _PART + TOUCH.c.channel + _PART + TOUCH.c.message_id
    near = sa.select(sa.func.aggregate_strings(told, _ROW)).where(
        TOUCH.c.contact_id == sa.bindparam("contact_id"),
        TOUCH.c.purpose == sa.literal_column(f"'{MARKETING}'"),
        TOUCH.c.at >= sa.bindparam("since", type_=sa.DateTime),
        TOUCH.c.message_id != sa.bindparam("one"),
    )
    return near.scalar_subquery()


FACTS = sa.select(
    _newest(sa.literal_column(f"'{SCOPE}'")),
    _newest(sa.bindparam("scope", type_=sa.String)),
    _consents(),
    sa.exists().where(
        SUPPRESSION.c.channel == sa.bindparam("channel"), SUPPRESSION.c.address_hash == sa.bindparam("address_hash")
    ),
    sa.exists().where(HUMAN_TASK.c.contact_id == sa.bindparam("contact_id"), HUMAN_TASK.c.is_open),
    sa.select(RATE.c.held_until).where(RATE.c.provider == sa.bindparam("provider")).scalar_subquery(),
    _touches(),
)


def facts(session: Session, cursor: Any, message: Due, since: dt.datetime, provider: str) -> Facts:
    """Everything that may forbid a message, by one SELECT in the caller's transaction."""
    row = session.prepared(FACTS).row(
        cursor,
        one=message.message_id,
        scope=CAMPAIGN + message.campaign_id,
        channel=message.channel,
        purpose=message.purpose,
        address_hash=message.address_hash,
        contact_id=message.contact_id,
        provider=provider,
        since=since,
    )
    stopped, paused, granted, suppressed, taken_over, held_until, touches = row or [None] * 7
    return Facts(
        bool(stopped), bool(paused), bool(granted), bool(suppressed), bool(taken_over), held_until, _parsed(touches)
    )


def _parsed(text: str | None) -> list[tuple[Touch, str]]:
    rows = (one.split(_PART) for one in text.split(_ROW)) if text else ()
    return [(Touch(dt.datetime.fromisoformat(at), channel), id) for at, channel, id in rows]


_MINE = sa.and_(MESSAGE.c.message_id == sa.bindparam("one"), MESSAGE.c.fence == sa.bindparam("held"))

START = (
    sa.update(MESSAGE)
    .where(_MINE, MESSAGE.c.state == sa.literal_column(f"'{CLAIMED}'"))
    .values(
        state=SENDING,
        reason=sa.null(),
        detail=sa.null(),
        sending_at=sa.bindparam("new_sending_at"),
        owner=sa.bindparam("new_owner"),
        lease_until=sa.bindparam("new_lease"),
        attempts=MESSAGE.c.attempts + 1,
    )
)

MOVE = (
    sa.update(MESSAGE)
    .where(_MINE, sa.or_(MESSAGE.c.state == sa.bindparam("expected"), MESSAGE.c.state == sa.bindparam("or_expected")))
    .values(
        state=sa.bindparam("new_state"),
        reason=sa.bindparam("new_reason"),
        detail=sa.bindparam("new_detail"),
        not_before=sa.bindparam("new_not_before"),
        sending_at=sa.bindparam("new_sending_at"),
        final_at=sa.bindparam("new_final_at"),
        owner=sa.bindparam("new_owner"),
        lease_until=sa.bindparam("new_lease"),
    )
)

_FOUND = (UNKNOWN, ABANDONED, PLANNED, CLAIMED)
PROVEN = (
    sa.update(MESSAGE)
    .where(
        MESSAGE.c.message_id == sa.bindparam("one"), MESSAGE.c.state.in_([sa.literal_column(f"'{s}'") for s in _FOUND])
    )
    .values(
        state=ACCEPTED,
        reason=sa.null(),
        detail=sa.null(),
        sending_at=sa.bindparam("new_sending_at"),
        final_at=sa.bindparam("new_sending_at"),
        owner=sa.null(),
        lease_until=sa.null(),
        fence=MESSAGE.c.fence + 1,
    )
)

ATTEMPTED = sa.insert(ATTEMPT).values({c.name: sa.bindparam(c.name) for c in ATTEMPT.c if c.name != "attempt_id"})
UNTOUCH = sa.delete(TOUCH).where(TOUCH.c.message_id == sa.bindparam("one"))


def _reserved(insert: Any) -> Any:
    """A message sent again after its fate stayed unknown has a touch already: it counts from now on."""
    made = insert(TOUCH).values({c.name: sa.bindparam(c.name) for c in TOUCH.c})
    return made.on_conflict_do_update(index_elements=["message_id"], set_={"at": made.excluded.at})


def _kept_out(insert: Any) -> Any:
    return insert(SUPPRESSION).values({c.name: sa.bindparam(c.name) for c in SUPPRESSION.c}).on_conflict_do_nothing()


KEPT_OUT = {"sqlite": _kept_out(sqlite.insert), "postgresql": _kept_out(postgresql.insert)}
TOUCHED = {"sqlite": _reserved(sqlite.insert), "postgresql": _reserved(postgresql.insert)}


def touch(session: Session, cursor: Any, message: Due, at: dt.datetime) -> None:
    """Reserve the touch of a message."""
    session.prepared(TOUCHED[session.dialect.name]).run(
        cursor,
        message_id=message.message_id,
        contact_id=message.contact_id,
        channel=message.channel,
        purpose=message.purpose,
        at=at,
    )


def keep_out(session: Session, cursor: Any, message: Due, reason: str, at: dt.datetime) -> None:
    """Suppress the address of a message on its channel."""
    session.prepared(KEPT_OUT[session.dialect.name]).run(
        cursor, channel=message.channel, address_hash=message.address_hash, reason=reason, at=at
    )


def prove_accepted(session: Session, cursor: Any, message: Due, at: dt.datetime) -> None:
    """A server took a message that the ledger had given up, or planned again: it is accepted, unless it is on the wire once more."""
    proven = session.prepared(PROVEN).run(cursor, one=message.message_id, new_sending_at=at)
    if proven.rowcount == 1 and message.purpose == MARKETING:
        touch(session, cursor, message, at)
