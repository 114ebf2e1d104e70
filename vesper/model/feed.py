"""What a source may feed, and the canonical fields of each feed: the words that every source maps its columns to (R2).

What belongs here: field names with the types they take. What does not: how one source writes them (`definitions/sources/`).
"""

from dataclasses import dataclass
from typing import Literal

from vesper.tables.sales import DIMENSIONS, OUTCOMES

Feed = Literal[
    "contact",
    "company",
    "contact_merge",
    "contact_delete",
    "unsubscribe",
    "membership",
    "event",
    "order_line",
    "product",
    "campaign",
    "campaign_member",
    "demographic",
    "bant",
    "lead_outcome",
    "other",
]
FieldType = Literal["text", "integer", "money", "number", "date", "instant", "flag", "category"]

OPEN_FEEDS = frozenset({"other"})
"""Feeds whose rows are only kept for analysts: their fields are named as the source likes."""
RESERVED = frozenset({"on", "file", "source_row", "received_at", "failed_rule", "row_json", "is_superseded"})
"""Columns that every raw table has or that a night puts beside them: no field may have such a name."""

_WORDS = ("text", "category")
_MOMENTS = ("date", "instant")


@dataclass(frozen=True)
class Canonical:
    """A canonical field: the types a source may declare it with, whether a source of this feed must have it, and the only words of a category."""

    types: tuple[str, ...]
    needed: bool = False
    words: tuple[str, ...] = ()


def _words(*needed: str, also: tuple[str, ...] = ()) -> dict[str, Canonical]:
    return {name: Canonical(_WORDS, name in needed) for name in (*needed, *also)}


def _flags(*names: str) -> dict[str, Canonical]:
    return {name: Canonical(("flag",)) for name in names}


def _moments(*names: str) -> dict[str, Canonical]:
    return {name: Canonical(_MOMENTS) for name in names}


PERSON = ("crm_id", "card", "unionid", "openid", "phone", "email")
"""Fields by which a row that is no contact itself says whom it is about."""
PLACE = ("region", "province", "city", "country")

CANONICAL: dict[str, dict[str, Canonical]] = {
    "contact": {
        **_words(also=("member_id", *PERSON, "name", "first_name", "last_name", "other_phone", *PLACE, "owner")),
        **_words(also=("company", "account_id", "job_title", "industry", "domain", "list_id", "consent_text", "need")),
        **_words(also=("gender",)),
        # Provisional id under which the person was known before a night took the row in (Vesper's own forms).
        **_words(also=("contact_id",)),
        "birth_on": Canonical(("date",)),
        # Ids of the same system that are this person too, and the person's id in another system.
        **_words(also=("merged_ids", "merged_into", "salesforce_id")),
        "employee_count": Canonical(("integer",)),
        **_moments("registered_at", "changed_at", "consent_at"),
        **_flags("consent_call", "consent_email", "consent_sms", "is_deleted"),
        # What vendors call "opted out" or "do not email": yes refuses, no says nothing.
        **_flags("has_refused_email", "has_refused_sms", "has_refused_call", "is_do_not_email"),
        # No to being chosen by what is known of oneself; a guardian's yes for somebody too young (rule C9).
        **_flags("has_refused_personalisation", "has_guardian_consent"),
    },
    "company": {
        **_words("account_id", also=("name", "domain", "industry", *PLACE, "phone", "parent_id", "role", "owner")),
        "employee_count": Canonical(("integer",)),
        **_moments("registered_at", "changed_at"),
        **_flags("is_deleted"),
        **_words(also=("merged_into",)),
    },
    "contact_merge": {**_words("crm_id", "merged_ids", also=("merge_id",)), **_moments("merged_at")},
    "contact_delete": {**_words("crm_id", also=("delete_id",)), **_moments("deleted_at")},
    "unsubscribe": {
        **_words(also=("unsubscribe_id", "event_id", *PERSON, "channel", "list_id", "campaign_id", "reason")),
        **_moments("at"),
        **_flags("is_granted"),
    },
    "membership": {
        **_words("list_id", also=("membership_id", *PERSON)),
        **_moments("added_at", "changed_at"),
        **_flags("is_deleted", "has_refused_email"),
    },
    "event": {
        **_words(also=("event_id", *PERSON, "kind", "about", "campaign_id", "coupon_code", "message_id", "list_id")),
        **_words(also=("url", "content_id", "product_code", "keyword")),
        # Vesper's own id of a contact, in what its own web app took in.
        **_words(also=("contact_id",)),
        "duration_seconds": Canonical(("integer",)),
        "amount": Canonical(("money",)),
        **_flags("is_machine"),
        "at": Canonical(_MOMENTS, needed=True),
    },
    "order_line": {
        **_words("order_id", "product_code", also=("card", "store")),
        "week": Canonical(("integer",)),
        "quantity": Canonical(("integer",), needed=True),
        "amount": Canonical(("money",), needed=True),
        "retail_discount": Canonical(("money",)),
        "coupon_discount": Canonical(("money",)),
        "match_discount": Canonical(("money",)),
        "ordered_at": Canonical(("instant",), needed=True),
    },
    "product": _words(
        "product_code", also=("manufacturer", "department", "brand", "category", "product_type", "package_size")
    ),
    "campaign": {
        **_words("campaign_id", "kind"),
        "starts_on": Canonical(("date",), needed=True),
        "ends_on": Canonical(("date",), needed=True),
    },
    "campaign_member": {**_words("campaign_id", "card"), "mailed_on": Canonical(("date",), needed=True)},
    "demographic": _words(
        "card", also=("age_band", "income_band", "household_size", "kids_count", "household_type", "home", "marital")
    ),
    # One row may say one dimension with its value, or have a column for each.
    "bant": {
        **_words(also=("bant_id", "contact_id", *PERSON, "value", *DIMENSIONS)),
        "dimension": Canonical(("category",), words=DIMENSIONS),
        "at": Canonical(_MOMENTS, needed=True),
    },
    "lead_outcome": {
        **_words(also=("outcome_id", "contact_id", *PERSON, "reason_code", "handover_id", "owner")),
        "outcome": Canonical(("category",), needed=True, words=OUTCOMES),
        "at": Canonical(_MOMENTS, needed=True),
    },
    "other": {},
}
