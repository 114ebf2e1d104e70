"""The review queue: pairs of source rows that a person should decide on, because the rules could not (R5, R104).

What belongs here: which pairs, and what a steward must see to decide. What does not: the sheet (`tasks/review_sheet.py`), the decision
(the ledger). A pair that a rule in force speaks of is decided; so is one that an id which a person has once keeps apart.
"""

from typing import Any

import sqlalchemy as sa

from vesper.identity.keys import record_id
from vesper.identity.membership import memberships
from vesper.privacy import masked_email, masked_name, masked_phone
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.identity import IDENTITY_LINK, IDENTITY_REVIEW, IDENTITY_VETO

APART, IN_DOUBT = "kept apart", "joined in doubt"
READS = (CONTACT_MEMBER, SOURCE_RECORD, IDENTITY_LINK, IDENTITY_REVIEW, IDENTITY_VETO)
MOST_OF_CONTACT = 10
"""So many pairs of one contact in doubt are shown: where it contradicts itself, then its weakest links."""
MOST_OF_REASON = 500
"""So many pairs of each reason are shown, the most urgent ones: more than a person decides in a day."""
CONTRADICTS = 1_000_000
"""Thousandths of a bit by which a contradiction inside a contact comes before any weak link."""
SHOWN = ("name", "phone", "email", "company", "job_title", "city")
MASKS = {"name": masked_name, "phone": masked_phone, "email": masked_email}

Select = sa.Select[Any]
Element = sa.ColumnElement[Any]


def queue(rule: sa.FromClause, personal: bool) -> Select:
    """One row per pair to decide on: reason, what speaks against it, weight, both rows, and `is_same_<field>` of each field shown.

    `waiting` is the number of pairs of that reason, of which at most MOST_OF_REASON are here, the most urgent first.

    Args:
        rule: (kind, record_a, record_b) of the steward's rules in force.
        personal: names, phones and addresses as they are; else masked (R122).
    """
    pair = _urgent(rule)
    left, right = SOURCE_RECORD.alias("left_row"), SOURCE_RECORD.alias("right_row")
    member = memberships(CONTACT_MEMBER).cte("held_by")
    first, second = member.alias("left_member"), member.alias("right_member")
    sides = [("a", left, first), ("b", right, second)]
    shown = [_shown(row, name, personal).label(f"{name}_{side}") for side, row, _ in sides for name in SHOWN]
    same = [sa.func.coalesce(left.c[name] == right.c[name], False).label(f"is_same_{name}") for name in SHOWN]
    contacts = [held.c.contact_id.label(f"contact_id_{side}") for side, _, held in sides]
    joined = pair
    for side, row, held in sides:
        record = pair.c[f"record_{side}"]
        joined = joined.join(row, record_id(row) == record).join(held, held.c.record == record)
    return (
        sa.select(*[column for column in pair.c if column.name != "place"], *contacts, *shown, *same)
        .select_from(joined)
        .order_by(pair.c.reason, pair.c.place)
    )


def _shown(row: sa.FromClause, name: str, personal: bool) -> Element:
    return row.c[name] if personal or name not in MASKS else MASKS[name](row.c[name])


def _urgent(rule: sa.FromClause) -> Any:
    """The most urgent pairs of each reason, with their place and the number of all."""
    every = sa.union_all(_apart(rule), _in_doubt(rule)).cte("pair")
    order = [every.c.urgency, every.c.record_a, every.c.record_b]
    placed = sa.select(
        *[every.c[name] for name in ("reason", "speaks_against", "weight", "record_a", "record_b")],
        sa.func.row_number().over(partition_by=every.c.reason, order_by=order).label("place"),
        sa.func.count().over(partition_by=every.c.reason).label("waiting"),
    ).cte("placed")
    return sa.select(placed).where(placed.c.place <= MOST_OF_REASON).cte("urgent")


def _ends(pairs: sa.FromClause, name: str) -> tuple[Any, Element, Element]:
    """Pairs of rows joined with the contacts that hold them: the join, and the smaller and the larger contact."""
    first, second = (memberships(CONTACT_MEMBER).subquery(f"{name}_{side}") for side in "ab")
    joined = pairs.join(first, first.c.record == pairs.c.record_a).join(second, second.c.record == pairs.c.record_b)
    ends = (sa.func.least, sa.func.greatest)
    smaller, larger = (end(first.c.contact_id, second.c.contact_id) for end in ends)
    return joined, smaller, larger


def _apart(rule: sa.FromClause) -> Select:
    """The link between two contacts that the rules kept apart: one that something speaks against, then the strongest. Strong ones are urgent."""
    link, against, decided = IDENTITY_LINK, _contradictions(), _decided(rule)
    joined, one, other = _ends(link, "linked")
    both = sa.and_(against.c.one == one, against.c.other == other)
    on_pair = sa.exists().where(
        IDENTITY_VETO.c.record_a == link.c.record_a, IDENTITY_VETO.c.record_b == link.c.record_b
    )
    order = [sa.case((on_pair, 0), else_=1), link.c.weight.desc(), link.c.record_a, link.c.record_b, link.c.rule]
    found = (
        sa.select(
            link.c.record_a,
            link.c.record_b,
            link.c.weight,
            against.c.rule.label("speaks_against"),
            sa.func.row_number().over(partition_by=[one, other], order_by=order).label("place"),
        )
        .select_from(joined.join(against, both, isouter=True))
        .where(one != other, ~sa.func.coalesce(against.c.is_final, False))
        .where(~sa.exists().where(decided.c.one == one, decided.c.other == other))
        .cte("apart")
    )
    return _queued(found, APART, -found.c.weight).where(found.c.place == 1)


def _contradictions() -> Any:
    """(one, other, rule, is_final) of contacts between whose rows something speaks against; final where an id or a steward keeps them apart."""
    joined, one, other = _ends(IDENTITY_VETO, "vetoed")
    final = sa.func.max(sa.cast(IDENTITY_VETO.c.is_final, sa.Integer)) == 1
    return (
        sa.select(
            one.label("one"),
            other.label("other"),
            sa.func.min(IDENTITY_VETO.c.rule).label("rule"),
            final.label("is_final"),
        )
        .select_from(joined)
        .where(one != other)
        .group_by(one, other)
        .cte("contradiction")
    )


def _decided(rule: sa.FromClause) -> Any:
    """(one, other) of contacts of which a rule in force speaks, whichever of their rows it names."""
    joined, one, other = _ends(rule, "ruled")
    return sa.select(one.label("one"), other.label("other")).select_from(joined).distinct().cte("decided")


def _in_doubt(rule: sa.FromClause) -> Select:
    """Where each contact that is unusually large or contradicts itself would break: its contradictions, then its weakest links."""
    nothing, unweighed = sa.cast(sa.null(), sa.String), sa.cast(sa.null(), sa.Integer)
    ties = sa.select(IDENTITY_LINK.c.record_a, IDENTITY_LINK.c.record_b, IDENTITY_LINK.c.weight, nothing.label("rule"))
    vetoes = sa.select(
        IDENTITY_VETO.c.record_a, IDENTITY_VETO.c.record_b, unweighed.label("weight"), IDENTITY_VETO.c.rule
    )
    said = sa.union_all(ties, vetoes).cte("said")
    joined, one, other = _ends(said, "inside")
    weight, against = sa.func.max(said.c.weight), sa.func.min(said.c.rule)
    urgency = sa.func.coalesce(weight, 0) - sa.case((against.is_not(None), CONTRADICTS), else_=0)
    order = [urgency, said.c.record_a, said.c.record_b]
    decided = sa.exists().where(rule.c.record_a == said.c.record_a, rule.c.record_b == said.c.record_b)
    found = (
        sa.select(
            said.c.record_a,
            said.c.record_b,
            weight.label("weight"),
            against.label("speaks_against"),
            urgency.label("urgency"),
            sa.func.row_number().over(partition_by=one, order_by=order).label("place"),
        )
        .select_from(joined.join(IDENTITY_REVIEW, IDENTITY_REVIEW.c.contact_id == one))
        .where(one == other, ~decided)
        .group_by(one, said.c.record_a, said.c.record_b)
        .cte("in_doubt")
    )
    return _queued(found, IN_DOUBT, found.c.urgency).where(found.c.place <= MOST_OF_CONTACT)


def _queued(found: Any, reason: str, urgency: Element) -> Select:
    columns = [found.c[name] for name in ("speaks_against", "weight", "record_a", "record_b")]
    return sa.select(sa.literal(reason).label("reason"), *columns, urgency.label("urgency"))
