"""Keys: the ids and addresses of source rows, which of them name one person, and the links they give (R5, R6, R13).

What belongs here: Selects over records. What does not: weighing evidence (`warehouse/linkage`), what clusters follow (`clusters.py`).
Every link goes from the smallest record of a key to another one, so a key of a thousand rows gives 999 links, not half a million.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.cleaning.phone import is_personal
from vesper.identity.names import incompatible, is_whole
from vesper.model.identity import IdentityPolicy, KeyName

PERSON = "person"


def record_id(records: sa.FromClause) -> sa.ColumnElement[str]:
    """`source:key`, the name of a source row everywhere in identity."""
    return records.c.source + ":" + records.c.record_key


def live(records: sa.FromClause) -> sa.ColumnElement[bool]:
    """Rows that make contacts: no rule excludes them."""
    return records.c.excluded_by.is_(None)


def identifiers(
    records: sa.FromClause,
    policy: IdentityPolicy,
    among: sa.FromClause | None = None,
    kinds: Sequence[KeyName] | None = None,
) -> sa.CompoundSelect[Any]:
    """(kind, value, record, name) of every key of every live row, each once. Landlines, switchboards and mailboxes of a role are no one's key.

    Args:
        among: (kind, value) of the keys that are asked for; all of them where None.
        kinds: the kinds that are asked for; all of the policy where None.
    """
    found = [
        sa.select(
            sa.literal(kind).label("kind"),
            records.c[name].label("value"),
            record_id(records).label("record"),
            records.c.name_key.label("name"),
        ).where(
            live(records),
            records.c[name].is_not(None),
            *_personal(records, kind, name, policy),
            *([] if among is None else [records.c[name].in_(sa.select(among.c.value).where(among.c.kind == kind))]),
        )
        for kind in (policy.keys if kinds is None else kinds)
        for name in policy.columns_of(kind)
    ]
    return sa.union(*found)


def _personal(
    records: sa.FromClause, kind: KeyName, name: str, policy: IdentityPolicy
) -> Sequence[sa.ColumnElement[bool]]:
    """What else must hold for a value to name a person."""
    if kind == "phone":
        return (is_personal(records.c[name]),)
    if kind == "email":
        kinds = policy.guard.email_kinds
        return (records.c.email_status == "valid", sa.func.coalesce(records.c.email_kind, PERSON).in_(kinds))
    return ()


def shared_keys(identifier: sa.FromClause, policy: IdentityPolicy) -> sa.Select[Any]:
    """(kind, value) of guarded keys that name a place: many names, and none of them on most rows.

    A big contact gathers names by slips alone, so the number of names is not enough: its own name stands on most rows.
    """
    guarded = [kind for kind, key in policy.keys.items() if key.strength == "guarded"]
    names = (
        sa.select(identifier.c.kind, identifier.c.value, identifier.c.name, sa.func.count().label("row_count"))
        .where(identifier.c.kind.in_(guarded), is_whole(identifier.c.name))
        .group_by(identifier.c.kind, identifier.c.value, identifier.c.name)
        .cte("named")
    )
    commonest, all_rows = sa.func.max(names.c.row_count), sa.func.sum(names.c.row_count)
    return (
        sa.select(names.c.kind, names.c.value)
        .group_by(names.c.kind, names.c.value)
        .having(
            sa.func.count() > policy.guard.most_names, commonest * 100 < all_rows * policy.guard.least_share_percent
        )
    )


def key_links(
    identifier: sa.FromClause, shared: sa.FromClause, policy: IdentityPolicy, kinds: Sequence[KeyName]
) -> sa.Select[Any]:
    """(record_a, record_b, rule, weight) from the smallest record of each usable key to its other records, once for each kind.

    Args:
        kinds: the keys that decide by themselves (`IdentityPolicy.deciding`).
    """
    is_shared = sa.exists().where(shared.c.kind == identifier.c.kind, shared.c.value == identifier.c.value)
    first = sa.func.min(identifier.c.record).over(partition_by=[identifier.c.kind, identifier.c.value])
    starred = (
        sa.select(identifier.c.kind, identifier.c.record, first.label("first"))
        .where(identifier.c.kind.in_(list(kinds)), ~is_shared)
        .cte("starred")
    )
    weight = sa.case(*[(starred.c.kind == kind, policy.keys[kind].weight) for kind in policy.keys], else_=0)
    return (
        sa.select(
            starred.c.first.label("record_a"),
            starred.c.record.label("record_b"),
            starred.c.kind.label("rule"),
            weight.label("weight"),
        )
        .where(starred.c.first < starred.c.record)
        .distinct()
    )


def comparable(
    records: sa.FromClause, shared: sa.FromClause, policy: IdentityPolicy, columns: Sequence[str]
) -> sa.Select[Any]:
    """The live rows as a linkage compares them: `record`, then the columns it reads; a phone or address that names no person is left out."""
    kinds: dict[str, KeyName] = {name: kind for kind in policy.keys for name in policy.columns_of(kind)}
    return sa.select(
        record_id(records).label("record"),
        *[
            _usable(records, shared, kinds[name], name, policy) if name in kinds else records.c[name]
            for name in columns
            if name != "record"
        ],
    ).where(live(records))


def _usable(
    records: sa.FromClause, shared: sa.FromClause, kind: KeyName, name: str, policy: IdentityPolicy
) -> sa.ColumnElement[Any]:
    if policy.keys[kind].strength == "authority":
        return records.c[name]
    is_shared = records.c[name].in_(sa.select(shared.c.value).where(shared.c.kind == kind))
    usable = sa.and_(~is_shared, *_personal(records, kind, name, policy))
    return sa.case((usable, records.c[name])).label(name)


def unlike_names(member: sa.FromClause) -> sa.Select[Any]:
    """(record_a, record_b) of rows of one component whose whole names cannot be one person's, from (record, component, name)."""
    a, b = member.alias("a"), member.alias("b")
    pair = (
        sa.select(
            a.c.record.label("record_a"),
            b.c.record.label("record_b"),
            a.c.name.label("name_a"),
            b.c.name.label("name_b"),
        )
        .where(a.c.component == b.c.component, a.c.record < b.c.record)
        .cte("pair")
        .prefix_with("materialized")
    )
    # Compared after the join and not in it, which costs the engine ten times as much.
    return sa.select(pair.c.record_a, pair.c.record_b).where(incompatible(pair.c.name_a, pair.c.name_b))


def two_values(
    identifier: sa.FromClause, member: sa.FromClause, kind: KeyName, one_person: sa.FromClause | None = None
) -> sa.Select[Any]:
    """(record_a, record_b) of rows of one component that carry two values of a key of which a person has one, from (record, component).

    Args:
        one_person: (kind, value_a, value_b) that are one person's all the same (`reconciled`).
    """
    held = (
        sa.select(member.c.component, identifier.c.record, identifier.c.value)
        .join_from(identifier, member, member.c.record == identifier.c.record)
        .where(identifier.c.kind == kind)
        .cte("held")
    )
    a, b = held.alias("a"), held.alias("b")
    found = sa.select(a.c.record.label("record_a"), b.c.record.label("record_b")).where(
        a.c.component == b.c.component, a.c.record < b.c.record, a.c.value != b.c.value
    )
    if one_person is None:
        return found
    pair = (one_person.c.kind == kind, one_person.c.value_a == a.c.value, one_person.c.value_b == b.c.value)
    return found.where(~sa.exists().where(*pair))


def reconciled(identifier: sa.FromClause, link: sa.FromClause) -> sa.CompoundSelect[Any]:
    """(kind, value_a, value_b), either way round, that rows linked by a steward carry: who says that the rows are one person says that both are theirs."""
    a, b = identifier.alias("one"), identifier.alias("other")
    both = link.join(a, a.c.record == link.c.record_a).join(
        b, sa.and_(b.c.record == link.c.record_b, b.c.kind == a.c.kind, b.c.value != a.c.value)
    )
    ways = ((a.c.value, b.c.value), (b.c.value, a.c.value))
    return sa.union(*[sa.select(a.c.kind, x.label("value_a"), y.label("value_b")).select_from(both) for x, y in ways])
