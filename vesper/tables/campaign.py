"""Campaigns that ran, the people they were sent to, and what people did: events."""

from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, MONEY, TEXT, column, table

CAMPAIGN = table(
    "core__campaign",
    column("campaign_id", TEXT, "Campaign", required=True),
    column("name", TEXT, "Name as people say it", required=True),
    column("kind", TEXT, "Kind, e.g. Type A", required=True),
    column("starts_on", DATE, "First day", required=True),
    column("ends_on", DATE, "Last day", required=True),
    grain=("campaign_id",),
    owner="marketing",
    says="Campaigns that sources report; Vesper's own are definitions, and their effect stands in mart__campaign_effect.",
)

CAMPAIGN_MEMBER = table(
    "core__campaign_member",
    column("campaign_id", TEXT, "Campaign", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("mailed_on", DATE, "Company day of the mailing", required=True),
    column("responded_at", INSTANT, "First redemption by the contact in this campaign (UTC)"),
    grain=("campaign_id", "contact_id"),
    owner="marketing",
    says="Who was mailed in which campaign, and whether they responded.",
)

EVENT = table(
    "core__event",
    column("event_id", TEXT, "Event: source and row key", required=True),
    column("on", DATE, "Company day of the event", required=True),
    column("contact_id", TEXT, "Golden contact; empty while unknown"),
    column("kind", TEXT, "What happened, e.g. coupon_redeemed", required=True),
    column("at", INSTANT, "When it happened (UTC)", required=True),
    column("received_at", INSTANT, "When Vesper received it (UTC)", required=True),
    column("source", TEXT, "Source id", required=True),
    column("series_id", TEXT, "Campaign series the event belongs to"),
    column("message_id", TEXT, "Message that led to it"),
    column("is_machine", FLAG, "Made by a machine, never scored", required=True),
    column(
        "excluded_by",
        TEXT,
        "Why no condition counts it, such as `incident 3`: an answer to a campaign that went wrong (R109)",
    ),
    column("url", TEXT, "Page or link it happened on, as the source writes it"),
    column("content_id", TEXT, "Content it was about, e.g. a white paper"),
    column("product_code", TEXT, "Product it was about"),
    column("keyword", TEXT, "Words that were searched for, or that led here"),
    column("duration_seconds", INTEGER, "How long it lasted, in seconds"),
    column("amount", MONEY, "Money it was about, e.g. the value of a cart, in the company's currency"),
    grain=("on", "event_id"),
    owner="data",
    says="What people did: redemptions, sign-ups, hotline calls, clicks.",
    cut="on",
)
