"""Events of any source as core__event: what happened, when, and to which golden contact (R1).

A row names its person by an id of the vendor's system, a card, a phone or a mail address; the first of them that names a contact counts.
What belongs here: sources of events, and unsubscribes as events. What does not: what an unsubscribe means for consent (`unsubscribe.py`).
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from vesper.cleaning import email, phone, text
from vesper.clock import local_day
from vesper.consolidate.contact_row import field, instant, record_key
from vesper.consolidate.vendor import system_id
from vesper.model.source import Source
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT, IDENTIFIER
from vesper.tables.identity import CONTACT_ALIAS

BETWEEN_WORDS = "[ /.:()-]+"
ABOUT, SOMETHING = "*", "something"
"""In a mapped kind `*` stands for what the row is about: `*_clicked` of a mail is mail_clicked."""
OWN = "vesper"
"""What our own web app took in: its messages are ours, and keep their ids."""
PARTICULARS = ("url", "content_id", "product_code", "keyword", "duration_seconds", "amount")
"""Canonical fields of a source of events that core__event has under the same names."""


def of_source(raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause | None = None) -> sa.Select[Any]:
    """core__event from the raw table of a source of events.

    Args:
        zone: the company's zone; a date without time counts from its first moment there.
        survivor: the rows of `vendor.survivors`, so that events of a merged id find the contact that lives on.
    """
    joined, contact_id = with_contact(raw, source, survivor)
    return _event(raw, source, contact_id, raw.c.on, instant(raw.c.at, zone), kind(raw, source)).select_from(joined)


def of_unsubscribes(
    raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause | None = None
) -> sa.Select[Any]:
    """The event that a row of an unsubscribe source is, of those that say when."""
    joined, contact_id = with_contact(raw, source, survivor)
    at = instant(raw.c.at, zone)
    stated = sa.literal(source.event_kind, sa.String)
    return (
        _event(raw, source, contact_id, local_day(at, zone), at, stated)
        .select_from(joined)
        .where(raw.c.at.is_not(None))
    )


def kind(raw: sa.FromClause, source: Source) -> sa.ColumnElement[str]:
    """What a row's event is called: the word declared for all rows, else the row's own, as an id is written."""
    if "kind" not in raw.c:
        return sa.literal(source.event_kind, sa.String)
    word = sa.func.regexp_replace(sa.func.lower(raw.c.kind), BETWEEN_WORDS, "_", "g")
    about = sa.func.regexp_replace(sa.func.lower(field(raw, "about")), BETWEEN_WORDS, "_", "g")
    return sa.func.replace(word, ABOUT, sa.func.coalesce(about, SOMETHING))


def with_contact(
    raw: sa.FromClause, source: Source, survivor: sa.FromClause | None = None
) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
    """The raw rows joined with what names their contact, and the contact's id; NULL while nothing names one."""
    joined: sa.FromClause = raw
    found: list[sa.ColumnElement[str]] = []
    for place, (name, value) in enumerate(_identifiers(raw, source)):
        mine = IDENTIFIER.alias(f"identifier_{place}")
        joined = joined.join(mine, sa.and_(mine.c.kind == name, mine.c.value == value), isouter=True)
        found.append(mine.c.contact_id)
    if survivor is not None and "crm_id" in raw.c:
        lives, mine = survivor.alias("survivor"), IDENTIFIER.alias("identifier_kept")
        joined = joined.join(lives, lives.c.old_id == system_id(raw, source), isouter=True)
        joined = joined.join(mine, sa.and_(mine.c.kind == "crm_id", mine.c.value == lives.c.kept_id), isouter=True)
        found.insert(1, mine.c.contact_id)
    if "contact_id" in raw.c:
        joined, own = _own_contact(raw, joined)
        found.append(own)
    if not found:
        return joined, sa.cast(sa.null(), sa.String)
    return joined, found[0] if len(found) == 1 else sa.func.coalesce(*found)


def _own_contact(raw: sa.FromClause, joined: sa.FromClause) -> tuple[sa.FromClause, sa.ColumnElement[str]]:
    """The contact that a row names by Vesper's own id; where that one was merged away, the contact that holds its person now."""
    alias, there = CONTACT_ALIAS.alias("own_alias"), CONTACT.alias("own_contact")
    joined = joined.join(alias, alias.c.old_id == raw.c.contact_id, isouter=True)
    now = sa.func.coalesce(alias.c.contact_id, raw.c.contact_id)
    return joined.join(there, there.c.contact_id == now, isouter=True), there.c.contact_id


def _identifiers(raw: sa.FromClause, source: Source) -> Iterator[tuple[str, sa.ColumnElement[str]]]:
    """Kind and value of what names a row's person, most certain first."""
    if "crm_id" in raw.c:
        yield "crm_id", system_id(raw, source)
    if "openid" in raw.c:
        yield "openid", system_id(raw, source, "openid")
    yield from ((name, text.code(raw.c[name])) for name in ("unionid", "card") if name in raw.c)
    yield from ((channel, address(raw, channel)) for channel in ("phone", "email") if channel in raw.c)


def address(raw: sa.FromClause, name: str) -> sa.ColumnElement[str]:
    """A row's phone or mail address in the form of core tables."""
    bare = sa.func.trim(raw.c[name])
    return phone.quick(bare) if name == "phone" else sa.func.coalesce(email.quick(bare), sa.func.lower(bare))


def _event(
    raw: sa.FromClause,
    source: Source,
    contact_id: sa.ColumnElement[str],
    on: sa.ColumnElement[Any],
    at: sa.ColumnElement[Any],
    word: sa.ColumnElement[str],
) -> sa.Select[Any]:
    # Ids of a vendor's campaigns and messages are written like its other ids, so that they are never taken for ours.
    campaign = system_id(raw, source, "campaign_id") if source.crm else field(raw, "campaign_id")
    return sa.select(
        (sa.literal(f"{source.id}:") + record_key(raw, source)).label("event_id"),
        on.label("on"),
        contact_id.label("contact_id"),
        at.label("at"),
        raw.c.received_at,
        word.label("kind"),
        sa.literal(source.id).label("source"),
        sa.func.coalesce(campaign, sa.literal(source.series, sa.String)).label("series_id"),
        (field(raw, "message_id") if source.system_of_ids == OWN else system_id(raw, source, "message_id")).label(
            "message_id"
        ),
        sa.func.coalesce(field(raw, "is_machine", sa.Boolean()), sa.false()).label("is_machine"),
        *particulars(raw),
    )


def particulars(raw: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """What a row says the event was about, by the names of core__event: NULL where the source does not say it."""
    return [field(raw, name, EVENT.c[name].type).label(name) for name in PARTICULARS]
