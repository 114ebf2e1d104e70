"""Deterministic identity: which source rows are one person (R5, R6, R13), and how the contact keeps its id from night to night.

Rows of one card are one contact; a household may hold several cards (R13). Phone and mail link rows only while few names share them: a number of
a switchboard or a family names nobody. Probabilistic matching comes with a later release; it adds links, it does not change this shape.
"""

from typing import Any

import sqlalchemy as sa

from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import previous

MOST_NAMES = 3
ID_LENGTH = 16
KINDS = ("card", "phone", "email")


def record_id(records: sa.FromClause = SOURCE_RECORD) -> sa.ColumnElement[str]:
    """`source:key`, the name of a source row everywhere in identity."""
    return records.c.source + ":" + records.c.record_key


def links() -> sa.CompoundSelect[Any]:
    """(record, kind, value) for every identifier that may link rows: cards always, phone and mail unless too many names share them."""
    records = SOURCE_RECORD
    found = [
        sa.select(
            record_id().label("record"),
            sa.literal(kind).label("kind"),
            records.c[kind].label("value"),
            records.c.name,
        ).where(records.c[kind].is_not(None))
        for kind in KINDS
    ]
    all_links = sa.union_all(*found).cte("identifier")
    shared = _shared(all_links).cte("shared")
    blocked = sa.exists().where(shared.c.kind == all_links.c.kind, shared.c.value == all_links.c.value)
    return sa.select(all_links.c.record, all_links.c.kind, all_links.c.value).where(~blocked)  # type: ignore[return-value]


def _shared(identifiers: sa.FromClause) -> sa.Select[Any]:
    """Phones and addresses that belong to a place rather than a person: more than three names."""
    names = sa.func.count(identifiers.c.name.distinct())
    return (
        sa.select(identifiers.c.kind, identifiers.c.value)
        .where(identifiers.c.kind != "card")
        .group_by(identifiers.c.kind, identifiers.c.value)
        .having(names > MOST_NAMES)
    )


def first_labels() -> sa.Select[Any]:
    """Every row starts as a cluster of its own."""
    return sa.select(record_id().label("record"), record_id().label("label"))


def next_labels(labels: sa.FromClause, link: sa.FromClause) -> sa.Select[Any]:
    """One round of label propagation: each row takes the smallest label among the rows it shares an identifier with."""
    smallest = (
        sa.select(link.c.kind, link.c.value, sa.func.min(labels.c.label).label("label"))
        .join_from(link, labels, labels.c.record == link.c.record)
        .group_by(link.c.kind, link.c.value)
        .cte("smallest")
    )
    same = sa.and_(smallest.c.kind == link.c.kind, smallest.c.value == link.c.value)
    reached = (
        sa.select(link.c.record, sa.func.min(smallest.c.label).label("label"))
        .join_from(link, smallest, same)
        .group_by(link.c.record)
        .cte("reached")
    )
    label = sa.case((reached.c.label < labels.c.label, reached.c.label), else_=labels.c.label)
    return sa.select(labels.c.record, label.label("label")).join_from(
        labels, reached, reached.c.record == labels.c.record, isouter=True
    )


def moved(labels: sa.FromClause, after: sa.FromClause) -> sa.Select[Any]:
    """How many rows changed their label in a round; 0 ends the rounds."""
    both = labels.join(after, after.c.record == labels.c.record)
    return sa.select(sa.func.count()).select_from(both).where(after.c.label != labels.c.label)


def minted(record: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The id that a contact gets from its first source row."""
    return sa.literal("c") + sa.func.substr(sa.func.md5(record), 1, ID_LENGTH)


def members(labels: sa.FromClause, link: sa.FromClause) -> sa.Select[Any]:
    """core__contact_member: each source row with its contact, whose id stays with the cluster that holds its first row, else most of its rows."""
    ids = _kept_ids(labels).cte("kept")
    contact_id = sa.func.coalesce(ids.c.contact_id, minted(labels.c.label))
    best = (
        sa.select(link.c.record, sa.func.min(_strength(link.c.kind)).label("strength"))
        .group_by(link.c.record)
        .cte("best")
    )
    rule = sa.case(
        (labels.c.record == labels.c.label, "founder"),
        (best.c.strength == 1, "card"),
        (best.c.strength == 2, "phone"),
        (best.c.strength == 3, "email"),
        else_="founder",
    )
    source = sa.func.split_part(labels.c.record, ":", 1)
    key = sa.func.substr(labels.c.record, sa.func.length(source) + 2)
    return sa.select(
        source.label("source"), key.label("record_key"), contact_id.label("contact_id"), rule.label("rule")
    ).select_from(
        labels.join(ids, ids.c.label == labels.c.label, isouter=True).join(
            best, best.c.record == labels.c.record, isouter=True
        )
    )


def merged_rows() -> sa.Select[Any]:
    """Source rows that joined a contact which another row already made."""
    return sa.select(sa.func.count() - sa.func.count(CONTACT_MEMBER.c.contact_id.distinct())).select_from(
        CONTACT_MEMBER
    )


def _strength(kind: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    return sa.case((kind == "card", 1), (kind == "phone", 2), else_=3)


def _kept_ids(labels: sa.FromClause) -> sa.Select[Any]:
    """For each cluster the id it keeps from the night before: every old id goes to one cluster, every cluster takes one."""
    before = previous(CONTACT_MEMBER)
    held = labels.c.record == record_id(before)
    overlap = (
        sa.select(
            labels.c.label,
            before.c.contact_id,
            sa.func.max(sa.case((minted(labels.c.record) == before.c.contact_id, 1), else_=0)).label("has_founder"),
            sa.func.count().label("shared_count"),
        )
        .join_from(labels, before, held)
        .group_by(labels.c.label, before.c.contact_id)
        .cte("overlap")
    )
    strength = [overlap.c.has_founder.desc(), overlap.c.shared_count.desc()]
    to_cluster = sa.func.row_number().over(partition_by=overlap.c.contact_id, order_by=[*strength, overlap.c.label])
    won = sa.select(overlap, to_cluster.label("place")).cte("won")
    strength_won = [won.c.has_founder.desc(), won.c.shared_count.desc(), won.c.contact_id]
    to_id = sa.func.row_number().over(partition_by=won.c.label, order_by=strength_won)
    chosen = sa.select(won.c.label, won.c.contact_id, to_id.label("choice")).where(won.c.place == 1).cte("chosen")
    return sa.select(chosen.c.label, chosen.c.contact_id).where(chosen.c.choice == 1)
