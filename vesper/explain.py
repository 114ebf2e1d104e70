"""What `vesper explain` asks of the published tables: a person or a campaign, taken apart into the rows that decided.

What belongs here: the Selects, each for one section of the answer. What does not: the ledger's part of it and the words (`tasks/explain.py`).
A name, a number or an address leaves these Selects masked only (R122).
"""

from typing import Any

import sqlalchemy as sa

from vesper.address import hashed_address
from vesper.cleaning import email, phone
from vesper.consolidate.consent import ADDRESSES
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.lifecycle_change import LIFECYCLE_CHANGE
from vesper.marts.score import SCORE
from vesper.marts.score_reason import PREVIOUS_REASON, SCORE_REASON
from vesper.marts.segment_change import SEGMENT_CHANGE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.scoring import BASE, CLAMP
from vesper.privacy import masked_email, masked_name, masked_phone
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER
from vesper.tables.contact import CONSENT, CONTACT, CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD
from vesper.tables.identity import CONTACT_ALIAS

NEAREST = 3


def identified(kind: str, value: str) -> sa.CompoundSelect[Any]:
    """kind and contact_id of whom an identifier names. `kind` is contact, card, phone, email, or empty for any of them.

    A contact id that merged away names the contact that holds its person now (R13).
    """
    found = [
        sa.select(sa.literal(name).label("kind"), IDENTIFIER.c.contact_id).where(
            IDENTIFIER.c.kind == name, IDENTIFIER.c.value == written
        )
        for name, written in _as_kept(value).items()
        if kind in ("", name)
    ]
    is_id = sa.literal(kind in ("", "contact"))
    by_id = sa.select(sa.literal("contact").label("kind"), CONTACT.c.contact_id)
    by_old_id = sa.select(sa.literal("contact").label("kind"), CONTACT_ALIAS.c.contact_id)
    found.append(by_id.where(is_id, CONTACT.c.contact_id == value))
    found.append(by_old_id.where(is_id, CONTACT_ALIAS.c.old_id == value, CONTACT_ALIAS.c.contact_id.is_not(None)))
    return sa.union(*found).order_by("kind", "contact_id")


def sharing(kind: str, value: str) -> sa.CompoundSelect[Any]:
    """The contacts whose source rows carry a value; it identifies nobody when there are several."""
    same = sa.and_(
        CONTACT_MEMBER.c.source == SOURCE_RECORD.c.source, CONTACT_MEMBER.c.record_key == SOURCE_RECORD.c.record_key
    )
    joined = sa.select(CONTACT_MEMBER.c.contact_id).join_from(SOURCE_RECORD, CONTACT_MEMBER, same)
    found = [
        joined.where(SOURCE_RECORD.c[name] == written)
        for name, written in _as_kept(value).items()
        if kind in ("", name)
    ]
    return sa.union(*found, joined.where(sa.false())).order_by("contact_id")


def _as_kept(value: str) -> dict[str, sa.ColumnElement[Any]]:
    """A value as the sources' cleaning would keep it, by kind of identifier: 138 1234 5678 is found as +8613812345678."""
    kept = {"card": value.strip(), "phone": phone.read(value).number, "email": email.read(value)}
    return {kind: sa.cast(sa.literal(typed), sa.String) for kind, typed in kept.items() if typed is not None}


def nearest_ids(value: str) -> sa.Select[Any]:
    """The ids that look most like a value: of contacts, campaigns, and cards. Numbers and addresses are never offered."""
    ids = sa.union(
        sa.select(CONTACT.c.contact_id.label("id")),
        sa.select(CAMPAIGN.c.campaign_id),
        sa.select(IDENTIFIER.c.value).where(IDENTIFIER.c.kind == "card"),
    ).subquery("ids")
    distance = sa.func.levenshtein(ids.c.id, value)
    return sa.select(ids.c.id).order_by(distance, ids.c.id).limit(NEAREST)


def person(contact_id: str) -> sa.Select[Any]:
    """Who the contact is, masked."""
    columns = ("card", "province", "city", "source_count", "first_source", "first_seen_on", "updated_at")
    return sa.select(
        masked_name(CONTACT.c.name).label("name"),
        masked_phone(CONTACT.c.phone).label("phone"),
        masked_email(CONTACT.c.email).label("email"),
        *[CONTACT.c[name] for name in columns],
    ).where(CONTACT.c.contact_id == contact_id)


def source_rows(contact_id: str) -> sa.Select[Any]:
    """The source rows merged into the contact, each with the rule that brought it, the most trusted first."""
    same = sa.and_(
        SOURCE_RECORD.c.source == CONTACT_MEMBER.c.source, SOURCE_RECORD.c.record_key == CONTACT_MEMBER.c.record_key
    )
    columns = ("registered_at", "received_at", "trust", "phone_status", "email_status")
    return (
        sa.select(
            CONTACT_MEMBER.c.source,
            CONTACT_MEMBER.c.record_key,
            CONTACT_MEMBER.c.rule,
            *[SOURCE_RECORD.c[name] for name in columns],
        )
        .join_from(CONTACT_MEMBER, SOURCE_RECORD, same, isouter=True)
        .where(CONTACT_MEMBER.c.contact_id == contact_id)
        .order_by(SOURCE_RECORD.c.trust.desc(), CONTACT_MEMBER.c.source, CONTACT_MEMBER.c.record_key)
    )


def score(contact_id: str) -> sa.Select[Any]:
    """The contact's score of the night, and the one of the night before."""
    return sa.select(SCORE).where(SCORE.c.contact_id == contact_id)


def reasons(contact_id: str) -> sa.Select[Any]:
    """Every reason of the score beside the points it gave the night before; the base first, the clamp last."""
    now = sa.select(SCORE_REASON).where(SCORE_REASON.c.contact_id == contact_id).subquery("now")
    before = sa.select(PREVIOUS_REASON).where(PREVIOUS_REASON.c.contact_id == contact_id).subquery("before")
    rule_id = sa.func.coalesce(now.c.rule_id, before.c.rule_id)
    place = sa.case((rule_id == BASE, 0), (rule_id == CLAMP, 2), else_=1)
    facts = (now.c.kind, now.c.points, now.c.evidence_count, now.c.first_at, now.c.last_at)
    return (
        sa.select(rule_id.label("rule_id"), *facts, before.c.points.label("previous_points"))
        .select_from(now.join(before, before.c.rule_id == now.c.rule_id, full=True))
        .order_by(place, now.c.points.desc().nulls_last(), rule_id)
    )


def lifecycle(contact_id: str) -> sa.Select[Any]:
    """The stage the contact stands in, and the stage it came from if it came tonight."""
    moved = sa.and_(
        LIFECYCLE_CHANGE.c.contact_id == LIFECYCLE.c.contact_id,
        LIFECYCLE_CHANGE.c.business_on == LIFECYCLE.c.business_on,
    )
    columns = [LIFECYCLE.c.stage, LIFECYCLE.c.entered_at, LIFECYCLE.c.rule_id, LIFECYCLE_CHANGE.c.from_stage]
    return (
        sa.select(*columns)
        .join_from(LIFECYCLE, LIFECYCLE_CHANGE, moved, isouter=True)
        .where(LIFECYCLE.c.contact_id == contact_id)
    )


def segments(contact_id: str) -> sa.Select[Any]:
    """The segments the contact is in, with `change` None, entered; and those it left tonight, with `entered_on` empty."""
    member, change = SEGMENT_MEMBER, SEGMENT_CHANGE
    mine = sa.select(member.c.segment_id, member.c.entered_on).where(member.c.contact_id == contact_id).subquery("mine")
    moves = sa.select(change.c.segment_id, change.c.change).where(change.c.contact_id == contact_id).subquery("moves")
    segment_id = sa.func.coalesce(mine.c.segment_id, moves.c.segment_id)
    return (
        sa.select(segment_id.label("segment_id"), mine.c.entered_on, moves.c.change)
        .select_from(mine.join(moves, moves.c.segment_id == mine.c.segment_id, full=True))
        .order_by(segment_id)
    )


def consents(contact_id: str) -> sa.Select[Any]:
    """Consent per channel as of the cut-off, with the source row that decided (R88)."""
    columns = ("channel", "purpose", "is_granted", "at", "source", "text_version")
    mine = sa.select(*[CONSENT.c[name] for name in columns]).where(CONSENT.c.contact_id == contact_id)
    return mine.order_by(CONSENT.c.channel, CONSENT.c.purpose)


def addresses(contact_id: str) -> sa.CompoundSelect[Any]:
    """channel and hash of every usable address of the contact: what the ledger knows it by."""
    same = sa.and_(
        CONTACT_MEMBER.c.source == SOURCE_RECORD.c.source, CONTACT_MEMBER.c.record_key == SOURCE_RECORD.c.record_key
    )
    return sa.union(
        *[
            sa.select(
                sa.literal(channel).label("channel"),
                hashed_address(channel, SOURCE_RECORD.c[column]).label("address_hash"),
            )
            .join_from(SOURCE_RECORD, CONTACT_MEMBER, same)
            .where(CONTACT_MEMBER.c.contact_id == contact_id, SOURCE_RECORD.c[column].is_not(None))
            for channel, column in ADDRESSES.items()
        ]
    )


def mailings(contact_id: str) -> sa.Select[Any]:
    """The campaigns of sources that reached the contact, and whether it responded; the newest first."""
    return (
        sa.select(
            CAMPAIGN_MEMBER.c.campaign_id, CAMPAIGN.c.kind, CAMPAIGN_MEMBER.c.mailed_on, CAMPAIGN_MEMBER.c.responded_at
        )
        .join_from(CAMPAIGN_MEMBER, CAMPAIGN, CAMPAIGN.c.campaign_id == CAMPAIGN_MEMBER.c.campaign_id, isouter=True)
        .where(CAMPAIGN_MEMBER.c.contact_id == contact_id)
        .order_by(CAMPAIGN_MEMBER.c.mailed_on.desc(), CAMPAIGN_MEMBER.c.campaign_id)
    )


def campaign(campaign_id: str) -> sa.Select[Any]:
    """A campaign of a source."""
    return sa.select(CAMPAIGN).where(CAMPAIGN.c.campaign_id == campaign_id)


def members_of(segment_id: str) -> sa.Select[Any]:
    """How many people a segment has tonight."""
    return sa.select(sa.func.count()).select_from(SEGMENT_MEMBER).where(SEGMENT_MEMBER.c.segment_id == segment_id)


def effect(campaign_id: str) -> sa.Select[Any]:
    """What the campaign brought by the newest night, one row per channel."""
    newest = sa.select(sa.func.max(CAMPAIGN_EFFECT.c.business_on)).scalar_subquery()
    mine = sa.and_(CAMPAIGN_EFFECT.c.campaign_id == campaign_id, CAMPAIGN_EFFECT.c.business_on == newest)
    return sa.select(CAMPAIGN_EFFECT).where(mine).order_by(CAMPAIGN_EFFECT.c.channel)


def campaign_ids() -> sa.Select[Any]:
    """Every campaign of a source."""
    return sa.select(CAMPAIGN.c.campaign_id).order_by(CAMPAIGN.c.campaign_id)
