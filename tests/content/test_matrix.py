"""The matrix: for every stage with every set of tags exactly one content with channels and rule, or a gap with a name (R78, R80)."""

import datetime as dt
from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.conditions.world import TONIGHT, Event, Facts, Tables, night
from tests.content.contents import content
from vesper.content_variant import PERSONALISATION
from vesper.marts.lifecycle import LIFECYCLE
from vesper.matrix import choice
from vesper.model.content import Content
from vesper.model.matrix import Matrix
from vesper.tables.contact import CONSENT

STAGES = ("prospect", "mql", "customer")
TAGS = ("active", "power", "three_orders")
SUBSETS = tuple(frozenset(tags) for tags in chain.from_iterable(combinations(TAGS, n) for n in range(len(TAGS) + 1)))
CELLS = tuple(product(STAGES, SUBSETS))


def matrix(*rows: dict[str, Any], **fields: Any) -> Matrix:
    written = [{"id": f"r{place}", **row} for place, row in enumerate(rows)]
    base = {"id": "main", "says": "矩阵", "owner": "marketing", "channels": ["email", "webhook"], "rows": written}
    return Matrix.model_validate(base | fields)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    asked = {tag: draw(st.sampled_from(["bears", "lacks", "either"])) for tag in TAGS}
    stages = draw(st.lists(st.sampled_from(STAGES), min_size=1, max_size=3, unique=True))
    said = draw(st.sampled_from([{"content": "case"}, {"content": "guide", "rule": "default"}, {"gap": "还没有"}]))
    lists = {key: [tag for tag, word in asked.items() if word == key] for key in ("bears", "lacks")}
    return {"stages": stages, **lists, **said}


def contents() -> tuple[Content, Content]:
    variants = [
        {
            "id": "east",
            "when": {"attribute": {"field": "province", "in": ["上海"]}},
            "blocks": {"zh_CN": {"offer": "上海"}},
        }
    ]
    case = content(text="{% block offer %}通用{% endblock %}", variants=variants)
    return case.model_copy(update={"id": "case"}), case.model_copy(update={"id": "guide"})


def choices(tables: Tables, one: Matrix, facts: Facts, refusing: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    tonight = night(one, *contents())
    tables.put_facts(facts, tonight)
    tables.put(LIFECYCLE, [{"contact_id": id, "stage": stage} for id, stage in facts.stages.items()])
    consent = {"channel": "email", "purpose": PERSONALISATION, "is_granted": False, "source": "preference_page"}
    tables.put(CONSENT, [{"contact_id": id, **consent} for id in refusing])
    found = tables.rows(choice(one, tonight))
    assert len(found) == len(facts.contacts)
    return {row["contact_id"]: row for row in found}


def everybody() -> Facts:
    """One contact for each stage and set of tags."""
    ids = {cell: f"c{place}" for place, cell in enumerate(CELLS)}
    tags = {tag: frozenset(id for (_stage, borne), id in ids.items() if tag in borne) for tag in TAGS}
    stages = {id: stage for (stage, _borne), id in ids.items()}
    return Facts(contacts={id: {} for id in ids.values()}, tags=tags, stages=stages)


EVERYBODY = everybody()


@pytest.mark.requirement("R78")
@given(written=st.lists(rows(), min_size=1, max_size=5))
def test_rows_overlap_exactly_where_somebody_meets_both(written: list[dict[str, Any]]) -> None:
    for one, other in combinations(matrix(*written).rows, 2):
        assert one.overlaps(other) == any(one.meets(*cell) and other.meets(*cell) for cell in CELLS)


@pytest.mark.requirement("R78")
@given(written=st.lists(rows(), min_size=1, max_size=6))
def test_the_gaps_are_exactly_what_no_row_is_for(written: list[dict[str, Any]]) -> None:
    one = matrix(*written)
    for stage in STAGES:
        gaps = list(one.gaps(stage))
        for borne in SUBSETS:
            inside = [gap for gap in gaps if borne.issuperset(gap[0]) and borne.isdisjoint(gap[1])]
            assert len(inside) == (0 if one.row_for(stage, borne) else 1)


@pytest.mark.requirement("R78")
@given(written=st.lists(rows(), min_size=1, max_size=5))
def test_every_stage_and_tags_have_one_content_or_a_gap_with_a_name(
    tables: Tables, written: list[dict[str, Any]]
) -> None:
    one = matrix(*written)
    assume(not any(a.overlaps(b) for a, b in combinations(one.rows, 2)))
    found = choices(tables, one, EVERYBODY)
    for place, (stage, borne) in enumerate(CELLS):
        got, row = found[f"c{place}"], one.row_for(stage, borne)
        if row is not None and row.content:
            assert (got["content_id"], got["rule"], got["gap"]) == (row.content, row.rule, None)
            assert (got["channels"], got["channel"], got["variant"]) == ("email,webhook", "email", "default")
        else:
            name = row.id if row is not None else "+".join([stage, *sorted(borne & set(one.tags))])
            assert got["gap"] == name
            assert {got[key] for key in ("content_id", "channels", "channel", "rule", "variant")} == {None}


@pytest.mark.requirement("R78")
def test_who_stands_in_no_stage_is_a_gap(tables: Tables) -> None:
    got = choices(tables, matrix({"stages": ["mql"], "content": "case"}), Facts(contacts={"c1": {}}))
    assert got["c1"]["gap"] == "no_stage"


def preferring(*said: tuple[str, int, bool]) -> Iterator[Event]:
    for kind, days, is_machine in said:
        moment = dt.datetime.combine(TONIGHT, dt.time(3)) - dt.timedelta(days=days)
        yield Event("c1", kind, moment.date(), moment=moment, is_machine=is_machine)


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("said", "channels", "becomes"),
    [
        ([], (), "email,webhook"),
        ([("prefers_webhook", 1, False)], (), "webhook,email"),
        ([("prefers_webhook", 9, False), ("prefers_email", 1, False)], (), "email,webhook"),
        ([("prefers_email", 9, False), ("prefers_webhook", 1, False)], (), "webhook,email"),
        ([("prefers_webhook", 1, True)], (), "email,webhook"),
        ([("prefers_webhook", 1, False)], ("email",), "email"),
        ([("prefers_pigeon", 1, False)], (), "email,webhook"),
        ([("page_viewed", 1, False)], ("webhook", "email"), "webhook,email"),
        ([("prefers_email", 1, False)], ("webhook", "email"), "email,webhook"),
    ],
)
def test_the_preferred_channel_goes_first_then_the_matrix(
    tables: Tables, said: list[tuple[str, int, bool]], channels: tuple[str, ...], becomes: str
) -> None:
    one = matrix({"stages": ["mql"], "content": "case", "channels": list(channels)})
    facts = Facts(contacts={"c1": {}}, stages={"c1": "mql"}, events=tuple(preferring(*said)))
    got = choices(tables, one, facts)["c1"]
    assert (got["channels"], got["channel"]) == (becomes, becomes.split(",")[0])


@pytest.mark.requirement("R78", "R79")
@pytest.mark.parametrize(
    ("rule", "refuses", "variant"),
    [
        ("variants", False, "east"),
        ("variants", True, "default"),
        ("default", False, "default"),
        ("east", False, "east"),
        ("east", True, "default"),
    ],
)
def test_the_dynamic_rule_gives_the_variant(tables: Tables, rule: str, refuses: bool, variant: str) -> None:
    one = matrix({"stages": ["mql"], "content": "case", "rule": rule})
    facts = Facts(contacts={"c1": {"province": "上海"}}, stages={"c1": "mql"})
    got = choices(tables, one, facts, refusing=("c1",) if refuses else ())["c1"]
    assert (got["rule"], got["variant"]) == (rule, variant)
