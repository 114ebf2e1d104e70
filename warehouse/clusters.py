"""Partition of a million records by their links: components first, and the careful rules of `vesper/identity/clusters.py` where a component is suspect.

What belongs here: Arrow in, Arrow out, whole arrays at once. What does not: where links come from, ids of contacts. A partition depends on the rows
alone: not on their order, and, component by component, not on the other components, which is what makes an incremental night equal a full one.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from vesper.identity.clusters import ClusterRules, Pair, average_linked, joined_unless
from warehouse.arrays import flags, numbers, places, texts, to_numbers, whole

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def partition(
    records: pa.Array, links: pa.Table, must: frozenset[str], cannot: pa.Table, unlike: pa.Table, rules: ClusterRules
) -> pa.Table:
    """Every record with its cluster.

    Args:
        records: ids of all records, each once.
        links: (record_a, record_b, rule, weight); links to records that are not there are ignored.
        must: rules whose links always join, such as authority ids and a steward's word; only `cannot` is stronger.
        cannot: (record_a, record_b) that never share a cluster.
        unlike: (record_a, record_b) whose facts contradict each other.

    Returns:
        (record, label, is_review), ordered by record: the label is the smallest record id of the cluster, and a cluster is for review if it is
        larger than the soft cap, was stopped by the hard cap, or holds a contradiction in spite of it.
    """
    ids = _in_order(records)
    a, b, known = _ends(links, ids)
    weight = to_numbers(links["weight"])[known]
    is_must = to_numbers(pc.is_in(links["rule"], texts(sorted(must))))[known] == 1
    veto = _ends(cannot, ids)[:2]
    node = _nodes(len(ids), (a[is_must], b[is_must], weight[is_must]), veto)
    evidence = _Evidence.between_nodes(node, (a[~is_must], b[~is_must], weight[~is_must]), veto, _ends(unlike, ids)[:2])
    label, is_review = _clustered(node, evidence, rules)
    return pa.table(
        {"record": ids, "label": ids.take(numbers(label[node])), "is_review": flags(is_review[label[node]])}
    )


def components(records: pa.Array, links: pa.Table) -> pa.Table:
    """(record, component) for every record of a component of at least two, ordered by record; a component is named by its smallest record."""
    ids = _in_order(records)
    a, b, _ = _ends(links, ids)
    name = _smallest(len(ids), a, b)
    (held,) = np.nonzero(np.bincount(name, minlength=len(ids))[name] > 1)
    return pa.table({"record": ids.take(numbers(held)), "component": ids.take(numbers(name[held]))})


def _in_order(records: pa.Array) -> pa.Array:
    held = whole(records)
    return held.cast(pa.string()).take(pc.sort_indices(held))


def _ends(pairs: pa.Table, ids: pa.Array) -> tuple[Numbers, Numbers, Flags]:
    """Both ends of pairs as places in `ids`, the smaller first, without pairs that have an end elsewhere; and which pairs those are."""
    left, right = (places(pairs[side], ids) for side in ("record_a", "record_b"))
    known = (left >= 0) & (right >= 0) & (left != right)
    left, right = left[known], right[known]
    return np.minimum(left, right), np.maximum(left, right), known


def _smallest(count: int, a: Numbers, b: Numbers) -> Numbers:
    """For each of `count` places the smallest place of its connected component."""
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    first: Numbers = np.full(int(group.max(initial=-1)) + 1, count, np.int64)
    np.minimum.at(first, group, np.arange(count))
    smallest: Numbers = first[group]
    return smallest


def _nodes(count: int, ties: tuple[Numbers, Numbers, Numbers], veto: tuple[Numbers, Numbers]) -> Numbers:
    """The node of each record: records that must be together, named by the smallest; a group that a veto cuts is put together tie by tie."""
    a, b, weight = ties
    node = _smallest(count, a, b)
    torn = np.unique(node[veto[0]][node[veto[0]] == node[veto[1]]])
    if not len(torn):
        return node
    is_torn = np.zeros(count, bool)
    is_torn[torn] = True
    inside = is_torn[node[a]]
    order = np.lexsort((b[inside], a[inside], -weight[inside]))
    links = zip(a[inside][order].tolist(), b[inside][order].tolist(), strict=True)
    group = joined_unless(links, zip(veto[0].tolist(), veto[1].tolist(), strict=True))
    (held,) = np.nonzero(is_torn[node])
    node[held] = [group.get(record, record) for record in held.tolist()]
    return node


@dataclass(frozen=True)
class _Evidence:
    """What is known between nodes: the best weight by pair, and the pairs that contradict or must not meet."""

    a: Numbers
    b: Numbers
    weight: Numbers
    cannot: tuple[Numbers, Numbers]
    unlike: tuple[Numbers, Numbers]

    @classmethod
    def between_nodes(
        cls,
        node: Numbers,
        links: tuple[Numbers, Numbers, Numbers],
        cannot: tuple[Numbers, Numbers],
        unlike: tuple[Numbers, Numbers],
    ) -> "_Evidence":
        """Nodes contradict each other where at least half of their record pairs do: a typo in one of a thousand rows contradicts nothing."""
        a, b, weight = _lifted(node, links[0], links[1], links[2])
        order = np.lexsort((-weight, b, a))
        a, b, weight = a[order], b[order], weight[order]
        is_best = np.ones(len(a), bool)
        is_best[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
        size = np.bincount(node, minlength=len(node))
        c, d, count = _counted(node, *unlike)
        is_unlike = 2 * count >= size[c] * size[d]
        veto = _counted(node, *cannot)[:2]
        return cls(a[is_best], b[is_best], weight[is_best], veto, (c[is_unlike], d[is_unlike]))


def _lifted(node: Numbers, a: Numbers, b: Numbers, weight: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Links between records as links between their nodes, without those inside a node."""
    c, d = node[a], node[b]
    outside = c != d
    return np.minimum(c, d)[outside], np.maximum(c, d)[outside], weight[outside]


def _counted(node: Numbers, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Pairs of nodes, each once, with the number of distinct record pairs between them."""
    pairs = np.unique(np.stack([a, b], axis=1), axis=0) if len(a) else np.empty((0, 2), np.int64)
    c, d, _ = _lifted(node, pairs[:, 0], pairs[:, 1], pairs[:, 0])
    found, count = np.unique(np.stack([c, d], axis=1), axis=0, return_counts=True)
    return found[:, 0], found[:, 1], count


def _clustered(node: Numbers, evidence: _Evidence, rules: ClusterRules) -> tuple[Numbers, Flags]:
    """The cluster of each node (by its smallest node), and by cluster whether it is for review."""
    count = len(node)
    kept = evidence.weight >= rules.keep
    label = _smallest(count, evidence.a[kept], evidence.b[kept])
    names = np.unique(node)
    size = np.bincount(label[names], minlength=count)
    is_suspect = (size > rules.suspect_above) & ~_agrees(label, size, evidence, rules)
    for pairs in (evidence.cannot, evidence.unlike):
        met = label[pairs[0]] == label[pairs[1]]
        is_suspect[label[pairs[0]][met]] = True
    is_review = np.zeros(count, bool)
    for nodes, inside in _suspects(label, names, is_suspect, evidence):
        found, capped = average_linked(nodes, *inside, rules)
        label[list(found)] = list(found.values())
        is_review[list(capped)] = True
    is_review |= np.bincount(label[names], minlength=count) > rules.soft_cap
    c, d = evidence.unlike
    is_review[label[c][label[c] == label[d]]] = True
    return label, is_review


def _agrees(label: Numbers, size: Numbers, evidence: _Evidence, rules: ClusterRules) -> Flags:
    """By component: no pair in it weighs less than joining asks for, so whatever is averaged, all of it joins, as long as nothing contradicts.

    Most large components are one person who wrote often; to find that out pair by pair is most of the time that careful clustering takes.
    """
    if rules.missing < rules.join:
        return np.zeros(len(label), bool)
    weak = evidence.weight < rules.join
    where = label[evidence.a[weak]]
    is_weak = np.zeros(len(label), bool)
    is_weak[where[where == label[evidence.b[weak]]]] = True
    return ~is_weak & (size <= rules.hard_cap)


Inside = tuple[dict[Pair, int], list[Pair], list[Pair]]


def _suspects(
    label: Numbers, names: Numbers, is_suspect: Flags, evidence: _Evidence
) -> Iterator[tuple[list[int], Inside]]:
    """The nodes of each suspect component with all that is known inside it: weights, contradictions, vetoes."""
    whose = label.copy()
    weights: dict[int, dict[Pair, int]] = defaultdict(dict)
    for component, a, b, weight in _within(whose, is_suspect, evidence.a, evidence.b, evidence.weight):
        weights[component][a, b] = weight
    unlike, cannot = (_pairs_within(whose, is_suspect, pairs) for pairs in (evidence.unlike, evidence.cannot))
    nodes: dict[int, list[int]] = defaultdict(list)
    for name in names[is_suspect[whose[names]]].tolist():
        nodes[int(whose[name])].append(name)
    for component, held in nodes.items():
        yield held, (weights[component], unlike[component], cannot[component])


def _pairs_within(whose: Numbers, is_suspect: Flags, pairs: tuple[Numbers, Numbers]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = defaultdict(list)
    for component, a, b, _ in _within(whose, is_suspect, pairs[0], pairs[1], pairs[0]):
        found[component].append((a, b))
    return found


def _within(
    whose: Numbers, is_suspect: Flags, a: Numbers, b: Numbers, weight: Numbers
) -> Iterator[tuple[int, int, int, int]]:
    inside = (whose[a] == whose[b]) & is_suspect[whose[a]]
    columns = (whose[a][inside], a[inside], b[inside], weight[inside])
    return zip(*[column.tolist() for column in columns], strict=True)
