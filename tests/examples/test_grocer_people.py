"""The composed people and the truth about them: usable is usable, unusable is not, and the truth can be found."""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest

from examples.grocer import spelling
from examples.grocer.compose import SEED, contact_records
from examples.grocer.people import draw
from examples.grocer.records import APP, CRM, HOTLINE, Record
from examples.grocer.shop import Shop

PHONES = {CRM: "手机", APP: "mobile", HOTLINE: "来电号码"}
MAILS = {CRM: "邮箱", APP: "email", HOTLINE: "邮箱"}
DUMMIES = {"+8613800000000", "+8611111111111", "+8613333333333"}


@pytest.fixture(scope="module")
def records() -> list[Record]:
    shop = Shop(500, None, SEED)
    try:
        return contact_records(shop, SEED)
    finally:
        shop.close()


def number(value: object) -> str | None:
    """The number that a library would read, if it is a Chinese mobile number."""
    text = unicodedata.normalize("NFKC", str(value or "")).strip()
    try:
        parsed = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(parsed) != phonenumbers.PhoneNumberType.MOBILE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def mail(value: object) -> str | None:
    text = unicodedata.normalize("NFKC", str(value or "")).strip().lower()
    local, at, domain = text.partition("@")
    return text if local and at and domain in ("example.com", "example.cn") else None


def identifiers(one: Record) -> Iterator[tuple[str, str]]:
    card = one.cells.get("会员卡号") or one.cells.get("card_no")
    if card:
        yield "card", unicodedata.normalize("NFKC", card).strip()
    if "phone" in one.gives and not one.person.shares_phone:
        yield "phone", one.person.phone
    if "email" in one.gives:
        yield "email", one.person.email


@pytest.mark.requirement("R7")
def test_a_phone_is_usable_exactly_where_the_truth_says_so(records: list[Record]) -> None:
    for one in (one for one in records if one.is_live):
        read = number(one.cells[PHONES[one.source]])
        assert (read == f"+86{one.person.phone}") if "phone" in one.gives else (read is None or read in DUMMIES)


def test_a_mail_address_is_usable_exactly_where_the_truth_says_so(records: list[Record]) -> None:
    for one in (one for one in records if one.is_live):
        assert mail(one.cells[MAILS[one.source]]) == (one.person.email if "email" in one.gives else None)


def test_every_spelling_of_a_phone_is_drawn_and_read(records: list[Record]) -> None:
    chance = draw(SEED, 0, "test")
    assert {number(spelling.phone(chance, "13912345678")) for _ in range(500)} == {"+8613912345678"}
    assert {number(spelling.no_phone(chance, "13912345678")) for _ in range(500)} - DUMMIES == {None}


def test_rows_of_a_person_hang_together_and_rows_of_two_do_not(records: list[Record]) -> None:
    """Following cards, own telephones and mail addresses from row to row finds exactly the people."""
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    live = [one for one in records if one.is_live]
    for one in live:
        for identifier in identifiers(one):
            parent[root(identifier)] = root((one.source, one.key))
    found = defaultdict(set)
    for one in live:
        found[root((one.source, one.key))].add(one.person.id)
    assert [people for people in found.values() if len(people) > 1] == []
    assert len(found) == len({one.person.id for one in live})


def test_a_shared_phone_has_more_names_than_a_person_can_have(records: list[Record]) -> None:
    names, people = defaultdict(set), defaultdict(set)
    for one in (one for one in records if one.is_live and "phone" in one.gives):
        cell = one.cells.get("姓名") or one.cells.get("name")
        if "name" in one.gives and cell:
            names[one.person.phone].add(unicodedata.normalize("NFKC", cell).replace(" ", ""))
        people[one.person.phone].add(one.person.id)
    shared = {phone for phone, who in people.items() if len(who) > 1}
    assert shared
    assert all(len(names[phone]) > 3 for phone in shared)
    assert all(len(names[phone]) <= 3 for phone in people.keys() - shared)


@pytest.mark.requirement("R10")
def test_a_few_rows_lack_their_key_or_a_required_field(records: list[Record]) -> None:
    bad = [one for one in records if not one.is_live]
    assert 0 < len(bad) < 0.02 * len(records)
    for one in bad:
        required = {CRM: ("会员卡号", "注册时间"), APP: ("id", "created_at"), HOTLINE: ("来电编号", "来电号码")}[
            one.source
        ]
        assert [bool(one.cells[field]) for field in required].count(False) == 1


def test_the_truth_names_every_row_that_has_a_key_once(small_grocer: Path) -> None:
    with (small_grocer / ".vesper" / "truth" / "contacts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["source", "record_key", "person", "household", "expected"]
    assert len({(row["source"], row["record_key"]) for row in rows}) == len(rows)
    assert {row["record_key"] for row in rows if row["source"] == CRM and row["person"] == f"h{row['record_key']}"} == {
        row["household"] for row in rows if row["household"]
    }
