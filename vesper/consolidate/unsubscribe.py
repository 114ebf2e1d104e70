"""Refusals that vendors keep: opt-out flags, unsubscribe histories, unsubscribe and complaint events, as statements of consent (R88, R90).

Every Select has the shape of `consent.stated`. The person is found by the address in the row, or by every address of the source records with the
vendor's id. What belongs here: what a vendor says. What does not: which statement wins (`consent.py`: the most restrictive).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.address import hashed_address
from vesper.consolidate.consent import ADDRESSES, PURPOSE
from vesper.consolidate.contact_row import field, instant, record_key
from vesper.consolidate.event import address, kind
from vesper.consolidate.vendor import system_id
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD

REFUSED = {"email": ("has_refused_email", "is_do_not_email"), "sms": ("has_refused_sms",)}
SPEAKING = {
    "mail_unsubscribed": ("email", False),
    "mail_complained": ("email", False),
    "mail_resubscribed": ("email", True),
    "sms_unsubscribed": ("sms", False),
}
"""Kinds of event by which a person refuses or comes back: channel, whether it grants."""
EVERYTHING = "all"
Events = Sequence[tuple[sa.FromClause, Source]]


def refused(raw: sa.FromClause, source: Source) -> list[sa.Select[Any]]:
    """What the opt-out flags of a contact source's rows refuse. No says nothing: not to have refused is not to have agreed.

    The flag speaks beside a consent of the same row, so that an older consent cannot outlive it.
    """
    mine = sa.and_(SOURCE_RECORD.c.source == source.id, SOURCE_RECORD.c.record_key == record_key(raw, source))
    at = sa.func.least(sa.func.coalesce(field(raw, "changed_at", sa.DateTime()), raw.c.received_at), raw.c.received_at)
    return [
        _statement(
            channel,
            SOURCE_RECORD.c[ADDRESSES[channel]],
            sa.false(),
            at,
            source,
            SOURCE_RECORD.c.record_key + f"#{flag}",
        )
        .join_from(raw, SOURCE_RECORD, mine)
        .where(raw.c[flag], SOURCE_RECORD.c[ADDRESSES[channel]].is_not(None))
        for channel, flags in REFUSED.items()
        for flag in flags
        if flag in raw.c
    ]


def left_lists(raw: sa.FromClause, source: Source, survivor: sa.FromClause) -> list[sa.Select[Any]]:
    """What memberships refuse: a list that its member opted out of."""
    if "has_refused_email" not in raw.c:
        return []
    moment = sa.func.coalesce(
        *[field(raw, name, sa.DateTime()) for name in ("changed_at", "added_at")], raw.c.received_at
    )
    told = {"is_granted": sa.false(), "at": moment, "scope": raw.c.list_id}
    return _statements("email", raw, source, told, survivor, raw.c.has_refused_email)


def unsubscribed(
    raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause, events: Events = ()
) -> list[sa.Select[Any]]:
    """What an unsubscribe history says. Person and time come from the row, or from the event it names.

    A list, channel or topic that somebody left refuses everything, until the same one is joined again: Vesper has no topics of its own.

    Args:
        survivor: the rows of `vendor.survivors`.
        events: raw tables and sources of events of the same system, for rows that name their event (`event_id`).
    """
    found: list[sa.Select[Any]] = []
    said = sa.func.lower(field(raw, "channel"))
    at = instant(field(raw, "at", sa.DateTime()), zone)
    told = {
        "is_granted": sa.func.coalesce(field(raw, "is_granted", sa.Boolean()), sa.false()),
        "scope": field(raw, "list_id"),
    }
    for channel in ADDRESSES:
        is_meant = said == channel if "channel" in raw.c else sa.literal(channel == "email")
        moment = sa.func.coalesce(at, raw.c.received_at)
        found += _statements(channel, raw, source, {**told, "at": moment}, survivor, is_meant)
        for event_raw, event_source in events if "event_id" in raw.c else ():
            of_event = {**told, "at": sa.func.coalesce(at, instant(event_raw.c.at, zone), raw.c.received_at)}
            both = sa.and_(is_meant, event_raw.c.event_id == raw.c.event_id)
            found += _statements(channel, event_raw, event_source, of_event, survivor, both, stated_by=source)
    return found


def by_events(raw: sa.FromClause, source: Source, zone: str, survivor: sa.FromClause) -> list[sa.Select[Any]]:
    """What the events of a source refuse: unsubscribes and complaints of machines count too, since the vendor acts on them."""
    told = {"at": instant(raw.c.at, zone), "scope": sa.cast(sa.null(), sa.String)}
    return [
        select
        for word, (channel, is_granted) in SPEAKING.items()
        if word in source.event_kinds
        for select in _statements(
            channel, raw, source, {**told, "is_granted": sa.literal(is_granted)}, survivor, kind(raw, source) == word
        )
    ]


def _statements(
    channel: str,
    raw: sa.FromClause,
    source: Source,
    told: dict[str, sa.ColumnElement[Any]],
    survivor: sa.FromClause,
    where: sa.ColumnElement[bool],
    stated_by: Source | None = None,
) -> list[sa.Select[Any]]:
    """One Select for each way from a row to an address: written in the row, of records with its id, of records with the id that lives on."""
    column = ADDRESSES[channel]
    of_id = SOURCE_RECORD.c[column]
    ways: list[tuple[sa.ColumnElement[str], sa.FromClause | None]] = []
    if column in raw.c:
        ways.append((address(raw, column), None))
    if "crm_id" in raw.c:
        id, lives = system_id(raw, source), survivor.alias("lives")
        later = raw.join(lives, lives.c.old_id == id)
        ways.append((of_id, raw.join(SOURCE_RECORD, SOURCE_RECORD.c.crm_id == id)))
        ways.append((of_id, later.join(SOURCE_RECORD, SOURCE_RECORD.c.crm_id == lives.c.kept_id)))
    key = sa.literal("unsubscribe/") + sa.func.coalesce(told["scope"], EVERYTHING)
    selects = []
    for to, joined in ways:
        made = _statement(channel, to, told["is_granted"], told["at"], stated_by or source, key).where(
            where, to.is_not(None)
        )
        selects.append(made if joined is None else made.select_from(joined))
    return selects


def _statement(
    channel: str,
    to: sa.ColumnElement[str],
    is_granted: sa.ColumnElement[bool],
    at: sa.ColumnElement[Any],
    source: Source,
    row_key: sa.ColumnElement[str],
) -> sa.Select[Any]:
    return sa.select(
        sa.literal(channel).label("channel"),
        sa.literal(PURPOSE).label("purpose"),
        hashed_address(channel, to).label("address_hash"),
        is_granted.label("is_granted"),
        at.label("at"),
        sa.literal(source.id).label("source"),
        row_key.label("row_key"),
        sa.cast(sa.null(), sa.String).label("text_version"),
    )
