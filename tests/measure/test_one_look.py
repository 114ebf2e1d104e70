"""Visibility out of one look at each contact for all markets: the same figures as market by market."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.measure.shop import AT, Shop, market, night
from vesper.marts import reads
from vesper.marts.visibility import visibility
from vesper.marts.visibility_gap import visibility_gap
from vesper.marts.visibility_source import visibility_source
from vesper.night import Night
from vesper.shared import Shared
from vesper.tables.campaign import EVENT
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, SOURCE_RECORD

FIGURES: tuple[Callable[[Night], Any], ...] = (visibility, visibility_gap, visibility_source)
VIEWED = {"events": {"kind": "page_viewed", "at_least": 1}}
MARKETS = (
    market("all_of_them", fields=("name", "phone", "email")),
    market("shanghai", fields=("email", "phone"), members={"attribute": {"field": "province", "in": ["上海"]}}),
    market("not_viewing", fields=("phone",), members={"not": VIEWED}),
    market("firms", counts="companies", fields=("name", "company.industry"), members={"any": [VIEWED, {"always": {}}]}),
)
MAYBE = st.sampled_from((None, "x"))
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": MAYBE,
            "phone": MAYBE,
            "email": MAYBE,
            "province": st.sampled_from((None, "上海", "江苏")),
            "company_id": st.sampled_from((None, "k1", "k2")),
        }
    ),
    max_size=8,
)


def filled(shop: Shop, people: list[dict[str, Any]], viewing: set[int], stand: set[int]) -> None:
    for number, person in enumerate(people):
        shop.contact(f"c{number}", **person)
        if number in viewing:
            event = {"event_id": f"e{number}", "contact_id": f"c{number}", "kind": "page_viewed", "on": AT.date()}
            shop.put(EVENT, {**event, "at": AT, "received_at": AT, "source": "web", "is_machine": False})
        if number in stand:
            shop.put(
                CONTACT_MEMBER,
                {"source": "crm", "record_key": f"r{number}", "contact_id": f"c{number}", "rule": "founder"},
            )
    statuses = {"phone_status": "missing", "email_status": "missing", "region_status": "none"}
    shop.put(
        SOURCE_RECORD, {**statuses, "source": "crm", "record_key": "r", "phone": "x", "received_at": AT, "trust": 50}
    )
    shop.put(COMPANY, {"company_id": "k1", "name": "k1", "company_key": "k1", "industry": "仪器仪表"})


def make(shop: Shop, shared: Shared, select: Any, made: set[str]) -> None:
    """Make the shared tables that a Select reads, as a stage does."""
    for name in sorted(reads(select)):
        behind = shared.made_by(name)
        if behind is not None and name not in made:
            make(shop, shared, behind, made)
            made.add(name)
            rows = behind.subquery("rows")
            table = sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in behind.selected_columns])
            table.drop(shop.engine, checkfirst=True)
            table.create(shop.engine)
            with shop.engine.begin() as connection:
                connection.execute(table.insert().from_select(table.c.keys(), sa.select(*rows.c)))


@pytest.mark.requirement("R18", "R21", "R117")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE, viewing=st.sets(st.integers(0, 7)), stand=st.sets(st.integers(0, 7)))
def test_one_look_for_all_markets_gives_the_figures_of_each_market_by_itself(
    shop: Shop, people: list[dict[str, Any]], viewing: set[int], stand: set[int]
) -> None:
    with shop.engine.begin() as connection:
        for table in (CONTACT, EVENT, CONTACT_MEMBER, SOURCE_RECORD, COMPANY):
            connection.execute(table.delete())
    filled(shop, people, viewing, stand)
    alone, shared = night(*MARKETS), Shared()
    selects = [figure(replace(alone, shared=shared)) for figure in FIGURES]
    shared.want(selects)
    made: set[str] = set()
    for figure, select in zip(FIGURES, selects, strict=True):
        make(shop, shared, select, made)
        assert sorted(shop.rows(select), key=repr) == sorted(shop.rows(figure(alone)), key=repr)
    assert "market_profiles" in made
