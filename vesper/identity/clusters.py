"""How linked records become clusters where they disagree: vetoed pairs stay apart, and evidence must hold for a group as a whole (R5, R6).

What belongs here: the rules of clustering and the decision inside ONE suspect group of links, on plain integers. What does not: finding the groups
among a million records (`warehouse/clusters.py:partition`, Arrow in, Arrow out), scoring, ids. Nothing heavy is imported: definitions use ClusterRules.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SCALE = 1000
Pair = tuple[int, int]


@dataclass(frozen=True)
class ClusterRules:
    """When linked records are one person. Weights are thousandths of a bit; sizes count nodes: records, those of one authority id being one node.

    Attributes:
        keep: a link of at least this weight ties two records into one component; weaker ones are read inside a component only.
        join: inside a suspect component two groups join while the average weight of the pairs between them is at least this.
        missing: the weight of a pair without a link, in that average; zero or negative.
        conflict: what a pair of contradicting facts costs, taken off its weight (or off `missing`); zero or positive.
        suspect_above: a component of more nodes, or one with a contradiction, is suspect; the others are clusters as they are.
        soft_cap: a cluster of more nodes is for review.
        hard_cap: evidence never joins more nodes than this; what it stopped is for review.
    """

    keep: int
    join: int
    missing: int
    conflict: int
    suspect_above: int
    soft_cap: int
    hard_cap: int


@dataclass
class _Between:
    """What is known of the pairs between two groups: their summed weight, how many pairs that is, and whether one of them ties."""

    weight: int = 0
    known_count: int = 0
    is_tied: bool = False

    def add(self, other: "_Between") -> None:
        self.weight += other.weight
        self.known_count += other.known_count
        self.is_tied |= other.is_tied


@dataclass
class _Groups:
    """The groups of one component while they merge; a group is named by its smallest node."""

    rules: ClusterRules
    size: dict[int, int]
    between: dict[int, dict[int, _Between]] = field(default_factory=dict)
    apart: dict[int, set[int]] = field(default_factory=dict)
    version: dict[int, int] = field(default_factory=dict)
    is_capped: set[int] = field(default_factory=set)

    def candidate(self, a: int, b: int) -> tuple[int, int, int, int, int] | None:
        """Heap entry of two groups that may join: best average first, then smallest names."""
        between = self.between[a][b]
        if not between.is_tied or b in self.apart[a]:
            return None
        pair_count = self.size[a] * self.size[b]
        unknown = (pair_count - between.known_count) * self.rules.missing
        average = (between.weight + unknown) * SCALE // pair_count
        if average < self.rules.join * SCALE:
            return None
        if self.size[a] + self.size[b] > self.rules.hard_cap:
            self.is_capped |= {a, b}
            return None
        return -average, min(a, b), max(a, b), self.version[min(a, b)], self.version[max(a, b)]

    def merge(self, into: int, gone: int) -> None:
        """Fold a group into another one, whose name stays."""
        self.size[into] += self.size.pop(gone)
        self.version[into] += 1
        self.version[gone] += 1
        for other, between in self.between.pop(gone).items():
            del self.between[other][gone]
            if other == into:
                continue
            known = self.between[into].get(other)
            if known is None:
                self.between[into][other] = self.between[other][into] = between
            else:
                known.add(between)
        for other in self.apart.pop(gone):
            self.apart[other].discard(gone)
            self.apart[other].add(into)
            self.apart[into].add(other)
        if gone in self.is_capped:
            self.is_capped = (self.is_capped - {gone}) | {into}


def average_linked(
    nodes: Iterable[int],
    weights: Mapping[Pair, int],
    unlike: Iterable[Pair],
    cannot: Iterable[Pair],
    rules: ClusterRules,
) -> tuple[dict[int, int], set[int]]:
    """Cluster one suspect component. Ties go to the smaller nodes, so neither the order of the input nor what else is clustered matters.

    Args:
        nodes: the component's nodes; their numbers must follow the order of their record ids.
        weights: weight by pair (smaller node first) of every link inside the component, kept or not.
        unlike: pairs whose facts contradict each other.
        cannot: pairs that must never share a cluster.

    Returns:
        The smallest node of each node's cluster, and the clusters that the hard cap stopped from joining another.
    """
    groups = _groups(nodes, weights, unlike, cannot, rules)
    label = {node: node for node in groups.size}
    heap = [
        found for a, others in groups.between.items() for b in others if a < b and (found := groups.candidate(a, b))
    ]
    heapq.heapify(heap)
    members: dict[int, list[int]] = {node: [node] for node in groups.size}
    while heap:
        _, a, b, version_a, version_b = heapq.heappop(heap)
        if (version_a, version_b) != (groups.version[a], groups.version[b]):
            continue
        groups.merge(a, b)
        members[a] += members.pop(b)
        for other in groups.between[a]:
            found = groups.candidate(a, other)
            if found:
                heapq.heappush(heap, found)
    for name, held in members.items():
        label.update(dict.fromkeys(held, name))
    return label, {name for name in groups.is_capped if name in groups.size}


def _groups(
    nodes: Iterable[int],
    weights: Mapping[Pair, int],
    unlike: Iterable[Pair],
    cannot: Iterable[Pair],
    rules: ClusterRules,
) -> _Groups:
    size = dict.fromkeys(nodes, 1)
    groups = _Groups(rules, size, {n: {} for n in size}, {n: set() for n in size}, dict.fromkeys(size, 0))
    contradicting = set(unlike)
    for a, b in weights.keys() | contradicting:
        weight = weights.get((a, b))
        cost = rules.conflict if (a, b) in contradicting else 0
        known = _Between(
            (rules.missing if weight is None else weight) - cost, 1, weight is not None and weight >= rules.keep
        )
        groups.between[a][b] = groups.between[b][a] = known
    for a, b in cannot:
        groups.apart[a].add(b)
        groups.apart[b].add(a)
    return groups


def joined_unless(links: Iterable[Pair], cannot: Iterable[Pair]) -> dict[int, int]:
    """Join the ends of links one after the other, except where that would bring a vetoed pair together.

    For records that their authority ids tie and a steward (or a second id) separates: the veto wins, the strongest ties hold.

    Args:
        links: pairs in the order in which they count.

    Returns:
        The smallest record of each linked record's group.
    """
    group: dict[int, int] = {}
    held: dict[int, list[int]] = {}
    apart: dict[int, set[int]] = defaultdict(set)
    for a, b in cannot:
        apart[a].add(b)
        apart[b].add(a)
    for a, b in links:
        for record in (a, b):
            group.setdefault(record, record)
            held.setdefault(record, [record])
        into, gone = sorted((group[a], group[b]))
        if into == gone or gone in apart[into]:
            continue
        for record in held[gone]:
            group[record] = into
        held[into] += held.pop(gone)
        for other in apart.pop(gone, set()):
            apart[other].discard(gone)
            apart[other].add(into)
            apart[into].add(other)
    return group
