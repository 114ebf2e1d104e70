"""What a source may feed, and the canonical fields of each feed: the words that every source maps its columns to (R2).

What belongs here: field names with the types they take. What does not: how one source writes them (`definitions/sources/`).
"""

from dataclasses import dataclass
from typing import Literal

Feed = Literal["contact", "order_line", "product", "campaign", "campaign_member", "event", "demographic"]
FieldType = Literal["text", "integer", "money", "number", "date", "instant", "flag", "category"]

_WORDS = ("text", "category")
_MOMENTS = ("date", "instant")


@dataclass(frozen=True)
class Canonical:
    """A canonical field: the types a source may declare it with, and whether a source of this feed must have it."""

    types: tuple[str, ...]
    needed: bool = False


def _words(*needed: str, also: tuple[str, ...] = ()) -> dict[str, Canonical]:
    return {name: Canonical(_WORDS, name in needed) for name in (*needed, *also)}


CANONICAL: dict[str, dict[str, Canonical]] = {
    "contact": {
        **_words(also=("member_id", "card", "name", "phone", "email", "region", "consent_text", "need")),
        "consent_call": Canonical(("flag",)),
        "registered_at": Canonical(_MOMENTS),
        "consent_email": Canonical(("flag",)),
        "consent_sms": Canonical(("flag",)),
        "consent_at": Canonical(_MOMENTS),
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
    "event": {**_words(also=("card", "campaign_id", "coupon_code")), "at": Canonical(_MOMENTS, needed=True)},
    "demographic": _words(
        "card", also=("age_band", "income_band", "household_size", "kids_count", "household_type", "home", "marital")
    ),
}
