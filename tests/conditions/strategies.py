"""Random small companies and random conditions, drawn towards the edges of windows.

What belongs here: Hypothesis strategies. What does not: what must come of them.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.conditions.sales_facts import Lead, Outcome, Sales, Statement
from tests.conditions.world import Event, Facts, Order, ago

IDS = ("c1", "c2", "c3", "c4", "c5", "c6")
CATEGORIES = ("COFFEE", "TEA", "婴儿食品")
KINDS = ("coupon_redeemed", "app_signup")
PROVINCES = ("上海", "江苏")
STAGES = ("prospect", "loyal", "at_risk")
SEGMENTS = ("dormant", "vip")
COMPANIES = ("k1", "k2")
TIERS = ("gold", "plain")
BIRTHDAYS = (
    dt.date(2000, 2, 29), dt.date(1990, 2, 28), dt.date(1990, 3, 1), dt.date(1985, 1, 1), dt.date(1985, 12, 31), dt.date(1985, 1, 8),
    dt.date(2017, 1, 1), dt.date(2018, 1, 1), dt.date(2018, 1, 3), dt.date(1960, 1, 31),
)  # fmt: skip

EDGES = (0, 1, 6, 7, 8, 29, 30, 31, 89, 90, 91, 364, 365, 366, -1)
days_back = st.one_of(st.sampled_from(EDGES), st.integers(0, 40))
amounts = st.decimals(min_value=-5, max_value=60, places=2)
people_or_nobody = st.sampled_from((*IDS[:5], *IDS[:5], None))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    count = draw(st.integers(1, 2))
    lines = [(draw(amounts), draw(st.sampled_from((*CATEGORIES, None)))) for _ in range(count)]
    return Order(draw(people_or_nobody), ago(draw(days_back)), tuple(a for a, _ in lines), tuple(c for _, c in lines))


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event at one of few times of day, so that instants meet, and are exactly some days apart."""
    on = ago(draw(days_back))
    return Event(
        draw(people_or_nobody),
        draw(st.sampled_from(KINDS)),
        on,
        draw(st.sampled_from((False, False, False, True))),
        dt.datetime.combine(on, draw(st.sampled_from((dt.time(5), dt.time(5), dt.time(14, 30), dt.time(23))))),
        series_id=draw(st.sampled_from((None, "s1", "s1", "s2"))),
        message_id=draw(st.sampled_from((None, "m1", "m2"))),
        url=draw(st.sampled_from((None, "/price/100%", "/paper_a", "/PAPER"))),
        content_id=draw(st.sampled_from((None, "paper_a", "paper_b"))),
        product_code=draw(st.sampled_from((None, "p1"))),
        keyword=draw(st.sampled_from((None, "万用表 价格", "校准"))),
        duration_seconds=draw(st.sampled_from((None, 119, 120, 121))),
        amount=draw(st.sampled_from((None, Decimal("99.99"), Decimal(100)))),
    )


attributes = st.fixed_dictionaries(
    {
        "province": st.sampled_from((*PROVINCES, None)),
        "phone": st.sampled_from(("+8613912345678", None)),
        "company_id": st.sampled_from((*COMPANIES, "gone", None)),
        "job_title": st.sampled_from(("采购总监", "Purchasing Director", "director", "工程师", "50%_off", None)),
        "birth_on": st.one_of(st.none(), st.sampled_from(BIRTHDAYS)),
        "age_band": st.sampled_from(("25-34", "35-44岁", "65+", "Under 18", None)),
        "source_count": st.integers(1, 3),
    }
)
companies = st.fixed_dictionaries(
    {
        "industry": st.sampled_from(("仪器仪表", "Instruments", None)),
        "employee_count": st.sampled_from((0, 499, 500, 501, None)),
    }
)

DIMENSIONS = ("budget", "authority")
OUTCOMES = ("recycle", "won", "lost")
REASONS = ("no_budget", "competitor")
statements = st.builds(
    Statement,
    people_or_nobody,
    st.sampled_from(DIMENSIONS),
    st.sampled_from(("clear", "unclear")),
    st.builds(dt.datetime.combine, days_back.map(ago), st.sampled_from((dt.time(1), dt.time(23)))),
    st.sampled_from(("crm_bant", "hotline_bant")),
)
outcomes = st.builds(
    Outcome, people_or_nobody, st.sampled_from(OUTCOMES), days_back.map(ago), st.sampled_from((*REASONS, None))
)
leads = st.builds(
    lambda status, opened, count, reason: Lead(
        status, opened, None if status == "open" else dt.datetime(2017, 12, 1), count, reason
    ),
    st.sampled_from(("open", "to_sales", "invalid", "recycled")),
    st.just(dt.datetime(2017, 11, 1)),
    st.integers(0, 2),
    st.sampled_from((*REASONS, None)),
)


def subsets(ids: tuple[str, ...], names: tuple[str, ...]) -> st.SearchStrategy[dict[str, frozenset[str]]]:
    """Some of the ids for each name."""
    return st.fixed_dictionaries({name: st.frozensets(st.sampled_from(ids)) for name in names})


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Six contacts at most, the last of whom never ordered; every condition finds something to read."""
    ids = IDS[: draw(st.integers(1, 6))]
    known = set(ids) | {None}
    return Facts(
        contacts={id: draw(attributes) for id in ids},
        orders=tuple(order for order in draw(st.lists(orders(), max_size=14)) if order.contact_id in known),
        events=tuple(event for event in draw(st.lists(events(), max_size=8)) if event.contact_id in known),
        scores={id: draw(st.sampled_from((60, 79, 80, 100))) for id in ids},
        stages={id: draw(st.sampled_from(STAGES)) for id in ids},
        segments={name: frozenset(id for id in ids if draw(st.booleans())) for name in SEGMENTS},
        companies={id: draw(companies) for id in COMPANIES},
        tags=draw(subsets(ids, ("coffee",))),
        personas=draw(subsets(ids, ("parent",))),
        sales=Sales(
            tuple(said for said in draw(st.lists(statements, max_size=8, unique=True)) if said.contact_id in known),
            tuple(said for said in draw(st.lists(outcomes, max_size=6)) if said.contact_id in known),
        ),
        mqls=draw(st.frozensets(st.sampled_from(ids))),
        leads=draw(st.dictionaries(st.sampled_from(ids), leads)),
        tiers={"value": {id: draw(st.sampled_from(TIERS)) for id in ids}},
    )


windows = st.sampled_from((None, "1d", "7d", "30d", "90d", "365d", "1 month", "6 months"))
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


def letters(field: str, parts: tuple[str | list[str], ...]) -> st.SearchStrategy[dict[str, Any]]:
    """A text that contains some letters, or begins with them."""
    asked = st.tuples(st.sampled_from(("contains", "starts_with")), st.sampled_from(parts))
    return asked.map(lambda found: {"field": field, found[0]: found[1]})


def dates(field: str, days: tuple[dt.date, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """A date before or after a day."""
    asked = st.tuples(st.sampled_from(("before", "after")), st.sampled_from(days))
    return asked.map(lambda found: {"field": field, found[0]: found[1]})


counted = merged(st.one_of(st.just({}), bounds((0, 1, 2, 3))), written(within=windows))
sums = (Decimal(0), Decimal("0.01"), Decimal(10), Decimal(100), Decimal("99.99"))
tests_of_texts = st.one_of(
    written(contains=st.sampled_from(("a", "%", "_", ["价格", "校"], "PAPER"))),
    written(starts_with=st.sampled_from(("/p", ["/P", "万用表"]))),
    written(**{"in": st.sampled_from(("校准", ["/PAPER", "/paper_a"]))}),
)
kinds = st.one_of(st.sampled_from(KINDS), st.just(list(KINDS)))
event_filters = st.one_of(
    written(kind=kinds),
    written(kind=kinds),
    written(kind=kinds, series=st.sampled_from((None, "s1", ["s1", "s2"])), product_code=st.sampled_from((None, "p1"))),
    written(kind=kinds, url=tests_of_texts, content_id=st.sampled_from((None, ["paper_a", "paper_b"]))),
    written(kind=kinds, keyword=tests_of_texts, duration_at_least=st.sampled_from((None, "2m", "119s"))),
    written(kind=kinds, amount_at_least=st.sampled_from((0, 99.99, 100))),
)
lines = written(
    category=st.one_of(st.none(), categories), product_code=st.sampled_from((None, None, ["p1"], ["p2", "p9"]))
)


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    """Two or three steps, the last of which may be an absence."""
    waits = st.sampled_from((None, "9h", "1d", "7d", "30d"))
    steps = [draw(st.one_of(written(event=event_filters), written(order=lines)))]
    present = st.one_of(written(event=event_filters, within=waits), written(order=lines, within=waits))
    steps += draw(st.lists(present, max_size=1))
    missing = waits.filter(bool)
    absent = st.one_of(written(no_event=event_filters, within=missing), written(no_order=lines, within=missing))
    return {"steps": [*steps, draw(st.one_of(present, absent))], **draw(written(within=windows))}


days_ago = bounds((0, 1, 30, 89, 90, 91)).map(lambda found: {f"{key}_days_ago": value for key, value in found.items()})

LEAVES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "orders": counted,
    "spent": merged(bounds(sums), written(within=windows)),
    "bought": merged(counted, lines.filter(bool)),
    "events": merged(
        counted, event_filters, written(count=st.sampled_from((None, None, "messages", "days", "contents")))
    ),
    "last_event": merged(event_filters, days_ago),
    "unanswered": written(
        sent=event_filters, answer=event_filters, within=windows.filter(bool), at_least=st.sampled_from((None, 1, 2))
    ),
    "response": merged(
        st.one_of(st.just({}), bounds((0, 1, 2))),
        written(
            to=event_filters,
            of=event_filters,
            within=st.sampled_from(("1d", "7d", "9h", "30d")),
            same=st.sampled_from((None, "any", "series")),
            to_within=windows,
            settles=st.sampled_from((None, "window_closes", "daily")),
        ),
    ),
    "sequence": sequences(),
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
        letters("job_title", ("采购", "direct", ["Dir", "工"], "%", "师")),
        dates("birth_on", BIRTHDAYS),
        merged(written(field=st.just("source_count")), bounds((1, 2, 3))),
    ),
    "company": st.one_of(
        merged(written(field=st.just("employee_count")), bounds((0, 499, 500, 501))),
        written(field=st.sampled_from(("industry", "role")), **{"is": st.sampled_from(("known", "missing"))}),
        letters("industry", ("仪", "Instr")),
    ),
    "anniversary": written(
        field=st.sampled_from(("birth_on", "first_seen_on")),
        within=st.sampled_from((None, "0d", "1d", "7d", "58d", "400d")),
    ),
    "age": bounds((0, 1, 17, 18, 25, 27, 32, 33, 34, 44, 64, 65)),
    "activity": written(
        level=st.lists(st.sampled_from(("high", "medium", "low")), min_size=1, max_size=2, unique=True)
    ),
    "tag": written(id=st.sampled_from(("coffee", "none"))),
    "persona": written(id=st.sampled_from(("parent", "none"))),
    "tier": written(of=st.just("value"), **{"in": st.lists(st.sampled_from(TIERS), min_size=1, unique=True)}),
    "stage": written(**{"in": st.lists(st.sampled_from(STAGES), min_size=1, max_size=2, unique=True)}),
    "segment": written(id=st.sampled_from((*SEGMENTS, "empty"))),
    "score": bounds((60, 79, 80, 100)),
    "mql": st.just({}),
    "bant": st.one_of(
        written(dimension=st.sampled_from(DIMENSIONS), **{"in": st.sampled_from((["clear"], ["clear", "unclear"]))}),
        written(dimension=st.sampled_from(DIMENSIONS), **{"is": st.sampled_from(("known", "missing"))}),
    ),
    "outcome": merged(
        counted,
        written(
            **{"in": st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=2, unique=True)},
            reason=st.sampled_from((None, ["no_budget"])),
        ),
    ),
    "lead": st.one_of(
        written(
            status=st.sampled_from((["open"], ["recycled", "invalid"])), reason=st.sampled_from((None, ["no_budget"]))
        ),
        written(recycled_at_least=st.integers(1, 2)),
    ),
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
