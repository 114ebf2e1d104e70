"""What a content may say of a person, out of the golden records; and a few real people for a preview of it.

What belongs here: the Selects. What does not: the words that the sending itself knows (coupon, addresses to unsubscribe at), filling (`content.py`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.privacy import masked_email, masked_name
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT

PERSONAL = ("name", "city", "province", "job_title", "industry")
"""Words of CONTENT_WORDS that a person's golden records fill."""


def personal_words() -> sa.Select[Any]:
    """One row per golden contact: contact_id and the words of PERSONAL. Personal: in memory only."""
    return _words(CONTACT.c.name)


def masked_words() -> sa.Select[Any]:
    """The same with the name and the mail `address` masked, for people who look at previews (R122)."""
    return _words(masked_name(CONTACT.c.name)).add_columns(masked_email(CONTACT.c.email).label("address"))


def _words(name: sa.ColumnElement[Any]) -> sa.Select[Any]:
    own = [CONTACT.c[word] for word in PERSONAL if word in CONTACT.c and word != "name"]
    return sa.select(CONTACT.c.contact_id, name.label("name"), *own, COMPANY.c.industry).select_from(
        CONTACT.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id, isouter=True)
    )


def sampled(chosen: sa.Select[Any], count: int) -> sa.Select[Any]:
    """A few of the people of `chosen` (contact_id, content_id, variant), masked: of every content and variant the smallest id first, then the
    second of each, and so on up to `count`; never fewer than one of each.
    """
    all_of = chosen.cte("chosen")
    kind = (all_of.c.content_id, all_of.c.variant)
    place = sa.func.row_number().over(partition_by=kind, order_by=all_of.c.contact_id)
    ranked = sa.select(all_of, place.label("place")).cte("ranked")
    rank = sa.func.row_number().over(
        order_by=(ranked.c.place, ranked.c.content_id, ranked.c.variant, ranked.c.contact_id)
    )
    known = sa.select(ranked, rank.label("rank")).cte("taken")
    words = masked_words().cte("words")
    return (
        sa.select(known.c.content_id, known.c.variant, words)
        .join_from(known, words, words.c.contact_id == known.c.contact_id)
        .where(sa.or_(known.c.rank <= count, known.c.place == 1))
        .order_by(known.c.rank)
    )


def spread(chosen: sa.Select[Any]) -> sa.Select[Any]:
    """How many people each content and variant has: content_id, variant (NULL: nothing is written for them), people."""
    all_of = chosen.cte("spread")
    kind: Sequence[Any] = (all_of.c.content_id, all_of.c.variant)
    return sa.select(*kind, sa.func.count().label("people")).group_by(*kind).order_by(*kind)
