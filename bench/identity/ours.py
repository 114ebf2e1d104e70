"""Vesper's side of the identity bench: keys, weights of evidence, clusters, as the nightly run has them.

What belongs here: the order of it on one file. What does not: the plain side, the figures.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from bench.identity.file import Labelled, identity_policy
from bench.identity.quality import codes
from vesper.identity.clusters import ClusterRules
from vesper.identity.keys import key_links, unlike_names
from vesper.model.linkage import Linkage
from warehouse.clusters import components, partition
from warehouse.linkage import scored, train
from warehouse.runner import Runner

LINK = pa.schema([("record_a", pa.string()), ("record_b", pa.string()), ("rule", pa.string()), ("weight", pa.int64())])
NOBODY = pa.table({"record_a": pa.array([], pa.string()), "record_b": pa.array([], pa.string())})
ANY_WEIGHT = -(10**9)


def linked(runner: Runner, labelled: Labelled, linkage: Linkage) -> tuple[pa.Table, pa.Table, frozenset[str]]:
    """Links of a file, pairs whose facts contradict, and the rules that decide by themselves."""
    trained = train(runner, labelled.records, linkage)
    found = scored(runner, labelled.records, trained)
    weighed = found.append_column("rule", pa.array(["linkage"] * found.num_rows, pa.string()))
    links = weighed.select(LINK.names).cast(LINK)
    if labelled.identifier is None or labelled.shared is None:
        return links, NOBODY, frozenset()
    policy = identity_policy()
    deciding = policy.deciding(linkage)
    keys = runner.arrow(key_links(labelled.identifier, labelled.shared, policy, deciding)).select(LINK.names).cast(LINK)
    every = pa.concat_tables([keys, links])
    return every, _unlike(runner, labelled, every, linkage), frozenset(deciding)


def _unlike(runner: Runner, labelled: Labelled, links: pa.Table, linkage: Linkage) -> pa.Table:
    """Pairs of one component whose names cannot be one person's."""
    tied = links.filter(pc.greater_equal(links["weight"], linkage.clusters.keep))
    assert labelled.names is not None
    groups = components(labelled.truth["record"].combine_chunks(), tied)
    runner.bind_arrow("bench_component", groups, "bench")
    held = sa.Table("bench_component", sa.MetaData(), sa.Column("record", sa.String), sa.Column("component", sa.String))
    member = (
        sa.select(held.c.record, held.c.component, labelled.names.c.name)
        .join_from(held, labelled.names, labelled.names.c.record == held.c.record)
        .cte("member")
    )
    return runner.arrow(unlike_names(member))


def clustered(
    labelled: Labelled, links: pa.Table, unlike: pa.Table, must: frozenset[str], linkage: Linkage
) -> pa.Table:
    """(record, label): the contacts. Caps are for people who look at contacts; the figures count what evidence says."""
    rules = ClusterRules(
        **linkage.clusters.model_dump(exclude={"soft_cap", "hard_cap"}), soft_cap=10**6, hard_cap=10**6
    )
    return partition(labelled.truth["record"].combine_chunks(), links, must, NOBODY, unlike, rules)


def reached(labelled: Labelled, links: pa.Table) -> tuple[float, pa.Table]:
    """Share of the true pairs that were looked at, and the partition of perfect decisions over them: the ceiling of blocking."""
    true = labelled.truth
    ends = _persons(true, links["record_a"]), _persons(true, links["record_b"])
    is_true = pa.array(ends[0] == ends[1])
    kept = links.filter(is_true)
    seen = len(set(zip(*_positions(true, kept, ("record_a", "record_b")), strict=True)))
    size = np.bincount(codes(true["truth"]))
    share = seen / max(int((size * (size - 1) // 2).sum()), 1)
    rules = ClusterRules(ANY_WEIGHT, ANY_WEIGHT, 0, 0, 10**9, 10**9, 10**9)
    return share, partition(true["record"].combine_chunks(), kept, frozenset(), NOBODY, NOBODY, rules)


def _persons(true: pa.Table, records: pa.ChunkedArray) -> "np.ndarray[Any, np.dtype[np.int64]]":
    places = pc.index_in(records, true["record"].combine_chunks()).to_numpy()
    return np.asarray(codes(true["truth"])[places], dtype=np.int64)


def _positions(true: pa.Table, links: pa.Table, ends: Sequence[str]) -> list[list[int]]:
    return [pc.index_in(links[end], true["record"].combine_chunks()).to_pylist() for end in ends]
