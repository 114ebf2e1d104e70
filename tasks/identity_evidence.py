"""The evidence of a night: identifiers, shared keys, links, and what of it differs from the night before.

What belongs here: running the Selects of `vesper/identity` and the linkage, in order. What does not: what follows from the evidence (`identity.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from vesper.consolidate import vendor
from vesper.identity import change, keys, membership, near
from vesper.model.identity import IdentityPolicy, KeyName
from vesper.model.linkage import Linkage
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.declare import previous
from vesper.tables.identity import IDENTITY_LINK, IDENTITY_VETO, SHARED_KEY
from warehouse.runner import Runner

LINKAGE = "linkage"
JUDGED = ("email_status", "email_kind")
"""Columns that say whether an address names a person."""
DATED = ("registered_at", "received_at")
"""Columns that say since when a row is known."""
SCORED = sa.Table(
    "identity_scored", sa.MetaData(), *[sa.Column(c.name, c.type) for c in IDENTITY_LINK.c if c.name != "rule"]
)
Scored = Callable[[Runner, sa.Table, Linkage, str | None], pa.Table]
"""Weights of the pairs of a bound table; with a bound table of fresh records only of pairs that touch one of them."""


@dataclass(frozen=True)
class Evidence:
    """What tonight stands on, as tables of the runner.

    Attributes:
        shared: (kind, value) that too many names share.
        record: live rows, `record` first, with the columns that identity reads; None of a night that looks at what changed.
        link: core__identity_link of tonight; of a night that looks at what changed, the links that it found.
        dropped: links of the night before that `link` stands for; None where it holds all of tonight's.
        steward: dq__identity_veto rows of a steward's word.
        touched: (record) that is new, gone, changed, or at the end of a link that came or went; None where all are resolved anew.
    """

    shared: sa.Table
    record: sa.Table | None
    link: sa.Table
    dropped: sa.Table | None
    steward: sa.Table
    touched: sa.Table | None


@dataclass(frozen=True)
class _Keys:
    """What keys say.

    Attributes:
        shared: (kind, value) that too many names share.
        link: links by keys: all of them, or those between rows near a changed one.
        dropped: links of the night before in whose place these and new weights stand; None where that is not known yet.
        changed: (record) that reads otherwise than the night before; None where all rows are looked at anew.
        row: the changed rows as they are, with others.
    """

    shared: sa.Table
    link: Any
    dropped: sa.Table | None
    changed: sa.Table | None
    row: sa.Table | None


def columns_held(policy: IdentityPolicy, linkage: Linkage | None) -> list[str]:
    """The columns that are kept of a source row that is looked at: what identity compares, and what says whether it may be."""
    return sorted({*columns_read(policy, linkage), *JUDGED, "excluded_by"})


def columns_read(policy: IdentityPolicy, linkage: Linkage | None) -> list[str]:
    """The columns of a source row that identity compares."""
    held = {column for name in policy.keys for column in policy.columns_of(name)}
    return sorted(held.union(columns_weighed(linkage), ["name_key"]))


def columns_weighed(linkage: Linkage | None) -> list[str]:
    """The columns of a source row that a linkage compares."""
    return sorted({field.column for field in linkage.fields.values()}) if linkage else []


def evidence(
    bench: Bench,
    policy: IdentityPolicy,
    linkage: Linkage | None,
    rules: sa.Table,
    is_full: bool,
    score: Scored,
    same: sa.Table | None = None,
) -> Evidence:
    """Gather tonight's evidence.

    Args:
        rules: steward rules in force.
        is_full: weigh every pair again; else only those that touch a changed row.
        same: (old_id, kept_id) of ids that vendors say are one person (`vendor.same_person`).
    """
    columns, held = columns_read(policy, linkage), columns_held(policy, linkage)
    kinds = policy.deciding(linkage)
    if is_full or same is not None:
        found = _all_keys(bench, policy, columns, held, kinds, is_full)
    else:
        found = _near_keys(bench, policy, columns, held, kinds)
    named = bench.materialize(membership.named_by(rules, SOURCE_RECORD), "identity_named_by_steward")
    steward = bench.materialize(membership.steward_vetoes(rules, named), "identity_steward_veto")
    stated = sa.union(found.link, membership.steward_links(rules, named), *_by_vendors(policy, same))
    certain = bench.materialize(stated, "identity_certain")
    if found.changed is None:
        compared = keys.comparable(SOURCE_RECORD, found.shared, policy, columns)
        record = bench.materialize(compared, "identity_record")
        link = _with_weights(bench, linkage, record, None, certain, score) if linkage else certain
        return Evidence(found.shared, record, link, None, steward, None)
    link = certain
    if linkage:
        record, fresh = _around_changed(bench, policy, linkage, found)
        link = _with_weights(bench, linkage, record, fresh, certain, score)
    dropped = found.dropped if found.dropped is not None else _dropped(bench, found.changed)
    tie = linkage.clusters.keep if linkage else policy.clusters.keep
    touched = _touched(bench, found.changed, certain, dropped, steward, tie)
    return Evidence(found.shared, None, link, dropped, steward, touched)


def _dropped(bench: Bench, changed: sa.Table) -> sa.Table:
    """Links of the night before whose rows changed; those that people or weights made are looked at by themselves."""
    return bench.materialize(near.dropped_links(None, changed, LINKAGE, membership.STEWARD), "identity_dropped")


def _with_weights(
    bench: Bench, linkage: Linkage, record: sa.Table, fresh: sa.Table | None, certain: sa.Table, score: Scored
) -> sa.Table:
    """Certain links, and those by weight: of all rows, or of the fresh ones."""
    found = score(bench.runner, record, linkage, fresh.name if fresh is not None else None)
    bench.runner.bind_arrow(SCORED.name, found)
    new = sa.select(SCORED.c.record_a, SCORED.c.record_b, sa.literal(LINKAGE).label("rule"), SCORED.c.weight)
    return bench.materialize(sa.union_all(sa.select(certain), new), "identity_link")


def _around_changed(bench: Bench, policy: IdentityPolicy, linkage: Linkage, found: _Keys) -> tuple[sa.Table, sa.Table]:
    """The rows that a changed one may be in a pair with, and the changed ones, both as a linkage compares them."""
    from warehouse.linkage import near_values  # a night without a linkage never loads that room

    assert found.changed is not None
    columns = columns_weighed(linkage)
    held = [*columns, *JUDGED, "excluded_by"]
    rows: Any = found.row
    if rows is None:
        rows = near.rows(SOURCE_RECORD, near.row_keys(found.changed).subquery(), held).subquery()
    compared = keys.comparable(rows, found.shared, policy, columns).subquery("compared")
    chosen = sa.select(compared).where(compared.c.record.in_(sa.select(found.changed.c.record)))
    fresh = bench.materialize(chosen, "identity_fresh")
    rules = near_values(linkage)
    around: Any = SOURCE_RECORD
    if rules is not None:
        around = bench.materialize(near.in_common(SOURCE_RECORD, fresh, rules, held), "identity_around")
    record = bench.materialize(keys.comparable(around, found.shared, policy, columns), "identity_record")
    return record, fresh


def _by_vendors(policy: IdentityPolicy, same: sa.Table | None) -> list[sa.Select[Any]]:
    """Links between rows whose ids a vendor merged."""
    if same is None or vendor.RULE not in policy.keys:
        return []
    return [vendor.links(same, policy.keys[vendor.RULE].weight)]


def _all_keys(
    bench: Bench,
    policy: IdentityPolicy,
    columns: list[str],
    held: list[str],
    kinds: Sequence[KeyName],
    is_full: bool,
) -> _Keys:
    """Keys of every row."""
    identifier = bench.materialize(keys.identifiers(SOURCE_RECORD, policy), "identity_identifier")
    shared = bench.materialize(keys.shared_keys(identifier, policy), "identity_shared")
    own = None if is_full else _own_changes(bench, columns, held)[0]
    changed = None if own is None else _changed(bench, own, identifier, shared)
    return _Keys(shared, keys.key_links(identifier, shared, policy, kinds), None, changed, None)


def _near_keys(
    bench: Bench, policy: IdentityPolicy, columns: list[str], held: list[str], kinds: Sequence[KeyName]
) -> _Keys:
    """Keys of the rows near those that changed; what other rows' keys said the night before, they say still."""
    own, now, before = _own_changes(bench, columns, held)
    of_changed = near.values(*[keys.identifiers(side, policy) for side in (now, before)])
    value = bench.materialize(of_changed, "identity_value")
    holder = bench.materialize(near.holders(SOURCE_RECORD, value, policy, held), "identity_holder")
    identifier = bench.materialize(keys.identifiers(holder, policy, value), "identity_identifier")
    judged = near.shared_now(keys.shared_keys(identifier, policy), value)
    shared = bench.materialize(judged, "identity_shared")
    changed = _changed(bench, own, identifier, shared)
    around = bench.materialize(near.near_keys(identifier, own, kinds), "identity_near")
    dropped = bench.materialize(near.dropped_links(around, changed, LINKAGE, membership.STEWARD), "identity_dropped")
    link = bench.materialize(keys.key_links(identifier, shared, policy, kinds), "identity_key_link")
    lost = bench.materialize(near.lost_links(link, dropped, kinds), "identity_lost")
    ends = [sa.select(lost.c[end].label("record")) for end in ("record_a", "record_b")]
    looked_at = sa.union(sa.select(changed.c.record), *ends).subquery()
    # Whoever changed, or holds a value of who changed, is at hand.
    rows = near.rows(near.also(holder, now).subquery(), near.row_keys(looked_at).subquery(), held)
    row = bench.materialize(rows, "identity_looked_at")
    found = _still_standing(bench, policy, kinds, _Lost(lost, row, value), link, shared)
    return _Keys(shared, found, dropped, changed, row)


@dataclass(frozen=True)
class _Lost:
    """Links by keys that tonight's values do not give, the rows of their ends, and the (kind, value) that were looked at."""

    link: sa.Table
    row: sa.Table
    value: sa.Table


def _still_standing(
    bench: Bench, policy: IdentityPolicy, kinds: Sequence[KeyName], lost: _Lost, link: sa.Table, shared: sa.Table
) -> Any:
    """Links by keys, and those of the lost ones that another value holds up."""
    carried = keys.identifiers(lost.row, policy, kinds=kinds).subquery()
    standing = bench.materialize(near.standing_values(lost.link, carried, lost.value), "identity_standing")
    if not bench.scalar(sa.select(sa.func.count()).select_from(standing)):
        return sa.select(link)
    holders = keys.identifiers(SOURCE_RECORD, policy, standing, kinds).subquery()
    still = near.standing_links(keys.key_links(holders, shared, policy, kinds).subquery(), lost.link)
    return sa.union(sa.select(link), sa.select(still.subquery("still")))


def _own_changes(bench: Bench, columns: list[str], held: list[str]) -> tuple[sa.Table, sa.Table, sa.Table]:
    """(record) of rows that came, went, or have another value that identity reads; and the rows that differ in anything, now and before."""
    judged = sorted({*columns, *JUDGED})
    before, now = bench.differing_rows(SOURCE_RECORD, list(dict.fromkeys([*near.ROW_KEY, *held])), "identity_moved")
    alive = [membership.live_rows(judged, side).subquery() for side in (now, before)]
    own = bench.materialize(change.changed_records(alive[0], alive[1], judged), "identity_own")
    return own, now, before


def _changed(bench: Bench, own: sa.Table, identifier: sa.Table, shared: sa.Table) -> sa.Table:
    """Rows that read otherwise than the night before: in their own columns, or since a key of theirs is shared now or no more."""
    flipped = change.flipped_holders(identifier, shared, previous(SHARED_KEY))
    return bench.materialize(sa.union(sa.select(own.c.record), flipped), "identity_changed")


def _touched(
    bench: Bench, changed: sa.Table, certain: sa.Table, dropped: sa.Table, steward: sa.Table, tie: int
) -> sa.Table:
    """Every record whose component may differ from the night before.

    A weight below `tie` makes no component: where it lies inside one, a changed row lies there, too, and brings all of it.
    """
    was = previous(IDENTITY_VETO)
    certain_before = sa.select(dropped).where(dropped.c.rule != LINKAGE).subquery()
    same = sa.literal(0).label("weight")
    pair = ("record_a", "record_b", "rule")
    vetoes = [
        sa.select(*[table.c[name] for name in pair], same).where(table.c.rule == membership.STEWARD).subquery()
        for table in (steward, was)
    ]
    parts: list[Any] = [
        sa.select(changed.c.record),
        change.differing_links(certain, certain_before),
        change.differing_links(*vetoes),
    ]
    if SCORED.name in bench.runner.bound:
        parts += [
            sa.select(SCORED.c[end].label("record")).where(SCORED.c.weight >= tie) for end in ("record_a", "record_b")
        ]
    return bench.materialize(sa.union(*[part.subquery().select() for part in parts]), "identity_touched")
