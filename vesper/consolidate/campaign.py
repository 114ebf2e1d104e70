"""Campaigns that ran elsewhere, who was mailed, who responded, and the events of people."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day
from vesper.consolidate.event import PARTICULARS
from vesper.consolidate.source_record import record_key
from vesper.model.source import Source
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT_MEMBER, IDENTIFIER

RESPONSE = "coupon_redeemed"


def campaigns(raw: sa.FromClause) -> sa.Select[Any]:
    """core__campaign from a raw campaign table."""
    name = sa.literal("Campaign ") + raw.c.campaign_id
    return sa.select(raw.c.campaign_id, name.label("name"), raw.c.kind, raw.c.starts_on, raw.c.ends_on)


def campaign_members(raw: sa.FromClause) -> sa.Select[Any]:
    """core__campaign_member: (campaign, contact) with the first response, which is a redemption in that campaign."""
    card = sa.and_(IDENTIFIER.c.kind == "card", IDENTIFIER.c.value == raw.c.card)
    first = (
        sa.select(EVENT.c.series_id, EVENT.c.contact_id, sa.func.min(EVENT.c.at).label("responded_at"))
        .where(EVENT.c.kind == RESPONSE, EVENT.c.contact_id.is_not(None))
        .group_by(EVENT.c.series_id, EVENT.c.contact_id)
        .cte("first_response")
    )
    answered = sa.and_(first.c.series_id == raw.c.campaign_id, first.c.contact_id == IDENTIFIER.c.contact_id)
    return (
        sa.select(
            raw.c.campaign_id,
            IDENTIFIER.c.contact_id,
            sa.func.min(raw.c.mailed_on).label("mailed_on"),
            sa.func.min(first.c.responded_at).label("responded_at"),
        )
        .select_from(raw.join(IDENTIFIER, card).join(first, answered, isouter=True))
        .group_by(raw.c.campaign_id, IDENTIFIER.c.contact_id)
    )


def events_of_contacts(raw: sa.FromClause, source: Source, zone: str) -> sa.Select[Any]:
    """The event that a row of a contact source is: a sign-up, a hotline call (R4: with its series)."""
    key = record_key(raw, source)
    mine = sa.and_(CONTACT_MEMBER.c.source == source.id, CONTACT_MEMBER.c.record_key == key)
    event_id = sa.literal(f"{source.id}:") + key
    columns = [
        event_id.label("event_id"),
        local_day(raw.c.registered_at, zone).label("on"),
        CONTACT_MEMBER.c.contact_id,
        raw.c.registered_at.label("at"),
        raw.c.received_at,
    ]
    joined = raw.join(CONTACT_MEMBER, mine, isouter=True)
    return (
        _events(columns, source, sa.literal(source.series)).select_from(joined).where(raw.c.registered_at.is_not(None))
    )


def _events(columns: list[Any], source: Source, series: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        *columns,
        sa.literal(source.event_kind).label("kind"),
        sa.literal(source.id).label("source"),
        sa.cast(series, sa.String).label("series_id"),
        sa.cast(sa.null(), sa.String).label("message_id"),
        sa.false().label("is_machine"),
        *[sa.cast(sa.null(), EVENT.c[name].type).label(name) for name in PARTICULARS],
    )
