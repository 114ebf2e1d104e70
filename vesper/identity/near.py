"""What is near the rows that changed: the rows that hold a key of theirs, and the links that only such rows can have gained or lost.

What belongs here: Selects that keep a night's work in proportion to what changed. What does not: what a key or a link is (`keys.py`), and what follows
from links (`change.py`). The rule that makes them right: a link by a key between two rows of which one is not near rests on a value that no changed
row holds, tonight or the night before, so it stands as it stood.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.model.identity import IdentityPolicy, KeyName
from vesper.tables.declare import previous
from vesper.tables.identity import IDENTITY_LINK, SHARED_KEY

Select = sa.Select[Any]
ROW_KEY = ("source", "record_key")
LINK_KEY = ("record_a", "record_b", "rule")


def row_keys(record: sa.FromClause) -> Select:
    """(source, record_key) of records named `source:key`, each once."""
    source = sa.func.split_part(record.c.record, ":", 1, type_=sa.String)
    key = sa.func.substr(record.c.record, sa.func.length(source) + 2, type_=sa.String)
    return sa.select(source.label("source"), key.label("record_key")).distinct()


def rows(table: sa.FromClause, wanted: sa.FromClause, columns: Collection[str] = ()) -> Select:
    """Rows of a table by (source, record_key) that are wanted; some of the columns beside the key, or all where none are named."""
    same = [table.c[name] == wanted.c[name] for name in ROW_KEY]
    # One column alone, the engine looks up while it reads the file.
    may_be = table.c.record_key.in_(sa.select(wanted.c.record_key))
    named = [table.c[name] for name in dict.fromkeys([*ROW_KEY, *columns])] if columns else [table]
    return sa.select(*named).where(may_be, sa.exists(sa.select(sa.literal(1)).where(*same).select_from(wanted)))


def holders(table: sa.FromClause, looked_at: sa.FromClause, policy: IdentityPolicy, columns: Collection[str]) -> Select:
    """Some columns of the rows of a table that hold one of some (kind, value), whether or not it names a person there."""
    held = [
        table.c[name].in_(sa.select(looked_at.c.value).where(looked_at.c.kind == kind))
        for kind in policy.keys
        for name in policy.columns_of(kind)
    ]
    return sa.select(*[table.c[name] for name in dict.fromkeys([*ROW_KEY, *columns])]).where(sa.or_(*held))


def also(rows: sa.FromClause, others: sa.FromClause) -> sa.CompoundSelect[Any]:
    """Rows by (source, record_key), and those of the others, in the same columns, that are not among them."""
    same = [rows.c[name] == others.c[name] for name in ROW_KEY]
    missing = ~sa.exists(sa.select(sa.literal(1)).where(*same).select_from(rows))
    return sa.union_all(sa.select(rows), sa.select(*[others.c[c.name] for c in rows.c]).where(missing))


def in_common(
    table: sa.FromClause, fresh: sa.FromClause, rules: Sequence[Sequence[str]], columns: Collection[str]
) -> Select:
    """Some columns of the rows of a table that have the values of one rule in common with a fresh row.

    Args:
        rules: SQL of values, from the columns that both tables have (`warehouse.linkage.near_values`).
    """
    names = {sql: f"near_{place}" for place, sql in enumerate(dict.fromkeys(sql for rule in rules for sql in rule))}
    values = [sa.literal_column(sql, sa.String).label(name) for sql, name in names.items()]
    wanted = list(dict.fromkeys([*ROW_KEY, *columns]))
    # In subqueries, or the engine computes a value anew for each rule.
    valued = sa.select(*[table.c[name] for name in wanted], *values).select_from(table).subquery("valued")
    known = sa.select(*values).select_from(fresh).subquery("known")
    near = [_has_in_common(valued, known, [names[sql] for sql in rule]) for rule in rules]
    return sa.select(*[valued.c[name] for name in wanted]).where(sa.or_(*near))


def _has_in_common(rows: sa.FromClause, fresh: sa.FromClause, names: Sequence[str]) -> sa.ColumnElement[bool]:
    filled = [fresh.c[name].is_not(None) for name in names]
    values = sa.select(*[fresh.c[name] for name in names]).where(*filled)
    if len(names) == 1:
        return rows.c[names[0]].in_(values)
    return sa.func.coalesce(sa.tuple_(*[rows.c[name] for name in names]).in_(values), sa.false())


def values(*identifiers: Select | sa.CompoundSelect[Any]) -> sa.CompoundSelect[Any]:
    """(kind, value) of identifiers, each once."""
    found = [one.subquery() for one in identifiers]
    return sa.union(*[sa.select(one.c.kind, one.c.value) for one in found])


def shared_now(found: Select, looked_at: sa.FromClause) -> sa.CompoundSelect[Any]:
    """dq__shared_key: judged anew for the values that were looked at, as the night before for all others."""
    before = previous(SHARED_KEY)
    same = (looked_at.c.kind == before.c.kind, looked_at.c.value == before.c.value)
    stays = sa.select(before).where(~sa.exists(sa.select(sa.literal(1)).where(*same).select_from(looked_at)))
    judged = found.subquery("judged")
    return sa.union_all(sa.select(judged.c.kind, judged.c.value), sa.select(stays.subquery("stays")))


def standing_values(lost: sa.FromClause, identifier: sa.FromClause, looked_at: sa.FromClause) -> Select:
    """(kind, value) that both ends of a link carry which no value gives that was looked at: what may hold it up all the same.

    Args:
        lost: links of the night before between near rows that tonight's values do not give.
        identifier: all identifiers of their ends.
        looked_at: (kind, value) that were looked at.
    """
    a, b = identifier.alias("one"), identifier.alias("other")
    same = sa.and_(b.c.record == lost.c.record_b, b.c.kind == a.c.kind, b.c.value == a.c.value)
    held = lost.join(a, sa.and_(a.c.record == lost.c.record_a, a.c.kind == lost.c.rule)).join(b, same)
    seen = (looked_at.c.kind == a.c.kind, looked_at.c.value == a.c.value)
    is_seen = sa.exists(sa.select(sa.literal(1)).where(*seen).select_from(looked_at))
    return sa.select(a.c.kind, a.c.value).select_from(held).where(~is_seen).distinct()


def lost_links(found: sa.FromClause, before: sa.FromClause, kinds: Sequence[KeyName]) -> Select:
    """(record_a, record_b, rule) of links by keys of the night before that were not found."""
    same = [found.c[name] == before.c[name] for name in LINK_KEY]
    is_found = sa.exists(sa.select(sa.literal(1)).where(*same).select_from(found))
    return sa.select(*[before.c[name] for name in LINK_KEY]).where(before.c.rule.in_(list(kinds)), ~is_found)


def standing_links(link: sa.FromClause, lost: sa.FromClause) -> Select:
    """Those of some links that were thought lost."""
    same = [lost.c[name] == link.c[name] for name in LINK_KEY]
    return sa.select(link).where(sa.exists(sa.select(sa.literal(1)).where(*same).select_from(lost)))


def near_keys(identifier: sa.FromClause, own: sa.FromClause, kinds: Sequence[KeyName]) -> sa.CompoundSelect[Any]:
    """(kind, record) that a link by such a key can have gained or lost: who holds a value that was looked at, and changed rows for every kind.

    Args:
        identifier: (kind, value, record) of the values that were looked at.
        own: (record) that changed, whatever it held.
    """
    changed = [sa.select(sa.literal(kind).label("kind"), own.c.record) for kind in kinds]
    return sa.union(sa.select(identifier.c.kind, identifier.c.record), *changed)


def dropped_links(near: sa.FromClause | None, changed: sa.FromClause, linkage: str, steward: str) -> Any:
    """Links of the night before that tonight states anew, or no more.

    Args:
        near: (kind, record) between which links by keys are found anew; all links by keys where None.
        changed: rows whose weighed links are found anew.
    """
    link = previous(IDENTITY_LINK)
    by_key = link.c.rule.not_in([linkage, steward])
    inside = [_is_near(link, end, near) for end in ("record_a", "record_b")] if near is not None else []
    weighed = sa.or_(*[_among(link.c[end], changed) for end in ("record_a", "record_b")])
    return sa.union_all(
        sa.select(link).where(by_key, *inside),
        sa.select(link).where(link.c.rule == steward),
        sa.select(link).where(link.c.rule == linkage, weighed),
    )


def _is_near(link: sa.FromClause, end: str, near: sa.FromClause) -> sa.ColumnElement[bool]:
    same = (near.c.kind == link.c.rule, near.c.record == link.c[end])
    return sa.exists(sa.select(sa.literal(1)).where(*same).select_from(near))


def link_keys(*links: sa.FromClause) -> sa.CompoundSelect[Any]:
    """(record_a, record_b, rule) of links, each once."""
    return sa.union(*[sa.select(*[link.c[name] for name in LINK_KEY]) for link in links])


def _among(record: sa.ColumnElement[Any], records: sa.FromClause) -> sa.ColumnElement[bool]:
    return record.in_(sa.select(records.c.record))
