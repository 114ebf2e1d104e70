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
        record: live rows, `record` first, with the columns that identity reads.
        link: core__identity_link of tonight; of a night that looks at what changed, the links that it found.
        dropped: links of the night before that `link` stands for; None where it holds all of tonight's.
        steward: dq__identity_veto rows of a steward's word.
        touched: (record) that is new, gone, changed, or at the end of a link that came or went; None where all are resolved anew.
    """

    shared: sa.Table
    record: sa.Table
    link: sa.Table
    dropped: sa.Table | None
    steward: sa.Table
    touched: sa.Table | None


@dataclass(frozen=True)
class _Keys:
    """What keys say: the shared ones, the links by keys of all rows or of the near ones, and the rows that read otherwise than the night before."""

    shared: sa.Table
    link: sa.Select[Any]
    near: sa.Table | None
    changed: sa.Table | None


def columns_held(policy: IdentityPolicy, linkage: Linkage | None) -> list[str]:
    """The columns that are kept of a source row that is looked at: what identity compares, and what says whether it may be."""
    return sorted({*columns_read(policy, linkage), *JUDGED, *DATED, "excluded_by"})


def columns_read(policy: IdentityPolicy, linkage: Linkage | None) -> list[str]:
    """The columns of a source row that identity compares."""
    held = {column for name in policy.keys for column in policy.columns_of(name)}
    weighed = {field.column for field in linkage.fields.values()} if linkage else set()
    return sorted(held | weighed | {"name_key"})


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
    compared = keys.comparable(SOURCE_RECORD, found.shared, policy, columns)
    record = (bench.materialize if found.changed is None else bench.bind_select)(compared, "identity_record")
    named = bench.materialize(membership.named_by(rules, SOURCE_RECORD), "identity_named_by_steward")
    steward = bench.materialize(membership.steward_vetoes(rules, named), "identity_steward_veto")
    stated = sa.union(found.link, membership.steward_links(rules, named), *_by_vendors(policy, same))
    certain = bench.materialize(stated, "identity_certain")
    link = certain
    if linkage is not None:
        fresh = found.changed.name if found.changed is not None else None
        bench.runner.bind_arrow(SCORED.name, score(bench.runner, record, linkage, fresh))
        new = sa.select(SCORED.c.record_a, SCORED.c.record_b, sa.literal(LINKAGE).label("rule"), SCORED.c.weight)
        link = bench.materialize(sa.union_all(sa.select(certain), new), "identity_link")
    if found.changed is None:
        return Evidence(found.shared, record, link, None, steward, None)
    gone = near.dropped_links(found.near, found.changed, LINKAGE, membership.STEWARD)
    dropped = bench.materialize(gone, "identity_link_dropped")
    touched = _touched(bench, found.changed, certain, dropped, steward)
    return Evidence(found.shared, record, link, dropped, steward, touched)


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
    return _Keys(shared, keys.key_links(identifier, shared, policy, kinds), None, changed)


def _near_keys(
    bench: Bench, policy: IdentityPolicy, columns: list[str], held: list[str], kinds: Sequence[KeyName]
) -> _Keys:
    """Keys of the rows near those that changed; what other rows' keys said the night before, they say still."""
    own, now, before = _own_changes(bench, columns, held)
    of_changed = near.values(*[keys.identifiers(side, policy) for side in (now, before)])
    value = bench.materialize(of_changed, "identity_value")
    identifier = bench.materialize(keys.identifiers(SOURCE_RECORD, policy, value), "identity_identifier")
    judged = near.shared_now(keys.shared_keys(identifier, policy), value)
    shared = bench.materialize(judged, "identity_shared")
    changed = _changed(bench, own, identifier, shared)
    both = sa.union(sa.select(identifier.c.record), sa.select(own.c.record))
    around = bench.materialize(both, "identity_near")
    wanted = bench.materialize(near.row_keys(around), "identity_near_key")
    row = bench.materialize(near.rows(SOURCE_RECORD, wanted, held), "identity_near_row")
    of_near = bench.materialize(near.values(keys.identifiers(row, policy)), "identity_near_value")
    every = bench.materialize(keys.identifiers(SOURCE_RECORD, policy, of_near), "identity_near_identifier")
    return _Keys(shared, near.near_links(every, shared, around, policy, kinds), around, changed)


def _own_changes(bench: Bench, columns: list[str], held: list[str]) -> tuple[sa.Table, sa.Table, sa.Table]:
    """(record) of rows that came, went, or have another value that identity reads; and the rows that differ in anything, now and before."""
    judged = sorted({*columns, *JUDGED})
    moved = bench.differing(SOURCE_RECORD, ("source", "record_key"), "identity_moved")
    sides = (("now", SOURCE_RECORD), ("before", previous(SOURCE_RECORD)))
    now, before = (bench.materialize(near.rows(side, moved, held), f"identity_{name}") for name, side in sides)
    alive = [membership.live_rows(judged, side).subquery() for side in (now, before)]
    own = bench.materialize(change.changed_records(alive[0], alive[1], judged), "identity_own")
    return own, now, before


def _changed(bench: Bench, own: sa.Table, identifier: sa.Table, shared: sa.Table) -> sa.Table:
    """Rows that read otherwise than the night before: in their own columns, or since a key of theirs is shared now or no more."""
    flipped = change.flipped_holders(identifier, shared, previous(SHARED_KEY))
    return bench.materialize(sa.union(sa.select(own.c.record), flipped), "identity_changed")


def _touched(bench: Bench, changed: sa.Table, certain: sa.Table, dropped: sa.Table, steward: sa.Table) -> sa.Table:
    """Every record whose component may differ from the night before."""
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
        parts += [sa.select(SCORED.c[end].label("record")) for end in ("record_a", "record_b")]
    return bench.materialize(sa.union(*[part.subquery().select() for part in parts]), "identity_touched")
