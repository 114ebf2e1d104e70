"""Whom to ask so that a market enters its band: as few questions as possible, as many people as needed, no plain names."""

import pytest

from tests.measure.shop import AT, TONIGHT, Shop, market, night
from vesper.measure import fields_to_ask, people_to_ask
from vesper.tables.contact import CONSENT


def consent(shop: Shop, contact_id: str, channel: str, is_granted: bool = True) -> None:
    row = {
        "contact_id": contact_id,
        "channel": channel,
        "purpose": "marketing",
        "is_granted": is_granted,
        "at": AT,
        "source": "crm_member",
    }
    shop.put(CONSENT, row)


@pytest.fixture
def six(shop: Shop) -> Shop:
    """Six of ten known: two complete, two without a phone, one without phone and mail, one without anything."""
    for number in range(2):
        shop.contact(f"c0{number}", name="王小明", phone="+8613912340001", email="a@example.com")
    shop.contact("c10", name="李雷", email="lilei@example.com")
    shop.contact("c11", name="韩梅梅", email="han@example.com")
    shop.contact("c20", name="欧阳修")
    shop.contact("c30")
    return shop


FIELDS = ("name", "phone", "email")


@pytest.mark.requirement("R22")
def test_exactly_as_many_people_as_the_band_needs_the_cheapest_first(six: Shop) -> None:
    small = market(size=5, fields=FIELDS)  # needs 4 of 5, has 2
    assert [row.contact_id for row in six.rows(people_to_ask(small, night(small)))] == ["c10", "c11"]
    larger = market(size=6, fields=FIELDS)  # needs 5 of 6
    rows = six.rows(people_to_ask(larger, night(larger)))
    assert [(row.contact_id, row.missing) for row in rows] == [
        ("c10", "phone"),
        ("c11", "phone"),
        ("c20", "phone,email"),
    ]


@pytest.mark.requirement("R22")
def test_too_few_known_people_give_a_shorter_list(six: Shop) -> None:
    large = market(size=100, fields=FIELDS)
    assert len(six.rows(people_to_ask(large, night(large)))) == 4


def test_a_market_in_its_band_asks_nobody(six: Shop) -> None:
    tiny = market(size=2, fields=FIELDS)
    assert six.rows(people_to_ask(tiny, night(tiny))) == []


@pytest.mark.requirement("R22")
def test_the_list_by_field_says_what_to_collect_from_how_many(six: Shop) -> None:
    larger = market(size=6, fields=FIELDS)
    rows = six.rows(fields_to_ask(larger, night(larger)))
    assert [(row.missing, row.people_count) for row in rows] == [("phone", 2), ("phone,email", 1)]


@pytest.mark.requirement("R122")
def test_names_are_masked(six: Shop) -> None:
    large = market(size=100, fields=FIELDS)
    names = {row.name for row in six.rows(people_to_ask(large, night(large)))}
    assert names == {"李**", "韩**", "欧**", None}


@pytest.mark.requirement("R88")
def test_a_channel_needs_an_address_and_a_consent(shop: Shop) -> None:
    shop.contact("c1", email="a@example.com")
    consent(shop, "c1", "email")
    shop.contact("c2", email="b@example.com", phone="+8613912340002")
    consent(shop, "c2", "email", is_granted=False)
    consent(shop, "c2", "sms")
    shop.contact("c3", email="c@example.com")
    shop.bought("c3", TONIGHT)
    shop.contact("c4")
    consent(shop, "c4", "email")
    large = market(size=100, fields=("name",))
    rows = shop.rows(people_to_ask(large, night(large)))
    assert [(row.contact_id, row.channel) for row in rows] == [
        ("c1", "email"),
        ("c2", "sms"),
        ("c3", "store"),
        ("c4", "none"),
    ]
