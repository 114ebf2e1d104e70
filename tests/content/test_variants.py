"""Who gets which variant: by region, industry, size and purchases, the first that holds; nothing chosen for whom it must not be (R79, C9, R106)."""

from typing import Any

import pytest

from tests.conditions.world import Facts, Order, Tables, ago, night
from tests.content.contents import content
from vesper.content_variant import PERSONALISATION, variant_of
from vesper.load import parse
from vesper.marts.lifecycle import LIFECYCLE
from vesper.model.content import Content
from vesper.model.source import Source
from vesper.night import Night
from vesper.tables.contact import CONSENT

VARIANTS: list[dict[str, Any]] = [
    {
        "id": "a_plus",
        "when": {"all": [{"bought": {"product_code": ["A"]}}, {"bought": {"product_code": ["A_PLUS"], "at_most": 0}}]},
        "blocks": {"zh_CN": {"offer": "A 升级版"}},
    },
    {
        "id": "shanghai_event",
        "when": {"attribute": {"field": "province", "in": ["上海", "江苏", "浙江"]}},
        "blocks": {"zh_CN": {"offer": "上海线下活动"}},
    },
    {
        "id": "cars",
        "when": {"company": {"field": "industry", "in": ["汽车制造业"]}},
        "blocks": {"zh_CN": {"offer": "汽车案例"}},
    },
    {
        "id": "large",
        "when": {"company": {"field": "employee_count", "at_least": 500}},
        "blocks": {"zh_CN": {"offer": "上门"}},
    },
]
BODY = "{% block offer %}通用{% endblock %}"
FACTS = Facts(
    contacts={
        "c_east": {"province": "江苏"},
        "c_owner": {"province": "广东"},
        "c_owner_east": {"province": "上海"},
        "c_both": {"province": "广东"},
        "c_cars": {"province": "广东", "company_id": "k_cars"},
        "c_large": {"province": "广东", "company_id": "k_large"},
        "c_nothing": {},
    },
    companies={
        "k_cars": {"industry": "汽车制造业", "employee_count": 800},
        "k_large": {"industry": "建材", "employee_count": 500},
    },
    orders=(
        Order("c_owner", ago(30), product_codes=("A",)),
        Order("c_owner_east", ago(30), product_codes=("A",)),
        Order("c_both", ago(30), product_codes=("A",)),
        Order("c_both", ago(3), product_codes=("A_PLUS",)),
    ),
)


def chosen(tables: Tables, said: Content, tonight: Night, refusing: tuple[str, ...] = ()) -> dict[str, str | None]:
    tables.put_facts(FACTS, tonight)
    tables.put(LIFECYCLE, [])
    consent = {"channel": "email", "purpose": PERSONALISATION, "is_granted": False, "source": "preference_page"}
    tables.put(CONSENT, [{"contact_id": id, **consent} for id in refusing])
    rows = tables.rows(variant_of(said, tonight))
    assert len(rows) == len(FACTS.contacts)
    return {row["contact_id"]: row["variant"] for row in rows}


@pytest.mark.requirement("R79")
def test_the_first_that_holds_is_theirs(tables: Tables) -> None:
    said = content(text=BODY, variants=VARIANTS)
    assert chosen(tables, said, night(said)) == {
        "c_east": "shanghai_event",
        "c_owner": "a_plus",
        "c_owner_east": "a_plus",
        "c_both": "default",
        "c_cars": "cars",
        "c_large": "large",
        "c_nothing": "default",
    }


@pytest.mark.requirement("R79")
def test_without_words_for_everybody_some_get_nothing(tables: Tables) -> None:
    whole = [
        {**one, "blocks": {}, "messages": {"zh_CN": {"subject": "a", "text": "{{ unsubscribe_url }}"}}}
        for one in VARIANTS
    ]
    said = content(variants=whole)
    found = chosen(tables, said, night(said), refusing=("c_east",))
    assert {id for id, variant in found.items() if variant is None} == {"c_both", "c_nothing", "c_east"}


@pytest.mark.requirement("R79", "R88")
def test_who_refuses_personalisation_gets_what_everybody_gets(tables: Tables) -> None:
    said = content(text=BODY, variants=VARIANTS)
    found = chosen(tables, said, night(said), refusing=("c_east", "c_owner"))
    assert (found["c_east"], found["c_owner"], found["c_owner_east"]) == ("default", "default", "a_plus")


@pytest.mark.requirement("R106")
def test_a_source_with_a_hole_chooses_nothing(tables: Tables) -> None:
    orders = parse("sources", "erp_order", ORDERS)
    assert isinstance(orders, Source)
    said = content(text=BODY, variants=VARIANTS)
    found = chosen(tables, said, night(said, orders, held=["erp_order"]))
    assert (found["c_owner"], found["c_owner_east"], found["c_cars"]) == ("default", "shanghai_event", "cars")


def test_a_content_without_variants_says_the_same_to_everybody(tables: Tables) -> None:
    said = content(text=BODY)
    assert set(chosen(tables, said, night(said)).values()) == {"default"}


ORDERS = """\
says: 订单
owner: data
system: csv
path: "erp_order/{on}.csv"
feeds: order_line
cadence: {every: day, due: "06:00"}
late: block
rows: {min: 1, max: 100}
key: [order_id, product_code]
fields:
  order_id: {column: a, type: text, required: true}
  product_code: {column: b, type: text, required: true}
  quantity: {column: c, type: integer}
  amount: {column: d, type: money}
  ordered_at: {column: e, type: instant}
"""
