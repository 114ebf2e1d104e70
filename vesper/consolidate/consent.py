"""Consent of contacts as of the cut-off: what sources state, appended to what the ledger holds, the most restrictive winning (R88)."""

from typing import Any

import sqlalchemy as sa

from vesper.address import hashed_address
from vesper.consolidate.source_record import field, record_key
from vesper.model.source import Source
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.ledger_copy import LEDGER_CONSENT

PURPOSE = "marketing"
UNCONFIRMED = "marketing_unconfirmed"
"""Purpose of a yes that waits for its person to confirm it; it is a consent to nothing."""
FURTHER = {"has_refused_personalisation": ("personalisation", False), "has_guardian_consent": ("guardian", True)}
"""Flag of a contact row -> purpose, whether it grants."""
ADDRESSES = {"email": "email", "sms": "phone"}
STATEMENT = ("channel", "purpose", "address_hash", "is_granted", "at", "source", "row_key")


def stated(raw: sa.FromClause, source: Source, is_confirmed_later: bool = False) -> list[sa.Select[Any]]:
    """One Select per channel: what each row of a contact source says of consent, for rows that have a usable address.

    Args:
        is_confirmed_later: double opt-in. A yes waits under a purpose of its own until the person confirms it (rule C11); a no counts at once.
    """
    mine = sa.and_(SOURCE_RECORD.c.source == source.id, SOURCE_RECORD.c.record_key == record_key(raw, source))
    moment = _moment(raw)
    return [
        sa.select(
            sa.literal(channel).label("channel"),
            (
                sa.case((raw.c[f"consent_{channel}"], UNCONFIRMED), else_=PURPOSE)
                if is_confirmed_later
                else sa.literal(PURPOSE)
            ).label("purpose"),
            hashed_address(channel, SOURCE_RECORD.c[address]).label("address_hash"),
            raw.c[f"consent_{channel}"].label("is_granted"),
            moment.label("at"),
            sa.literal(source.id).label("source"),
            SOURCE_RECORD.c.record_key.label("row_key"),
            field(raw, "consent_text").label("text_version"),
        )
        .join_from(raw, SOURCE_RECORD, mine)
        .where(raw.c[f"consent_{channel}"].is_not(None), SOURCE_RECORD.c[address].is_not(None))
        for channel, address in ADDRESSES.items()
        if f"consent_{channel}" in raw.c
    ]


def further(raw: sa.FromClause, source: Source) -> list[sa.Select[Any]]:
    """What each row of a contact source says of other purposes than marketing, for each usable address (rule C9)."""
    mine = sa.and_(SOURCE_RECORD.c.source == source.id, SOURCE_RECORD.c.record_key == record_key(raw, source))
    return [
        sa.select(
            sa.literal(channel).label("channel"),
            sa.literal(purpose).label("purpose"),
            hashed_address(channel, SOURCE_RECORD.c[address]).label("address_hash"),
            sa.literal(is_granted).label("is_granted"),
            _moment(raw).label("at"),
            sa.literal(source.id).label("source"),
            (SOURCE_RECORD.c.record_key + f"#{flag}").label("row_key"),
            field(raw, "consent_text").label("text_version"),
        )
        .join_from(raw, SOURCE_RECORD, mine)
        .where(raw.c[flag], SOURCE_RECORD.c[address].is_not(None))
        for flag, (purpose, is_granted) in FURTHER.items()
        if flag in raw.c
        for channel, address in ADDRESSES.items()
    ]


def _moment(raw: sa.FromClause) -> sa.ColumnElement[Any]:
    """When a contact row says what it says of consent."""
    stated_at = (field(raw, name, sa.DateTime()) for name in ("consent_at", "registered_at"))
    return sa.func.coalesce(*stated_at, raw.c.received_at)


def new_statements(parts: list[sa.Select[Any]]) -> sa.Select[Any]:
    """Statements that the ledger does not hold yet."""
    said = sa.union_all(*parts).cte("said")
    same = sa.and_(*[LEDGER_CONSENT.c[name] == said.c[name] for name in STATEMENT])
    return sa.select(said).where(~sa.exists().where(same)).distinct()


def consents(new: sa.FromClause) -> sa.Select[Any]:
    """core__consent: per contact, channel and purpose; each source row speaks with its latest statement, one refusal is enough."""
    names = (*STATEMENT, "text_version")
    said = sa.union_all(
        sa.select(*[LEDGER_CONSENT.c[name] for name in names]), sa.select(*[new.c[name] for name in names])
    ).cte("statement")
    latest = sa.func.row_number().over(
        partition_by=[said.c.channel, said.c.purpose, said.c.address_hash, said.c.source, said.c.row_key],
        order_by=[said.c.at.desc(), said.c.is_granted],
    )
    spoken = sa.select(said, latest.label("age")).cte("spoken")
    owner = _owners().cte("owner")
    same = sa.and_(owner.c.channel == spoken.c.channel, owner.c.address_hash == spoken.c.address_hash)
    order = [spoken.c.is_granted, spoken.c.at.desc(), spoken.c.source, spoken.c.row_key, spoken.c.address_hash]
    place = sa.func.row_number().over(
        partition_by=[owner.c.contact_id, spoken.c.channel, spoken.c.purpose], order_by=order
    )
    ranked = (
        sa.select(owner.c.contact_id, spoken, place.label("place"))
        .join_from(spoken, owner, same)
        .where(spoken.c.age == 1, spoken.c.purpose != UNCONFIRMED)
        .cte("ranked")
    )
    columns = ("contact_id", "channel", "purpose", "is_granted", "at", "source", "text_version")
    return sa.select(*[ranked.c[name] for name in columns]).where(ranked.c.place == 1)


def _owners() -> sa.CompoundSelect[Any]:
    """(contact, channel, address_hash) for every usable address of a contact's source rows."""
    records, member = SOURCE_RECORD, CONTACT_MEMBER
    same = sa.and_(member.c.source == records.c.source, member.c.record_key == records.c.record_key)
    return sa.union(
        *[
            sa.select(
                member.c.contact_id,
                sa.literal(channel).label("channel"),
                hashed_address(channel, records.c[address]).label("address_hash"),
            )
            .join_from(records, member, same)
            .where(records.c[address].is_not(None))
            for channel, address in ADDRESSES.items()
        ]
    )
