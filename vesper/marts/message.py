"""Messages as analysts read them: one row for each intent, from the ledger's copy of this night.

What belongs here: `out__message`, and the declarations of the ledger's copies that the send stage reads. What does not: the ledger itself.
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts import mart
from vesper.model.campaign import Campaign
from vesper.model.journey import Journey
from vesper.night import Night
from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, table

STATES = (
    "planned",
    "claimed",
    "sending",
    "accepted",
    "rejected",
    "unknown",
    "refused",
    "abandoned",
    "awaiting_confirmation",
)
PURPOSES = ("requested", "operational", "marketing")

RAW_MESSAGE = table(
    "raw_vesper__message",
    column("message_id", TEXT, "Message, derived from campaign, contact, step and occurrence", required=True),
    column("campaign_id", TEXT, "Campaign", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("step_id", TEXT, "Step of the campaign", required=True),
    column(
        "occurrence", INTEGER, "Which time the contact entered the campaign, from 1", required=True, between=(1, 1000)
    ),
    column("channel", TEXT, "Channel", required=True),
    column("purpose", TEXT, "Class of the message", required=True, among=PURPOSES),
    column("address_hash", TEXT, "Hash of the address; the address itself is never kept", required=True),
    column("state", TEXT, "How far it came", required=True, among=STATES),
    column("reason", TEXT, "Why it waits, was refused or rejected, or is unknown"),
    column("stage_at_plan", TEXT, "Lifecycle stage when it was planned (R87)"),
    column("priority", INTEGER, "Smaller goes first", required=True),
    column("business_on", DATE, "Night that planned it", required=True),
    column("planned_at", INSTANT, "When it was planned (UTC)", required=True),
    column("not_before", INSTANT, "Earliest instant it may go (UTC)", required=True),
    column("expires_at", INSTANT, "After this it is not sent any more (UTC)", required=True),
    column("sending_at", INSTANT, "When it went to the wire (UTC)"),
    column("final_at", INSTANT, "When its fate was settled (UTC)"),
    column("content_id", TEXT, "Content it is written from"),
    column("variant", TEXT, "Variant of that content chosen for the contact"),
    grain=("message_id",),
    owner="marketing",
    says="The ledger's messages, as they stood when this copy was taken.",
)

RAW_SUPPRESSION = table(
    "raw_vesper__suppression",
    column("channel", TEXT, "Channel", required=True),
    column("address_hash", TEXT, "Hash of the address", required=True),
    column("reason", TEXT, "Why it is suppressed", required=True),
    column("at", INSTANT, "Since when (UTC)", required=True),
    grain=("channel", "address_hash"),
    owner="compliance",
    says="Addresses that nothing but operational messages may reach (R90), copied from the ledger.",
)

MESSAGE = table(
    "out__message",
    column("message_id", TEXT, "Message; also the local part of the mail's Message-ID", required=True),
    column("campaign_id", TEXT, "Campaign", required=True),
    column("series_id", TEXT, "Campaign series that it rolls up to (R71)"),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("step_id", TEXT, "Step of the campaign", required=True),
    column(
        "occurrence", INTEGER, "Which time the contact entered the campaign, from 1", required=True, between=(1, 1000)
    ),
    column("channel", TEXT, "Channel", required=True),
    column("purpose", TEXT, "Class of the message", required=True, among=PURPOSES),
    column("state", TEXT, "planned, accepted, rejected, unknown, refused or abandoned", required=True, among=STATES),
    column("reason", TEXT, "Why it waits, was refused or rejected, or is unknown"),
    column("business_on", DATE, "Night that planned it", required=True),
    column("planned_at", INSTANT, "When it was planned (UTC)", required=True),
    column("waits_until_at", INSTANT, "When a planned message may go (UTC)"),
    column("sent_at", INSTANT, "When it went to the wire, accepted or of unknown fate (UTC)"),
    column("content_id", TEXT, "Content it is written from"),
    column("variant", TEXT, "Variant of that content chosen for the contact (R79)"),
    grain=("message_id",),
    owner="marketing",
    says="One row for each message intent, with what became of it; people who got none stand in the ledger's refusals.",
)


@mart(MESSAGE, stage="send")
def message(night: Night) -> sa.Select[Any]:
    """The ledger's messages planned up to this night, without the hash of the address."""
    raw = RAW_MESSAGE.c
    taken = {
        "series_id": series_of(raw.campaign_id, night),
        "waits_until_at": sa.case((raw.state.in_(("planned", "claimed")), raw.not_before)),
        "sent_at": sa.case((raw.state.in_(("accepted", "unknown", "abandoned")), raw.sending_at)),
    }
    columns = [(taken[c.name] if c.name in taken else raw[c.name]).label(c.name) for c in MESSAGE.c]
    return sa.select(*columns).where(raw.business_on <= on(night.business_on))


def series_of(campaign_id: sa.ColumnElement[str], night: Night) -> sa.ColumnElement[Any]:
    """SQL: the series of a campaign or journey that is in force tonight, NULL of others (R71)."""
    known = {id: one.series for model in (Campaign, Journey) for id, one in night.definitions.of(model).items()}
    return sa.case(known, value=campaign_id) if known else sa.cast(sa.null(), sa.String)
