"""The evidence of a night: identifiers, shared keys, links, and what of it differs from the night before.

What belongs here: running the Selects of `vesper/identity` and the linkage, in order. What does not: what follows from the evidence (`identity.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from vesper.consolidate import vendor
from vesper.identity import change, keys, membership
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.declare import previous
from vesper.tables.identity import IDENTITY_LINK, IDENTITY_VETO, SHARED_KEY
from warehouse.runner import Runner

LINKAGE = "linkage"
JUDGED = ("email_status", "email_kind")
"""Columns that say whether an address names a person."""
SCORED = sa.Table(
    "identity_scored", sa.MetaData(), *[sa.Column(c.name, c.type) for c in IDENTITY_LINK.c if c.name != "rule"]
)
Scored = Callable[[Runner, sa.Table, Linkage, str | None], pa.Table]
"""Weights of the pairs of a bound table; with a bound table of fresh records only of pairs that touch one of them."""


@dataclass(frozen=True)
class Evidence:
    """What tonight stands on, as tables of the runner.

    Attributes:
        record: live rows, `record` first, with the columns that identity reads.
        identifier: (kind, value, record, name).
        shared: (kind, value) that too many names share.
        link: core__identity_link of tonight.
        steward: dq__identity_veto rows of a steward's word.
        touched: (record) that is new, gone, changed, or at the end of a link that came or went; None where all are resolved anew.
    """

    record: sa.Table
    identifier: sa.Table
    shared: sa.Table
    link: sa.Table
    steward: sa.Table
    touched: sa.Table | None


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
    identifier = bench.materialize(keys.identifiers(SOURCE_RECORD, policy), "identity_identifier")
    shared = bench.materialize(keys.shared_keys(identifier, policy), "identity_shared")
    columns = columns_read(policy, linkage)
    record = bench.materialize(keys.comparable(SOURCE_RECORD, shared, policy, columns), "identity_record")
    steward = bench.materialize(membership.steward_vetoes(rules, record), "identity_steward_veto")
    deciding = keys.key_links(identifier, shared, policy, policy.deciding(linkage))
    stated = sa.union(deciding, membership.steward_links(rules, record), *_by_vendors(policy, same))
    certain = bench.materialize(stated, "identity_certain")
    changed = None if is_full else _changed(bench, columns, identifier, shared)
    link = certain
    if linkage is not None:
        weighed = _weighed(bench, linkage, record, changed, score)
        link = bench.materialize(sa.union_all(sa.select(certain), *weighed), "identity_link")
    touched = None if changed is None else _touched(bench, changed, certain, steward)
    return Evidence(record, identifier, shared, link, steward, touched)


def _by_vendors(policy: IdentityPolicy, same: sa.Table | None) -> list[sa.Select[Any]]:
    """Links between rows whose ids a vendor merged."""
    if same is None or vendor.RULE not in policy.keys:
        return []
    return [vendor.links(same, policy.keys[vendor.RULE].weight)]


def _changed(bench: Bench, columns: list[str], identifier: sa.Table, shared: sa.Table) -> sa.Table:
    """Rows that came, went, or read otherwise than the night before: in their own columns, or since a key of theirs is shared now or no more."""
    judged = sorted({*columns, *JUDGED})
    now, before = (membership.live_rows(judged, table).subquery() for table in (SOURCE_RECORD, previous(SOURCE_RECORD)))
    own = change.changed_records(now, before, judged)
    flipped = change.flipped_holders(identifier, shared, previous(SHARED_KEY))
    return bench.materialize(sa.union(own, flipped), "identity_changed")


def _weighed(bench: Bench, linkage: Linkage, record: sa.Table, changed: sa.Table | None, score: Scored) -> list[Any]:
    """Links by linkage: scored where a row changed, as the night before elsewhere."""
    bench.runner.bind_arrow(
        "identity_scored", score(bench.runner, record, linkage, changed.name if changed is not None else None)
    )
    new = sa.select(SCORED.c.record_a, SCORED.c.record_b, sa.literal(LINKAGE).label("rule"), SCORED.c.weight)
    if changed is None:
        return [new]
    before = previous(IDENTITY_LINK)
    return [new, change.carried_links(before, changed).where(before.c.rule == LINKAGE)]


def _touched(bench: Bench, changed: sa.Table, certain: sa.Table, steward: sa.Table) -> sa.Table:
    """Every record whose component may differ from the night before."""
    before, was = previous(IDENTITY_LINK), previous(IDENTITY_VETO)
    certain_before = sa.select(before).where(before.c.rule != LINKAGE).subquery()
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
    if "identity_scored" in bench.runner.bound:
        parts += [sa.select(SCORED.c[end].label("record")) for end in ("record_a", "record_b")]
    return bench.materialize(sa.union(*[part.subquery().select() for part in parts]), "identity_touched")
