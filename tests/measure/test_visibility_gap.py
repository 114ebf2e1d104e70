"""The gap map: have and missing add up to the known contacts, whatever is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.measure.shop import Shop, market, night
from vesper.marts.visibility import visibility
from vesper.marts.visibility_gap import visibility_gap
from vesper.tables.contact import CONTACT

FIELDS = ("name", "phone", "email")


@pytest.mark.requirement("R21")
def test_each_field_has_its_own_row(shop: Shop) -> None:
    shop.contact("c1", name="王小明", phone="+8613912340001")
    shop.contact("c2", name="李雷")
    rows = shop.rows(visibility_gap(night(market(fields=FIELDS))))
    figures = {row.field: (row.have_count, row.missing_count, row.have_ratio) for row in rows}
    assert figures == {"name": (2, 0, 1.0), "phone": (1, 1, 0.5), "email": (0, 2, 0.0)}


@pytest.mark.requirement("R21")
def test_nobody_known_is_no_share(shop: Shop) -> None:
    assert {row.have_ratio for row in shop.rows(visibility_gap(night(market())))} == {None}


@pytest.mark.requirement("R21")
@given(profiles=st.lists(st.tuples(*[st.sampled_from(["x", None])] * len(FIELDS)), max_size=12))
def test_have_and_missing_are_the_known_contacts(lasting: Shop, profiles: list[tuple[str | None, ...]]) -> None:
    shop = lasting
    with shop.engine.begin() as connection:
        connection.execute(CONTACT.delete())
    for number, profile in enumerate(profiles):
        shop.contact(f"c{number:03d}", **dict(zip(FIELDS, profile, strict=True)))
    both = night(market("narrow", fields=FIELDS), market("wide", fields=("name",)))
    known = {row.market_id: row for row in shop.rows(visibility(both))}
    for row in shop.rows(visibility_gap(both)):
        assert row.have_count + row.missing_count == known[row.market_id].known_count == len(profiles)
        assert known[row.market_id].complete_count <= row.have_count
