"""Clusters of linked records: components, contradictions, vetoes, sizes; never the order in which anything is said."""

import random
from collections.abc import Sequence
from itertools import combinations, pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vesper.identity.clusters import ClusterRules, average_linked
from warehouse.clusters import components, partition

RULES = ClusterRules(keep=0, join=0, missing=0, conflict=8_000, suspect_above=8, soft_cap=25, hard_cap=100)
STRICT = ClusterRules(keep=0, join=-1_000, missing=-2_000, conflict=3_000, suspect_above=2, soft_cap=4, hard_cap=6)
MUST = frozenset({"card", "steward"})
Link = tuple[str, str, str, int]
Pairs = Sequence[tuple[str, str]]


def pairs(found: Pairs) -> pa.Table:
    columns = list(zip(*found, strict=True)) or [(), ()]
    return pa.table({"record_a": pa.array(columns[0], pa.string()), "record_b": pa.array(columns[1], pa.string())})


def table(links: list[Link]) -> pa.Table:
    schema = pa.schema(
        [("record_a", pa.string()), ("record_b", pa.string()), ("rule", pa.string()), ("weight", pa.int32())]
    )
    return pa.Table.from_pylist([dict(zip(schema.names, link, strict=True)) for link in links], schema)


def clusters(
    records: str | list[str], links: list[Link], cannot: Pairs = (), unlike: Pairs = (), rules: ClusterRules = RULES
) -> dict[str, str]:  # fmt: skip
    """Label by record."""
    found = partition(pa.array(list(records)), table(links), MUST, pairs(cannot), pairs(unlike), rules)
    return dict(zip(found["record"].to_pylist(), found["label"].to_pylist(), strict=True))


def reviewed(records: str | list[str], links: list[Link], unlike: Pairs = (), rules: ClusterRules = RULES) -> set[str]:
    found = partition(pa.array(list(records)), table(links), MUST, pairs(()), pairs(unlike), rules).to_pylist()
    return {row["label"] for row in found if row["is_review"]}


def groups(label: dict[str, str]) -> set[str]:
    """Clusters as words: `abc` are three records of one."""
    held: dict[str, list[str]] = {}
    for record, name in label.items():
        held.setdefault(name, []).append(record)
    assert all(name == min(records) for name, records in held.items())
    return {"".join(sorted(records)) for records in held.values()}


@pytest.mark.requirement("R6")
def test_linked_records_are_one_and_a_weak_link_links_nothing() -> None:
    assert groups(clusters("abcde", [("b", "a", "phone", 5_000), ("b", "c", "email", 0), ("c", "d", "phone", -1)])) == {
        "abc",
        "d",
        "e",
    }


def test_no_record_and_no_link_are_fine() -> None:
    assert clusters([], []) == {}
    assert groups(clusters("ab", [])) == {"a", "b"}
    assert groups(clusters("ab", [("a", "x", "card", 9), ("a", "a", "card", 9)])) == {"a", "b"}


@pytest.mark.requirement("R6")
def test_a_veto_separates_what_evidence_and_even_a_card_ties() -> None:
    chain: list[Link] = [("a", "b", "phone", 9_000), ("b", "c", "phone", 7_000)]
    assert groups(clusters("abc", chain, cannot=[("a", "c")])) == {"ab", "c"}
    cards: list[Link] = [("a", "b", "card", 40_000), ("a", "c", "card", 40_000), ("a", "d", "steward", 100_000)]
    assert groups(clusters("abcd", cards, cannot=[("c", "d")])) == {"abd", "c"}


@pytest.mark.requirement("R6")
def test_contradicting_facts_cost_what_the_rules_say() -> None:
    weak: list[Link] = [("a", "b", "linkage", 5_000), ("b", "c", "linkage", 9_000)]
    assert groups(clusters("abc", weak, unlike=[("a", "b"), ("a", "c")])) == {"a", "bc"}
    strong: list[Link] = [("a", "b", "linkage", 20_000), ("b", "c", "linkage", 9_000)]
    assert groups(clusters("abc", strong, unlike=[("a", "b")])) == {"abc"}
    assert reviewed("abc", strong, unlike=[("a", "b")]) == {"a"}, "a cluster that contradicts itself is for review"


@pytest.mark.requirement("R6")
def test_a_typo_in_one_row_of_a_card_contradicts_nobody() -> None:
    cards: list[Link] = [("a", record, "card", 40_000) for record in "bcd"]
    found = clusters("abcde", [*cards, ("d", "e", "phone", 5_000)], unlike=[("b", "e")])
    assert groups(found) == {"abcde"}
    assert groups(clusters("abcde", [*cards, ("d", "e", "phone", 5_000)], unlike=[("b", "e"), ("a", "e")])) == {
        "abcd",
        "e",
    }


@pytest.mark.requirement("R6")
def test_two_groups_that_one_chance_link_ties_stay_apart_where_silence_is_evidence() -> None:
    inside: list[Link] = [(a, b, "linkage", 6_000) for group in ("abc", "def") for a, b in combinations(group, 2)]
    links: list[Link] = [*inside, ("c", "d", "linkage", 1_000)]
    assert groups(clusters("abcdef", links)) == {"abcdef"}
    assert groups(clusters("abcdef", links, rules=STRICT)) == {"abc", "def"}


@pytest.mark.requirement("R6")
def test_evidence_never_joins_more_than_the_hard_cap_and_an_own_card_may() -> None:
    records = [f"r{number:03d}" for number in range(120)]
    chain: list[Link] = [(a, b, "phone", 9_000) for a, b in pairwise(records)]
    label = clusters(records, chain)
    assert max(len([r for r in records if label[r] == name]) for name in set(label.values())) <= RULES.hard_cap
    assert reviewed(records, chain) == set(label.values())
    cards: list[Link] = [(records[0], record, "card", 40_000) for record in records[1:]]
    assert set(clusters(records, cards).values()) == {"r000"}
    assert reviewed(records, cards) == set()
    assert reviewed(records[:30], chain[:29]) == {"r000"}


def test_components_name_their_smallest_record_and_leave_out_who_stands_alone() -> None:
    links = table([("c", "b", "phone", 1), ("d", "e", "phone", 1)])
    assert components(pa.array(list("fabcde")), links).to_pylist() == [
        {"record": "b", "component": "b"}, {"record": "c", "component": "b"},
        {"record": "d", "component": "d"}, {"record": "e", "component": "d"},
    ]  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Link], Pairs, Pairs]:
    """Links, vetoes and contradictions among nine records, in three worlds of which none ties to another."""
    inside = [(a, b) for world in ("abc", "defg", "hij") for a, b in combinations(world, 2)]
    links = [
        (a, b, draw(st.sampled_from(("card", "phone", "linkage", "linkage"))), draw(st.integers(-4, 8)) * 1_000)
        for a, b in draw(st.lists(st.sampled_from(inside), max_size=14))
    ]
    some = st.lists(st.sampled_from(inside), max_size=3, unique=True)
    return links, draw(some), draw(some)


@settings(max_examples=150)
@given(worlds(), st.sampled_from((RULES, STRICT)), st.randoms(use_true_random=False))
@pytest.mark.requirement("R6")
def test_order_changes_nothing_and_worlds_do_not_see_each_other(
    world: tuple[list[Link], Pairs, Pairs], rules: ClusterRules, shuffle: random.Random
) -> None:
    links, cannot, unlike = world
    whole = clusters("abcdefghij", links, cannot, unlike, rules)
    mixed = [(b, a, rule, weight) if shuffle.random() < 0.5 else (a, b, rule, weight) for a, b, rule, weight in links]
    shuffle.shuffle(mixed)
    assert clusters("jihgfedcba", mixed, cannot[::-1], [(b, a) for a, b in unlike], rules) == whole
    alone = {}
    for records in ("abc", "defg", "hij"):
        alone |= clusters(records, links, cannot, unlike, rules)
    assert alone == whole
    assert all(whole[a] != whole[b] for a, b in cannot)
    _no_veto_and_nothing_suspect_means_components(links, whole, cannot, unlike, rules)


def _no_veto_and_nothing_suspect_means_components(
    links: list[Link], label: dict[str, str], cannot: Pairs, unlike: Pairs, rules: ClusterRules
) -> None:
    if cannot or unlike or rules is STRICT:
        return
    kept = table([link for link in links if link[2] in MUST or link[3] >= rules.keep])
    found = components(pa.array(sorted(label)), kept).to_pylist()
    assert label == {record: record for record in label} | {row["record"]: row["component"] for row in found}


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_a_large_component_is_one_cluster_exactly_where_joining_pair_by_pair_makes_it_one(seed: int) -> None:
    """The short way for components without a weak link gives what the careful way gives."""
    draw = random.Random(seed)
    names = "abcdefghijklmn"[: draw.randint(3, 14)]
    lightest = draw.choice((-3_000, 0, 0))
    links = [(a, b, "linkage", draw.randint(lightest, 9_000)) for a, b in pairwise(names)]
    links += [
        (a, b, "linkage", draw.randint(lightest, 9_000)) for a, b in combinations(names, 2) if draw.random() < 0.3
    ]
    rules = ClusterRules(
        0, draw.choice((-1_000, 0, 0, 500)), draw.choice((0, 0, -500)), 8_000, 2, 25, draw.choice((6, 100))
    )
    best: dict[tuple[int, int], int] = {}
    for a, b, _, weight in links:
        pair = (names.index(a), names.index(b))
        best[pair] = max(weight, best.get(pair, weight))
    found = clusters(names, links, rules=rules)
    for component in groups(clusters(names, links, rules=ClusterRules(0, -(10**6), 0, 0, 99, 99, 99))):
        nodes = [names.index(one) for one in component]
        inside = {pair: weight for pair, weight in best.items() if set(pair) <= set(nodes)}
        careful = (
            average_linked(nodes, inside, [], [], rules)[0] if len(nodes) > 2 else dict.fromkeys(nodes, min(nodes))
        )
        assert {node: names.index(found[names[node]]) for node in nodes} == careful
