"""The review queue: pairs of source rows that a person should decide on, because the rules could not (R5, R104).

What belongs here: which pairs, and what a steward must see to decide. What does not: the sheet (`tasks/review.py`), the decision (the ledger).
"""

from typing import Any

import sqlalchemy as sa

from vesper.identity.keys import record_id
from vesper.privacy import masked_email, masked_name, masked_phone
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.identity import IDENTITY_LINK, IDENTITY_REVIEW, IDENTITY_VETO

APART, LARGE = "kept apart", "large contact"
WEAKEST = 10
"""So many of a large contact's weakest links are shown: where it should break, if it should."""
SHOWN = ("name", "phone", "email", "company", "job_title", "city")
MASKS = {"name": masked_name, "phone": masked_phone, "email": masked_email}


def queue(personal: bool) -> sa.Select[Any]:
    """One row per pair to decide on, the strongest first: reason, weight, and both rows as a steward compares them.

    Args:
        personal: names, phones and addresses as they are; else masked (R122).
    """
    pair = sa.union_all(_apart(), _inside_large()).cte("pair")
    left, right = _described("left_side", personal), _described("right_side", personal)
    sides = [(left, "a"), (right, "b")]
    columns = [side.c[name].label(f"{name}_{letter}") for side, letter in sides for name in ("contact_id", *SHOWN)]
    return (
        sa.select(pair.c.reason, pair.c.speaks_against, pair.c.weight, pair.c.record_a, pair.c.record_b, *columns)
        .select_from(pair.join(left, left.c.record == pair.c.record_a).join(right, right.c.record == pair.c.record_b))
        .order_by(pair.c.reason, pair.c.weight.desc().nulls_last(), pair.c.record_a, pair.c.record_b)
    )


def _member() -> sa.Select[Any]:
    return sa.select(record_id(CONTACT_MEMBER).label("record"), CONTACT_MEMBER.c.contact_id)


def _apart() -> sa.Select[Any]:
    """The strongest link between two contacts that the rules kept apart, with what speaks against it."""
    link = IDENTITY_LINK
    first, second = _member().subquery("first_member"), _member().subquery("second_member")
    order = [link.c.weight.desc(), link.c.record_a, link.c.record_b, link.c.rule]
    pair = [
        sa.func.least(first.c.contact_id, second.c.contact_id),
        sa.func.greatest(first.c.contact_id, second.c.contact_id),
    ]
    place = sa.func.row_number().over(partition_by=pair, order_by=order)
    against = sa.and_(IDENTITY_VETO.c.record_a == link.c.record_a, IDENTITY_VETO.c.record_b == link.c.record_b)
    said = sa.select(sa.func.min(IDENTITY_VETO.c.rule)).where(against).scalar_subquery()
    found = (
        sa.select(link.c.record_a, link.c.record_b, link.c.weight, said.label("speaks_against"), place.label("place"))
        .select_from(
            link.join(first, first.c.record == link.c.record_a).join(second, second.c.record == link.c.record_b)
        )
        .where(first.c.contact_id != second.c.contact_id)
        .cte("apart")
    )
    decided = sa.exists().where(
        IDENTITY_VETO.c.record_a == found.c.record_a,
        IDENTITY_VETO.c.record_b == found.c.record_b,
        IDENTITY_VETO.c.rule == "steward",
    )
    return sa.select(
        sa.literal(APART).label("reason"),
        found.c.speaks_against,
        found.c.weight,
        found.c.record_a,
        found.c.record_b,
    ).where(found.c.place == 1, ~decided)


def _inside_large() -> sa.Select[Any]:
    """The weakest links inside each contact that is unusually large or contradicts itself."""
    link, member = IDENTITY_LINK, _member().subquery("member")
    place = sa.func.row_number().over(
        partition_by=member.c.contact_id, order_by=[link.c.weight, link.c.record_a, link.c.record_b, link.c.rule]
    )
    found = (
        sa.select(link.c.record_a, link.c.record_b, link.c.weight, place.label("place"))
        .select_from(
            link.join(member, member.c.record == link.c.record_a).join(
                IDENTITY_REVIEW, IDENTITY_REVIEW.c.contact_id == member.c.contact_id
            )
        )
        .where(link.c.rule != "steward")
        .cte("inside")
    )
    nothing = sa.cast(sa.null(), sa.String)
    return sa.select(
        sa.literal(LARGE).label("reason"),
        nothing.label("speaks_against"),
        found.c.weight,
        found.c.record_a,
        found.c.record_b,
    ).where(found.c.place <= WEAKEST)


def _described(name: str, personal: bool) -> sa.Subquery:
    """Each source row with its contact and what is shown of it."""
    member = _member().subquery(f"member_{name}")
    record = record_id(SOURCE_RECORD)
    shown = [
        (SOURCE_RECORD.c[column] if personal or column not in MASKS else MASKS[column](SOURCE_RECORD.c[column])).label(
            column
        )
        for column in SHOWN
    ]
    joined = SOURCE_RECORD.join(member, member.c.record == record)
    return sa.select(record.label("record"), member.c.contact_id, *shown).select_from(joined).subquery(name)
