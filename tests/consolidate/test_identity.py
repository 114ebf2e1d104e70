"""Who is one person: against the composed truth, and from night to night, when a row comes, two people turn out to be one, or one to be two."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from tests.consolidate.company import Company, File, day, member, members
from tests.night.looking import rows
from tests.small_grocer import LAST, GrocerNights

WANG, LI = "13900139001", "13900139002"


def truth(root: Path) -> list[dict[str, str]]:
    with (root / ".vesper/truth/contacts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.requirement("R5", "R6", "R13")
def test_no_person_of_the_composed_truth_is_mixed_or_split(grocer_nights: GrocerNights) -> None:
    after = grocer_nights.after[LAST]
    contact_of = {(row["source"], row["record_key"]): row["contact_id"] for row in rows(after, "core__contact_member")}
    persons, contacts = defaultdict(set), defaultdict(set)
    known = truth(after)
    for one in known:
        if one["expected"] == "live":
            contact = contact_of[one["source"], one["record_key"]]
            persons[contact].add(one["person"])
            contacts[one["person"]].add(contact)
        else:
            assert (one["source"], one["record_key"]) not in contact_of
    assert len(contacts) > 100
    assert [people for people in persons.values() if len(people) > 1] == []
    assert [found for found in contacts.values() if len(found) > 1] == []
    assert len(known) > len(contacts), "nobody has two rows, so nothing was proven"


@pytest.mark.requirement("R1")
def test_every_card_of_the_shop_is_the_contact_of_its_household(grocer_nights: GrocerNights) -> None:
    after = grocer_nights.after[LAST]
    contact_of = {(row["source"], row["record_key"]): row["contact_id"] for row in rows(after, "core__contact_member")}
    households = {
        one["household"]: contact_of["crm_member", one["record_key"]]
        for one in truth(after)
        if one["source"] == "crm_member" and one["household"]
    }
    bought = {key: contact for (source, key), contact in contact_of.items() if source == "shop_order"}
    assert len(bought) > 90
    assert {card: households[card] for card in bought} == bought


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path / "company")


@pytest.mark.requirement("R13")
def test_a_row_more_changes_no_id_not_even_one_that_sorts_before(company: Company) -> None:
    company.land(members(day(0), member("5", phone=WANG), member("6", phone=LI)))
    company.quick_night(day(0))
    before = company.contact_of()
    company.land(
        members(day(1), member("1", phone="+86 139 0013 9001")),
        members(day(1), member("A1", phone=LI), source="app_signup"),
    )
    company.quick_night(day(1))
    after = company.contact_of()
    assert before.items() <= after.items()
    assert after["crm_member:1"] == after["crm_member:5"] == before["crm_member:5"]
    assert after["app_signup:A1"] == before["crm_member:6"]


@pytest.mark.requirement("R6", "R13")
def test_two_people_who_turn_out_to_be_one_keep_one_of_their_ids_and_their_orders_follow(company: Company) -> None:
    order = {"order_id": "O1", "product_code": "P0", "quantity": 1, "amount": "9.90"}
    company.land(
        members(day(0), member("1", card="101", phone=WANG), member("2", card="102", email="wang@haolinju.cn")),
        File("shop_order", day(0), day(0), ({**order, "card": "102", "ordered_at": "2018-01-05 10:00:00"},)),
    )
    company.quick_night(day(0))
    before = company.contact_of()
    assert before["crm_member:1"] != before["crm_member:2"]
    company.land(members(day(1), member("A1", phone=WANG, email="Wang@Haolinju.cn"), source="app_signup"))
    company.quick_night(day(1))
    after = company.contact_of()
    (id,) = set(after.values())
    assert id in set(before.values())
    assert {row["contact_id"] for row in company.rows("core__order_line")} == {id}
    assert {row["contact_id"] for row in company.rows("core__order_day")} == {id}
    (contact,) = company.rows("core__contact")
    assert (contact["phone"], contact["email"], contact["source_count"]) == ("+8613900139001", "wang@haolinju.cn", 4)
    company.quick_night(day(2))
    assert company.contact_of() == after


@pytest.mark.requirement("R13")
def test_one_person_who_turns_out_to_be_two_keeps_the_id_for_most_of_the_rows(company: Company) -> None:
    company.land(members(day(0), member("1", phone=WANG), member("2", phone=WANG), member("3", phone=WANG)))
    company.quick_night(day(0))
    (id,) = set(company.contact_of().values())
    company.land(members(day(1), member("2", phone=LI), member("3", phone=LI)))
    company.quick_night(day(1))
    after = company.contact_of()
    assert after["crm_member:1"] != id
    assert after["crm_member:2"] == after["crm_member:3"] == id
    # And back: of two ids the one of more rows stays.
    company.land(members(day(2), member("2", phone=WANG), member("3", phone=WANG)))
    company.quick_night(day(2))
    assert set(company.contact_of().values()) == {after["crm_member:2"]}


@pytest.mark.requirement("R6")
def test_a_phone_of_many_names_links_nobody(company: Company) -> None:
    names = ("王小明", "李雷", "韩梅梅", "张三")
    company.land(
        members(day(0), *[member(str(number), phone=WANG, name=name) for number, name in enumerate(names[:3])])
    )
    company.quick_night(day(0))
    assert len(set(company.contact_of().values())) == 1
    company.land(members(day(1), member("9", phone=WANG, name=names[3])))
    company.quick_night(day(1))
    assert len(set(company.contact_of().values())) == 4
    assert [row for row in company.rows("core__contact_identifier") if row["kind"] == "phone"] == []


@pytest.mark.requirement("R7")
def test_a_dummy_phone_links_nobody_and_is_not_kept(company: Company) -> None:
    company.land(members(day(0), member("1", phone="13800138000"), member("2", phone="13800138000")))
    company.quick_night(day(0))
    assert len(company.rows("core__contact")) == 2
    assert {row["phone"] for row in company.rows("core__contact")} == {None}
    assert {row["phone_status"] for row in company.rows("core__source_record")} == {"dummy"}
