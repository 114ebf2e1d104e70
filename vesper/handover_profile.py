"""What sales are told of a contact: who it is, the campaigns it was in, what it did last (R66).

What belongs here: the Selects, for the few contacts that notices speak of. What does not: the score's reasons (the ledger keeps those of the night
that handed over), words (`handover_words.py`).
"""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from vesper.model.sales import NAMED
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER, EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.declare import TEXT, column, table

BEHAVIOURS = 10
"""Most events that are told, the newest first."""

ASKED = table(
    "handed_contact",
    column("contact_id", TEXT, "Golden contact", required=True),
    grain=("contact_id",),
    owner="sales",
    says="The contacts that notices or a sheet speak of.",
    metadata=sa.MetaData(),
)


@dataclass(frozen=True)
class Profile:
    """One contact. `person` is personal: it lives in memory only."""

    person: dict[str, str | None] = field(default_factory=dict)
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    behaviours: list[dict[str, Any]] = field(default_factory=list)


def people() -> sa.Select[Any]:
    """contact_id and the fields that sales may see. Personal."""
    columns = [CONTACT.c[name] for name in NAMED]
    return sa.select(CONTACT.c.contact_id, *columns).join_from(
        ASKED, CONTACT, CONTACT.c.contact_id == ASKED.c.contact_id
    )


def campaigns() -> sa.Select[Any]:
    """contact_id, campaign_id, name, mailed_on, responded_at; oldest first."""
    member = CAMPAIGN_MEMBER.c
    return (
        sa.select(member.contact_id, member.campaign_id, CAMPAIGN.c.name, member.mailed_on, member.responded_at)
        .join_from(ASKED, CAMPAIGN_MEMBER, member.contact_id == ASKED.c.contact_id)
        .outerjoin(CAMPAIGN, CAMPAIGN.c.campaign_id == member.campaign_id)
        .order_by(member.contact_id, member.mailed_on, member.campaign_id)
    )


def behaviours() -> sa.Select[Any]:
    """contact_id, kind, at, series_id, content_id, url of the newest events of people, newest first; machine events never count."""
    rank = sa.func.row_number().over(
        partition_by=EVENT.c.contact_id, order_by=(EVENT.c.at.desc(), EVENT.c.event_id.desc())
    )
    columns = [EVENT.c[name] for name in ("contact_id", "kind", "at", "series_id", "content_id", "url")]
    newest = (
        sa.select(*columns, rank.label("rank"))
        .join_from(ASKED, EVENT, EVENT.c.contact_id == ASKED.c.contact_id)
        .where(EVENT.c.is_machine.is_(False))
        .subquery("newest")
    )
    told = [newest.c[c.name] for c in columns]
    return sa.select(*told).where(newest.c.rank <= BEHAVIOURS).order_by(newest.c.contact_id, newest.c.rank)
