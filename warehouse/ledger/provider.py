"""What a provider tells of messages, kept in one transaction: rows of the inbox, and addresses that nothing may reach any more (rule C12).

What belongs here: that transaction. What does not: how each provider says it (`vesper/provider_event.py`). A hard bounce, a complaint and leaving
keep the address out at once; mail that came back only for now is judged by the night, which sees all of it in order (`vesper/bounce.py`). What is
told twice is one row and one suppression.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.provider_event import COMPLAINED, HARD, LEFT, Fact
from warehouse.ledger.consent import insert_new
from warehouse.ledger.inbox import Arrival, keep_answers
from warehouse.ledger.schema import CONSENT, MESSAGE
from warehouse.ledger.suppression import keep_out
from warehouse.ledger.unsubscribe import MARKETING
from warehouse.ledger.unsubscribe import SOURCE as UNSUBSCRIBE

CHANNEL = "email"
REASONS = {HARD: "hard_bounce", COMPLAINED: "complaint", LEFT: "unsubscribed"}
"""Kinds that keep an address out, and the reason that stands with it."""


def keep_facts(
    engine: sa.Engine,
    provider: str,
    facts: Sequence[Fact],
    hashed: Callable[[str], str],
    series_of: Callable[[str], str | None],
    recorded_on: dt.date,
) -> int:
    """Keep what a provider told; when this returns, it is committed. Returns how many facts were new.

    Args:
        hashed: a mail address -> its keyed hash; the address itself is kept nowhere.
        recorded_on: newest business date whose night is cut off, so that the next one sees a refusal.
    """
    with engine.begin() as connection:
        messages = _messages(connection, facts)
        known = [_of_ours(fact, messages) for fact in facts]
        new = keep_answers(connection, [_arrival(provider, fact) for fact in known], series_of)
        for fact, is_new in zip(known, new, strict=True):
            if is_new and fact.kind in REASONS:
                _act(connection, fact, messages.get(fact.message_id or ""), hashed, recorded_on)
    return sum(new)


def _of_ours(fact: Fact, messages: dict[str, Any]) -> Fact:
    """A fact of a message that is not ours has no message."""
    is_ours = fact.message_id in messages
    return fact if is_ours else Fact(fact.id, fact.kind, fact.at, None, fact.address, fact.reason)


def _messages(connection: sa.Connection, facts: Sequence[Fact]) -> dict[str, Any]:
    ids = sorted({fact.message_id for fact in facts if fact.message_id})
    columns = (MESSAGE.c.message_id, MESSAGE.c.channel, MESSAGE.c.address_hash)
    rows = connection.execute(sa.select(*columns).where(MESSAGE.c.message_id.in_(ids)))
    return {row.message_id: row for row in rows}


def _arrival(provider: str, fact: Fact) -> Arrival:
    """The row. It never holds an address: where no message tells whom it is about, the suppression alone knows it."""
    said = {"reason": fact.reason} if fact.reason else {}
    return Arrival(f"provider:{provider}", fact.id, fact.kind, fact.at, said, None, fact.message_id)


def _act(
    connection: sa.Connection, fact: Fact, message: Any, hashed: Callable[[str], str], recorded_on: dt.date
) -> None:
    """Keep the address out; who complained or left has also refused."""
    if message is not None:
        channel, address = message.channel, message.address_hash
    elif fact.address and "@" in fact.address:
        channel, address = CHANNEL, hashed(fact.address)
    else:
        return
    keep_out(connection, [(channel, address)], REASONS[fact.kind], fact.at)
    if fact.kind == HARD:
        return
    refusal = {"channel": channel, "purpose": MARKETING, "address_hash": address, "is_granted": False, "at": fact.at}
    about = {"source": UNSUBSCRIBE, "row_key": address, "text_version": None, "recorded_on": recorded_on}
    insert_new(connection, CONSENT, [refusal | about])
