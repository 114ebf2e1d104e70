"""How a contact keeps its id from night to night: the cluster with most of its source rows keeps it, then the oldest (R13).

What belongs here: Selects from clusters and the night before to ids, aliases and events. What does not: who is one person. Every Select takes only
what tonight touched; the rest keeps its id because it keeps its rows. All of it is a function of clusters and history, so a full rebuild that has the
history gives the same ids.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.clock import on as date_literal

ID_LENGTH = 16
Select = sa.Select[Any]


@dataclass(frozen=True)
class Touched:
    """What tonight touched, and what was there before.

    Attributes:
        label: (record, label) of every touched row that is alive.
        before: (record, contact_id) of every row of a touched contact of the night before, alive or not.
        alias: core__contact_alias of the night before.
        member: core__contact_member of the night before, whole: its ids are in use.
        records: (record, since_at) of tonight, since when the row's source knows the person.
    """

    label: sa.FromClause
    before: sa.FromClause
    alias: sa.FromClause
    member: sa.FromClause
    records: sa.FromClause


def minted(record: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The id that a contact gets from its first source row."""
    return sa.literal("c") + sa.func.substr(sa.func.md5(record), 1, ID_LENGTH)


def overlaps(touched: Touched) -> Select:
    """(label, contact_id, shared_count, since_at, first_record, id_count, label_count): how many rows each new cluster has of each old contact, since
    when they are known, how many old contacts the cluster has rows of, and how many clusters share the old contact."""
    label, before, records = touched.label, touched.before, touched.records
    pairs = (
        sa.select(
            label.c.label,
            before.c.contact_id,
            sa.func.count().label("shared_count"),
            sa.func.min(records.c.since_at).label("since_at"),
            sa.func.min(label.c.record).label("first_record"),
        )
        .select_from(
            label.join(before, before.c.record == label.c.record).join(records, records.c.record == label.c.record)
        )
        .group_by(label.c.label, before.c.contact_id)
        .cte("pairs")
    )
    id_count = sa.func.count().over(partition_by=pairs.c.label)
    label_count = sa.func.count().over(partition_by=pairs.c.contact_id)
    return sa.select(pairs, id_count.label("id_count"), label_count.label("label_count"))


def contested(overlap: sa.FromClause) -> Select:
    """Overlaps where a cluster has rows of several old contacts or the other way round, in the order in which `matched` settles them."""
    o = overlap.c
    several = sa.or_(o.id_count > 1, o.label_count > 1)
    order = (o.shared_count.desc(), o.since_at.asc().nulls_last(), o.first_record)
    return sa.select(o.label, o.contact_id).where(several).order_by(*order)


def matched(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Each old id to one cluster and each cluster at most one old id, the first pair that still has both winning."""
    chosen: dict[str, str] = {}
    given: set[str] = set()
    for label, contact_id in pairs:
        if label not in chosen and contact_id not in given:
            chosen[label] = contact_id
            given.add(contact_id)
    return [{"label": label, "contact_id": contact_id} for label, contact_id in sorted(chosen.items())]


def contact_ids(touched: Touched, overlap: sa.FromClause, settled: sa.FromClause, night_on: dt.date) -> Select:
    """(label, contact_id) of every touched cluster: the id that it keeps, else the one it had before it merged away, else a new one."""
    o = overlap.c
    plain = sa.select(o.label, o.contact_id).where(o.id_count == 1, o.label_count == 1)
    kept = sa.union_all(plain, sa.select(settled.c.label, settled.c.contact_id)).cte("kept")
    returned = _returned(touched, kept).cte("returned")
    labels = sa.select(touched.label.c.label).distinct().cte("labels")
    first = minted(labels.c.label)
    asked = sa.select(first)
    used = sa.union(
        sa.select(touched.member.c.contact_id).where(touched.member.c.contact_id.in_(asked)),
        sa.select(touched.alias.c.old_id).where(touched.alias.c.old_id.in_(asked)),
    ).cte("used")
    # Used up where the row's first contact went on without it.
    second = minted(labels.c.label + "@" + sa.cast(date_literal(night_on), sa.String))
    new = sa.case((used.c.contact_id.is_(None), first), else_=second)
    joined = (
        labels.join(kept, kept.c.label == labels.c.label, isouter=True)
        .join(returned, returned.c.label == labels.c.label, isouter=True)
        .join(used, used.c.contact_id == first, isouter=True)
    )
    contact_id = sa.func.coalesce(kept.c.contact_id, returned.c.old_id, new)
    return sa.select(labels.c.label, contact_id.label("contact_id")).select_from(joined)


def _returned(touched: Touched, kept: sa.FromClause) -> Select:
    """Retired ids that come back, since the row they are remembered by stands alone again: what unmerging restores."""
    label, alias = touched.label, touched.alias
    latest = sa.func.row_number().over(partition_by=label.c.label, order_by=[alias.c.on.desc(), alias.c.old_id])
    found = (
        sa.select(label.c.label, alias.c.old_id, latest.label("place"))
        .select_from(
            alias.join(label, label.c.record == alias.c.founder).join(kept, kept.c.label == label.c.label, isouter=True)
        )
        .where(kept.c.label.is_(None))
        .cte("found")
    )
    return sa.select(found.c.label, found.c.old_id).where(found.c.place == 1)


def flows(touched: Touched, ids: sa.FromClause) -> Select:
    """(old_id, contact_id, record_count, founder, place): rows that changed their contact, the contact with most of an old one's rows first."""
    label, before = touched.label, touched.before
    moved = (
        sa.select(
            before.c.contact_id.label("old_id"),
            ids.c.contact_id,
            sa.func.count().label("record_count"),
            sa.func.min(before.c.record).label("founder"),
        )
        .select_from(before.join(label, label.c.record == before.c.record).join(ids, ids.c.label == label.c.label))
        .where(before.c.contact_id != ids.c.contact_id)
        .group_by(before.c.contact_id, ids.c.contact_id)
        .cte("moved")
    )
    order = [moved.c.record_count.desc(), moved.c.founder]
    place = sa.func.row_number().over(partition_by=moved.c.old_id, order_by=order)
    return sa.select(moved, place.label("place"))


def retired(touched: Touched, ids: sa.FromClause, flow: sa.FromClause) -> Select:
    """(old_id, contact_id, founder): contacts of the night before that are no more, and where most of their rows went; nowhere if all are gone."""
    before = touched.before
    was = (
        sa.select(before.c.contact_id, sa.func.min(before.c.record).label("founder"))
        .group_by(before.c.contact_id)
        .cte("was")
    )
    main = sa.and_(flow.c.old_id == was.c.contact_id, flow.c.place == 1)
    joined = was.join(ids, ids.c.contact_id == was.c.contact_id, isouter=True).join(flow, main, isouter=True)
    founder = sa.func.coalesce(flow.c.founder, was.c.founder)
    return (
        sa.select(was.c.contact_id.label("old_id"), flow.c.contact_id, founder.label("founder"))
        .select_from(joined)
        .where(ids.c.contact_id.is_(None))
    )


def aliases(touched: Touched, ids: sa.FromClause, gone: sa.FromClause, night_on: dt.date) -> sa.CompoundSelect[Any]:
    """core__contact_alias. An older alias follows the row it is remembered by, else the contact that it pointed at; an id that came back is none."""
    alias, label = touched.alias, touched.label
    live = ids.alias("live")
    back = alias.join(live, live.c.contact_id == alias.c.old_id, isouter=True)
    now = back.join(label, label.c.record == alias.c.founder, isouter=True).join(
        ids, ids.c.label == label.c.label, isouter=True
    )
    joined = now.join(gone, gone.c.old_id == alias.c.contact_id, isouter=True)
    followed = sa.case((gone.c.old_id.is_not(None), gone.c.contact_id), else_=alias.c.contact_id)
    older = (
        sa.select(
            alias.c.old_id,
            sa.func.coalesce(ids.c.contact_id, followed).label("contact_id"),
            alias.c.on,
            alias.c.founder,
        )
        .select_from(joined)
        .where(live.c.contact_id.is_(None))
    )
    new = sa.select(gone.c.old_id, gone.c.contact_id, date_literal(night_on).label("on"), gone.c.founder)
    return sa.union_all(older, new)


def merge_events(
    touched: Touched, ids: sa.FromClause, flow: sa.FromClause, gone: sa.FromClause, link: sa.FromClause, veto: sa.FromClause,
    night_on: dt.date,
) -> Select:  # fmt: skip
    """core__merge_event of one night: where rows changed their contact, and the strongest link or the steward's word that made them."""
    left = (
        sa.select(touched.before.c.record).where(touched.before.c.contact_id.in_(sa.select(flow.c.old_id))).cte("left")
    )
    tied = _tied(touched, ids, _of(link, left)).cte("tied")
    parted = _parted(touched, ids, _of(veto, left)).cte("parted")
    merged = sa.and_(gone.c.old_id == flow.c.old_id, gone.c.contact_id == flow.c.contact_id)
    same_tie = sa.and_(tied.c.old_id == flow.c.old_id, tied.c.contact_id == flow.c.contact_id, tied.c.place == 1)
    same_cut = sa.and_(parted.c.old_id == flow.c.old_id, parted.c.contact_id == flow.c.contact_id)
    joined = (
        flow.join(gone, merged, isouter=True).join(tied, same_tie, isouter=True).join(parted, same_cut, isouter=True)
    )
    is_merge = gone.c.old_id.is_not(None)
    rule = sa.case((is_merge, tied.c.rule), else_=parted.c.rule)
    is_said = rule == "steward"
    kind = sa.case(
        (sa.and_(is_said, is_merge), "steward_merge"), (is_said, "steward_split"), (is_merge, "merge"), else_="split"
    )
    return sa.select(
        date_literal(night_on).label("business_on"),
        kind.label("kind"),
        sa.case((is_merge, flow.c.contact_id), else_=flow.c.old_id).label("contact_id"),
        sa.case((is_merge, flow.c.old_id), else_=flow.c.contact_id).label("other_id"),
        rule.label("rule"),
        flow.c.record_count,
    ).select_from(joined)


def _of(pairs: sa.FromClause, record: sa.FromClause) -> sa.Subquery:
    """Pairs of which one end is among some records; rows of an old contact that lost some are in no other pair that says why."""
    ends = [pairs.c[end].in_(sa.select(record.c.record)) for end in ("record_a", "record_b")]
    return sa.select(pairs).where(sa.or_(*ends)).subquery()


def _ends(touched: Touched, ids: sa.FromClause, pairs: sa.FromClause) -> sa.Subquery:
    """Pairs of records both of which are touched, with the old and the new contact of both ends."""
    columns = [pairs.c.rule]
    joined: sa.FromClause = pairs
    for side in "ab":
        label, before, now = (source.alias(f"{name}_{side}") for name, source in
                              (("label", touched.label), ("before", touched.before), ("now", ids)))  # fmt: skip
        joined = joined.join(label, label.c.record == pairs.c[f"record_{side}"])
        joined = joined.join(now, now.c.label == label.c.label)
        joined = joined.join(before, before.c.record == label.c.record, isouter=True)
        columns += [before.c.contact_id.label(f"old_{side}"), now.c.contact_id.label(f"new_{side}")]
    weight = pairs.c.weight if "weight" in pairs.c else sa.literal(0)
    return sa.select(*columns, weight.label("weight")).select_from(joined).subquery()


def _tied(touched: Touched, ids: sa.FromClause, link: sa.FromClause) -> Select:
    """(old_id, contact_id, rule, place): links that tie rows of an old contact to other rows of the contact they are in now, strongest first."""
    ends = _ends(touched, ids, link)
    inside = ends.c.new_a == ends.c.new_b
    both = [
        sa.select(
            ends.c[f"old_{one}"].label("old_id"), ends.c.new_a.label("contact_id"), ends.c.rule, ends.c.weight
        ).where(
            inside, ends.c[f"old_{one}"].is_not(None), ends.c[f"old_{other}"].is_distinct_from(ends.c[f"old_{one}"])
        )
        for one, other in ("ab", "ba")
    ]
    found = sa.union(*both).subquery()
    order = [found.c.weight.desc(), found.c.rule]
    place = sa.func.row_number().over(partition_by=[found.c.old_id, found.c.contact_id], order_by=order)
    return sa.select(found.c.old_id, found.c.contact_id, found.c.rule, place.label("place"))


def _parted(touched: Touched, ids: sa.FromClause, veto: sa.FromClause) -> Select:
    """(old_id, contact_id, rule): pairs of one old contact that a steward separated, one of them being in a new one."""
    ends = _ends(touched, ids, veto)
    both = [
        sa.select(ends.c.old_a.label("old_id"), ends.c[f"new_{side}"].label("contact_id"), ends.c.rule).where(
            ends.c.old_a == ends.c.old_b, ends.c.new_a != ends.c.new_b, ends.c.rule == "steward"
        )
        for side in "ab"
    ]
    return sa.select(sa.union(*both).subquery())
