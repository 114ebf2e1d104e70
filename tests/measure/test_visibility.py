"""Visibility of a market: what counts as complete, what the ratio is over, the band, the history."""

import datetime as dt

import pytest

from tests.measure.shop import TONIGHT, Shop, market, night, orders_source
from vesper.marts.visibility import VISIBILITY, visibility


def known(shop: Shop, complete: int, incomplete: int = 0) -> None:
    for number in range(complete + incomplete):
        phone = f"+8613912340{number:03d}" if number < complete else None
        shop.contact(f"c{number:03d}", name="王小明", phone=phone)


@pytest.mark.requirement("R18")
def test_visibility_is_complete_contacts_over_market_size_with_its_source_and_date(shop: Shop) -> None:
    known(shop, complete=4, incomplete=3)
    [row] = shop.rows(visibility(night(market())))
    assert (row.complete_count, row.known_count, row.market_size) == (4, 7, 10)
    assert row.visibility_ratio == 0.4
    assert (row.size_source, row.size_as_of_on) == ("2017 census", dt.date(2017, 6, 30))


@pytest.mark.requirement("R19")
@pytest.mark.parametrize(
    ("complete", "size", "band"),
    [
        (7, 10, "below"),
        (8, 10, "in_band"),
        (9, 10, "in_band"),
        (10, 10, "above"),
        (11, 10, "above"),
        (79, 99, "below"),
        (80, 99, "in_band"),
    ],
)
def test_the_band_is_80_to_90_with_both_edges_inside(shop: Shop, complete: int, size: int, band: str) -> None:
    known(shop, complete)
    [row] = shop.rows(visibility(night(market(size=size))))
    assert row.band == band


@pytest.mark.requirement("R19")
def test_more_known_than_estimated_is_flagged_and_not_clipped(shop: Shop) -> None:
    known(shop, complete=12)
    [row] = shop.rows(visibility(night(market())))
    assert (row.visibility_ratio, row.band) == (1.2, "above")


@pytest.mark.requirement("R20")
def test_another_list_of_fields_gives_another_figure_under_another_hash(shop: Shop) -> None:
    known(shop, complete=4, incomplete=3)
    wide, narrow = night(market("wide", fields=("name",))), night(market("narrow", fields=("name", "phone", "email")))
    [of_wide], [of_narrow] = shop.rows(visibility(wide)), shop.rows(visibility(narrow))
    assert (of_wide.complete_count, of_narrow.complete_count) == (7, 0)
    assert of_wide.definition_hash != of_narrow.definition_hash


@pytest.mark.requirement("R20")
def test_members_are_those_of_the_markets_condition(shop: Shop) -> None:
    shop.contact("c1", name="王小明", phone="+8613912340001", province="上海")
    shop.contact("c2", name="李雷", phone="+8613912340002", province="江苏")
    in_shanghai = market(members={"attribute": {"field": "province", "in": ["上海"]}})
    [row] = shop.rows(visibility(night(in_shanghai)))
    assert (row.complete_count, row.known_count) == (1, 1)


@pytest.mark.requirement("R22")
def test_the_target_and_its_day_stand_beside_the_figure(shop: Shop) -> None:
    [row] = shop.rows(visibility(night(market())))
    assert (row.target_ratio, row.target_due_on) == (0.85, dt.date(2018, 6, 30))


def test_a_night_gives_its_own_rows_and_the_table_keeps_those_of_other_nights(shop: Shop) -> None:
    known(shop, complete=4)
    yesterday = TONIGHT - dt.timedelta(days=1)
    shop.fill(shop.before[VISIBILITY.name], visibility(night(market(), on=yesterday)))
    assert [row.business_on for row in shop.rows(visibility(night(market())))] == [TONIGHT]
    assert VISIBILITY.info["cut"] == "business_on"


@pytest.mark.requirement("R106")
def test_a_market_that_reads_a_source_with_a_hole_keeps_the_figures_it_had(shop: Shop) -> None:
    buyers = market("buyers", members={"orders": {"at_least": 1}})
    shop.contact("c1", name="王小明", phone="+8613912340001")
    shop.bought("c1", dt.date(2017, 6, 1))
    yesterday = TONIGHT - dt.timedelta(days=1)
    shop.fill(shop.before[VISIBILITY.name], visibility(night(buyers, on=yesterday)))
    shop.contact("c2", name="李雷", phone="+8613912340002")
    shop.bought("c2", yesterday)
    [held] = shop.rows(visibility(night(buyers, orders_source(), held=frozenset({"shop_order"}))))
    [free] = shop.rows(visibility(night(buyers, orders_source())))
    assert (held.business_on, held.complete_count, free.complete_count) == (TONIGHT, 1, 2)


def test_without_markets_there_are_no_rows(shop: Shop) -> None:
    assert shop.rows(visibility(night())) == []
