"""The words that a content may name: declared here once. Who writes a letter fills exactly these, who checks a template knows no others.

What belongs here: the words, what each of them is, and how long one may be. What does not: filling them (`vesper/content.py` and who calls it).
"""

from collections.abc import Mapping

CONTENT_WORDS: Mapping[str, str] = {
    "name": "Name of the person; empty where nobody stated it",
    "city": "City of the person; empty where unknown",
    "province": "Province of the person; empty where unknown",
    "job_title": "Position of the person; empty where unknown",
    "industry": "Industry of the person's company; empty where unknown",
    "company": "Name of the company that writes",
    "address": "Postal address of the company that writes ([mail] postal_address)",
    "unsubscribe_url": "Address that unsubscribes; every text needs it (R89)",
    "preference_url": "Address where the person says what they want to get, and where",
    "coupon_code": "The person's own coupon code; empty where the sending gives none",
    "coupon_expires_on": "Last day of that coupon; empty where there is none",
    "recommended": "Products recommended to the person, each with name and code; may be empty",
}
"""Word -> what it is. All are texts, save those of LISTS."""

LISTS: Mapping[str, frozenset[str]] = {"recommended": frozenset({"name", "code"})}
"""Words that are lists, with the fields of each entry: `{% for product in recommended %}{{ product.name }}{% endfor %}`."""

LINKS = frozenset(word for word in CONTENT_WORDS if word.endswith("_url"))
"""Words that may begin the address of a link."""

UNSUBSCRIBE = "unsubscribe_url"
FIELD_LENGTH = 2_000
"""Characters of one word; what is longer is no name and refuses its own message only."""
LIST_LENGTH = 50
"""Entries of a list that are shown."""
OUTPUT_LENGTH = 200_000
"""Characters of a filled part."""
TEMPLATE_LENGTH = 100_000
"""Characters of a template."""
