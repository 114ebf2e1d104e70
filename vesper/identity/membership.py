"""The tables of identity: source records as identity reads them, and which contact each belongs to, why, and with what beside it (R5, R6, R13).

What belongs here: Selects that read core tables and fill them. What does not: keys and names (`vesper/identity/keys.py`), what changed
(`change.py`), clusters (`clusters.py`), ids (`ids.py`), and the order of it all (`tasks/identity.py`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.clock import on as date_literal
from vesper.identity import keys
from vesper.identity.change import untouched
from vesper.identity.keys import live, record_id
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import RATIO, previous
from vesper.tables.identity import IDENTITY_COMPONENT, IDENTITY_REVIEW, IDENTITY_VETO, MERGE_EVENT

FOUNDER, STEWARD = "founder", "steward"
STEWARD_WEIGHT = 100_000
"""A steward's word in thousandths of a bit: more than any evidence."""
STEWARD_RULE = sa.Table(
    "raw_vesper__steward_rule",
    sa.MetaData(),
    *[sa.Column(name, sa.String()) for name in ("kind", "record_a", "record_b")],
)
"""What identity reads of the ledger's copy of the steward's rules."""

Select = sa.Select[Any]


def live_rows(columns: Sequence[str], records: sa.FromClause) -> Select:
    """(record, columns) of every row that no rule excludes, as it is."""
    return sa.select(record_id(records).label("record"), *[records.c[name] for name in columns]).where(live(records))


def known_since(records: sa.FromClause = SOURCE_RECORD) -> Select:
    """(record, since_at) of every source row: since when its source knows the person."""
    since = sa.func.coalesce(records.c.registered_at, records.c.received_at)
    return sa.select(record_id(records).label("record"), since.label("since_at"))


def memberships(member: sa.FromClause) -> Select:
    """(record, contact_id) of core__contact_member."""
    return sa.select(record_id(member).label("record"), member.c.contact_id)


def named_by(rule: sa.FromClause, records: sa.FromClause) -> Select:
    """(record) of the live rows that a steward's rule names."""
    ends = sa.union(*[sa.select(rule.c[end]) for end in ("record_a", "record_b")])
    return sa.select(record_id(records).label("record")).where(live(records), record_id(records).in_(ends))


def steward_links(rule: sa.FromClause, alive: sa.FromClause) -> Select:
    """(record_a, record_b, rule, weight) of pairs of live rows that a steward joined; replayed every night."""
    return _steward(rule, alive, "must_link", sa.literal(STEWARD_WEIGHT).label("weight"))


def steward_vetoes(rule: sa.FromClause, alive: sa.FromClause) -> Select:
    """dq__identity_veto rows of pairs of live rows that a steward separated; replayed every night."""
    return _steward(rule, alive, "cannot_link", sa.true().label("is_final"))


def _steward(rule: sa.FromClause, alive: sa.FromClause, kind: str, last: sa.ColumnElement[Any]) -> Select:
    a, b = alive.alias("alive_a"), alive.alias("alive_b")
    ends = (sa.func.least(a.c.record, b.c.record), sa.func.greatest(a.c.record, b.c.record))
    named = [end.label(name) for end, name in zip(ends, ("record_a", "record_b"), strict=True)]
    joined = rule.join(a, a.c.record == rule.c.record_a).join(b, b.c.record == rule.c.record_b)
    return (
        sa.select(*named, sa.literal(STEWARD).label("rule"), last)
        .select_from(joined)
        .where(rule.c.kind == kind)
        .distinct()
    )


def members(label: sa.FromClause, ids: sa.FromClause, link: sa.FromClause) -> Select:
    """core__contact_member of the touched rows: their contact, and the strongest link that ties them to it.

    Args:
        label: (record, label) of the touched rows.
        ids: (label, contact_id).
        link: links between touched rows.
    """
    strongest = _strongest(label, link).cte("strongest")
    rule = sa.case((label.c.record == label.c.label, FOUNDER), else_=sa.func.coalesce(strongest.c.rule, FOUNDER))
    source = sa.func.split_part(label.c.record, ":", 1)
    key = sa.func.substr(label.c.record, sa.func.length(source) + 2)
    return sa.select(source.label("source"), key.label("record_key"), ids.c.contact_id, rule.label("rule")).select_from(
        label.join(ids, ids.c.label == label.c.label).join(
            strongest, strongest.c.record == label.c.record, isouter=True
        )
    )


def _strongest(label: sa.FromClause, link: sa.FromClause) -> Select:
    """(record, rule) of the strongest link of each row inside its own cluster."""
    a, b = label.alias("label_a"), label.alias("label_b")
    inside = (
        sa.select(link)
        .select_from(link.join(a, a.c.record == link.c.record_a).join(b, b.c.record == link.c.record_b))
        .where(a.c.label == b.c.label)
        .cte("inside")
    )
    ends = sa.union_all(
        *[sa.select(inside.c[end].label("record"), inside.c.rule, inside.c.weight) for end in ("record_a", "record_b")]
    ).subquery()
    # Of equal weights the first by name. Not by a window, which would order all links of all rows for one of each.
    first = sa.func.min(sa.func.row(-ends.c.weight, ends.c.rule))
    rule = sa.func.struct_extract(first, sa.literal_column("2"), type_=sa.String)
    return sa.select(ends.c.record, rule.label("rule")).group_by(ends.c.record)


def reviews(label: sa.FromClause, ids: sa.FromClause, contact: sa.FromClause) -> Any:
    """dq__identity_review: touched contacts whose clusters are for review, and the others as the night before."""
    new = (
        sa.select(ids.c.contact_id, sa.func.count().label("record_count"))
        .join_from(label, ids, ids.c.label == label.c.label)
        .where(label.c.is_review)
        .group_by(ids.c.contact_id)
    )
    return sa.union_all(untouched(previous(IDENTITY_REVIEW), contact), new)


def tied_components(label: sa.FromClause, ids: sa.FromClause, component: sa.FromClause, contact: sa.FromClause) -> Any:
    """dq__identity_component: touched contacts that share their component with others, and the others as the night before."""
    held = (
        sa.select(ids.c.contact_id, component.c.component)
        .select_from(
            label.join(ids, ids.c.label == label.c.label).join(component, component.c.record == label.c.record)
        )
        .distinct()
        .cte("held")
    )
    beside = sa.func.count().over(partition_by=held.c.component)
    counted = sa.select(held.c.contact_id, held.c.component, beside.label("beside")).subquery()
    new = sa.select(counted.c.contact_id, counted.c.component).where(counted.c.beside > 1)
    return sa.union_all(untouched(previous(IDENTITY_COMPONENT), contact), new)


def named(component: sa.FromClause, record: sa.FromClause, large: int) -> Select:
    """(record, component, name, first) of the rows of a component, `first` being the smallest row of that name; of a large component only these."""
    size = sa.func.count().over(partition_by=component.c.component)
    first = sa.func.min(component.c.record).over(partition_by=[component.c.component, record.c.name_key])
    rows = (
        sa.select(
            component.c.record,
            component.c.component,
            record.c.name_key.label("name"),
            size.label("size"),
            first.label("first"),
        )
        .join_from(component, record, record.c.record == component.c.record)
        .where(record.c.name_key.is_not(None))
        .subquery()
    )
    kept = sa.or_(rows.c.size <= large, rows.c.record == rows.c.first)
    return sa.select(rows.c.record, rows.c.component, rows.c.name, rows.c.first).where(kept)


def unlike_pairs(member: sa.FromClause) -> Select:
    """(record_a, record_b) whose names cannot be one person's. Each two names of a component are compared once, however many rows bear them."""
    apart = keys.unlike_names(sa.select(member).where(member.c.record == member.c.first).subquery()).cte("apart")
    a, b = member.alias("bearer_a"), member.alias("bearer_b")
    joined = apart.join(a, a.c.first == apart.c.record_a).join(b, b.c.first == apart.c.record_b)
    ends = (sa.func.least(a.c.record, b.c.record), sa.func.greatest(a.c.record, b.c.record))
    return sa.select(ends[0].label("record_a"), ends[1].label("record_b")).select_from(joined)


def as_veto(pairs: Select, rule: str, is_final: bool) -> Select:
    """Pairs of records as rows of dq__identity_veto."""
    found = pairs.subquery()
    told = (sa.literal(rule).label("rule"), (sa.true() if is_final else sa.false()).label("is_final"))
    return sa.select(found.c.record_a, found.c.record_b, *told)


def pairs_against(veto: sa.FromClause, steward: sa.FromClause) -> tuple[Any, Any]:
    """(record_a, record_b) that must stay apart, and those whose facts contradict each other."""
    pair = [sa.select(table.c.record_a, table.c.record_b) for table in (veto, steward)]
    final = sa.union(pair[0].where(veto.c.is_final), pair[1])
    return final, pair[0].where(~veto.c.is_final).distinct()


def vetoes(found: sa.FromClause, record: sa.FromClause, steward: sa.FromClause) -> Any:
    """dq__identity_veto: what speaks against each other among the touched rows, a steward's word on any, the others as the night before."""
    before = previous(IDENTITY_VETO)
    carried = (
        sa.select(before)
        .select_from(before.join(record, record.c.record == before.c.record_a, isouter=True))
        .where(before.c.rule != STEWARD, record.c.record.is_(None))
    )
    return sa.union_all(carried, sa.select(found), sa.select(steward))


def night_figures(version: str, night_on: dt.date, live: int, given: sa.FromClause, touched: sa.FromClause) -> Select:
    """core__identity_night: the one row of tonight, after members and events are filled.

    Args:
        live: source rows that no rule excludes.
        given: (label, contact_id) of the clusters resolved tonight.
        touched: (contact_id) of the night before that they were resolved from; all other contacts stay.
    """
    before, event = previous(CONTACT_MEMBER), MERGE_EVENT

    def events(kind: str) -> Any:
        tonight = (event.c.kind == kind, event.c.business_on == date_literal(night_on))
        return sa.func.count(sa.case((sa.and_(*tonight), event.c.other_id)).distinct()).label(kind)

    # Counted by hash: an id is sixteen hexadecimal digits, which a number of eight bytes tells apart as well and in half the time.
    was = sa.select(sa.func.count(sa.func.hash(before.c.contact_id).distinct()).label("row_count")).cte("was")
    gone = sa.select(sa.func.count(touched.c.contact_id).label("row_count")).cte("gone")
    came = sa.select(sa.func.count(given.c.contact_id.distinct()).label("row_count")).cte("came")
    told = sa.select(events("merge"), events("split")).cte("told")
    return sa.select(
        date_literal(night_on).label("business_on"),
        sa.literal(version).label("version"),
        sa.literal(live).label("record_count"),
        (was.c.row_count - gone.c.row_count + came.c.row_count).label("contact_count"),
        was.c.row_count.label("contact_count_before"),
        told.c.merge.label("merged_count"),
        (sa.cast(told.c.merge, RATIO) / sa.func.greatest(was.c.row_count, 1)).label("merged_ratio"),
        told.c.split.label("split_count"),
    ).select_from(was.join(gone, sa.true()).join(came, sa.true()).join(told, sa.true()))
