"""Random small companies and random conditions, drawn towards the edges of windows.

What belongs here: Hypothesis strategies. What does not: what must come of them.
"""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.conditions.world import Event, Facts, Order, ago

IDS = ("c1", "c2", "c3", "c4", "c5", "c6")
CATEGORIES = ("COFFEE", "TEA", "婴儿食品")
KINDS = ("coupon_redeemed", "app_signup")
PROVINCES = ("上海", "江苏")
STAGES = ("prospect", "loyal", "at_risk")
SEGMENTS = ("dormant", "vip")

EDGES = (0, 1, 6, 7, 8, 29, 30, 31, 89, 90, 91, 364, 365, 366, -1)
days_back = st.one_of(st.sampled_from(EDGES), st.integers(0, 40))
amounts = st.decimals(min_value=-5, max_value=60, places=2)
people_or_nobody = st.sampled_from((*IDS[:5], *IDS[:5], None))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    count = draw(st.integers(1, 2))
    lines = [(draw(amounts), draw(st.sampled_from((*CATEGORIES, None)))) for _ in range(count)]
    return Order(draw(people_or_nobody), ago(draw(days_back)), tuple(a for a, _ in lines), tuple(c for _, c in lines))


events = st.builds(
    Event, people_or_nobody, st.sampled_from(KINDS), days_back.map(ago), st.sampled_from((False, False, False, True))
)
attributes = st.fixed_dictionaries(
    {"province": st.sampled_from((*PROVINCES, None)), "phone": st.sampled_from(("+8613912345678", None))}
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Six contacts at most, the last of whom never ordered; every condition finds something to read."""
    ids = IDS[: draw(st.integers(1, 6))]
    known = set(ids) | {None}
    return Facts(
        contacts={id: draw(attributes) for id in ids},
        orders=tuple(order for order in draw(st.lists(orders(), max_size=14)) if order.contact_id in known),
        events=tuple(event for event in draw(st.lists(events, max_size=8)) if event.contact_id in known),
        scores={id: draw(st.sampled_from((60, 79, 80, 100))) for id in ids},
        stages={id: draw(st.sampled_from(STAGES)) for id in ids},
        segments={name: frozenset(id for id in ids if draw(st.booleans())) for name in SEGMENTS},
    )


windows = st.sampled_from((None, "1d", "7d", "30d", "90d", "365d"))
categories = st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2, unique=True)
fifths = st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True)


def written(**settings: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping as a marketer would write it: settings that were not drawn are left out."""
    return st.fixed_dictionaries(settings).map(
        lambda found: {key: value for key, value in found.items() if value is not None}
    )


def bounds(values: tuple[Any, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """at_least, at_most or both, in order."""
    one = st.sampled_from(values)
    both = st.lists(one, min_size=2, max_size=2).map(sorted).map(lambda two: {"at_least": two[0], "at_most": two[1]})
    return st.one_of(one.map(lambda least: {"at_least": least}), one.map(lambda most: {"at_most": most}), both)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


counted = merged(st.one_of(st.just({}), bounds((0, 1, 2, 3))), written(within=windows))
sums = (Decimal(0), Decimal("0.01"), Decimal(10), Decimal(100), Decimal("99.99"))
days_ago = bounds((0, 1, 30, 89, 90, 91)).map(lambda found: {f"{key}_days_ago": value for key, value in found.items()})

LEAVES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "orders": counted,
    "spent": merged(bounds(sums), written(within=windows)),
    "bought": merged(counted, written(category=categories)),
    "events": merged(counted, written(kind=st.sampled_from(KINDS))),
    "last_order": days_ago,
    "rfm": st.one_of(
        written(recency=fifths),
        written(frequency=fifths, money=fifths),
        written(recency=fifths, frequency=fifths, money=fifths),
    ),
    "replenishment_due": written(category=categories, within=st.sampled_from(("1d", "3d", "30d"))),
    "attribute": st.one_of(
        written(field=st.just("province"), **{"in": st.sampled_from((["上海"], ["上海", "江苏"], ["北京"]))}),
        written(field=st.sampled_from(("province", "phone")), **{"is": st.sampled_from(("known", "missing"))}),
    ),
    "stage": written(**{"in": st.lists(st.sampled_from(STAGES), min_size=1, max_size=2, unique=True)}),
    "segment": written(id=st.sampled_from((*SEGMENTS, "empty"))),
    "score": bounds((60, 79, 80, 100)),
    "always": st.just({}),
}

leaves = st.sampled_from(sorted(LEAVES)).flatmap(lambda word: LEAVES[word].map(lambda body: {word: body}))


def joined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    )


conditions = st.recursive(leaves, joined, max_leaves=5)
