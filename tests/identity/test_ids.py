"""How a contact keeps its id: when rows come and go, when two people turn out to be one, one to be two, and when a steward says so."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.identity.nights import People, Row, day, record
from vesper.identity.ids import matched
from vesper.tables.contact import CONTACT_MEMBER
from vesper.tables.identity import CONTACT_ALIAS, IDENTITY_NIGHT, IDENTITY_REVIEW, IDENTITY_VETO, MERGE_EVENT

WANG, LI = "+8613900139001", "+8613900139002"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    found = People(tmp_path / "people")
    yield found
    found.close()


def events(people: People, number: int) -> list[tuple[str, str, str, str | None, int]]:
    """Kind, contact, other contact, rule and rows of one night's events."""
    return [
        (row["kind"], row["contact_id"], row["other_id"], row["rule"], row["record_count"])
        for row in people.rows(MERGE_EVENT, number)
        if row["business_on"] == day(number)
    ]


def alias(people: People, number: int) -> dict[str, str | None]:
    return {row["old_id"]: row["contact_id"] for row in people.rows(CONTACT_ALIAS, number)}


def phones(**phone_of: str) -> list[Row]:
    return [record(key[1:], phone=phone) for key, phone in phone_of.items()]


@pytest.mark.requirement("R13")
def test_most_rows_keep_the_id_and_the_other_one_points_to_it(people: People) -> None:
    people.night(0, phones(r1=WANG, r2=LI, r3=LI))
    before = people.contact_of(0)
    small, large = before["crm:1"], before["crm:2"]
    bridge = record("0", phone=WANG, email="w@x.com"), record("3", phone=LI, email="w@x.com")
    people.night(1, [*phones(r1=WANG, r2=LI), *bridge])
    after = people.contact_of(1)
    assert set(after.values()) == {large}
    assert alias(people, 1) == {small: large}
    assert events(people, 1) == [("merge", large, small, "phone", 1)]
    rules = [row["rule"] for row in people.rows(CONTACT_MEMBER, 1)]
    assert rules == ["founder", "phone", "phone", "email"]


@pytest.mark.requirement("R13")
def test_of_two_contacts_with_as_many_rows_the_older_one_keeps_its_id(people: People) -> None:
    old, young = datetime(2015, 1, 1), datetime(2017, 1, 1)
    people.night(0, [record("1", phone=WANG, registered_at=young), record("2", phone=LI, registered_at=old)])
    before = people.contact_of(0)
    people.night(1, [record("1", phone=WANG, registered_at=young), record("2", phone=WANG, registered_at=old)])
    assert set(people.contact_of(1).values()) == {before["crm:2"]}


@pytest.mark.requirement("R13")
def test_a_split_mints_a_new_id_and_never_one_that_was_in_use(people: People) -> None:
    people.night(0, phones(r1=WANG, r2=WANG, r3=WANG))
    (first,) = set(people.contact_of(0).values())
    people.night(1, phones(r1=WANG, r2=LI, r3=LI))
    after = people.contact_of(1)
    assert after["crm:2"] == after["crm:3"] == first, "most rows keep the id, though the first row left"
    assert after["crm:1"] != first
    assert events(people, 1) == [("split", first, after["crm:1"], None, 1)]
    people.night(2, phones(r1=WANG))
    assert people.contact_of(2) == {"crm:1": after["crm:1"]}
    assert alias(people, 2) == {first: None}
    people.night(3, phones(r1=WANG, r2=LI))
    assert people.contact_of(3) == {"crm:1": after["crm:1"], "crm:2": first}, (
        "the row that the id was remembered by is back"
    )
    assert alias(people, 3) == {}


@pytest.mark.requirement("R6", "R104")
def test_what_a_steward_joins_stays_joined_and_what_is_parted_gets_its_old_id_back(people: People) -> None:
    rows = phones(r1=WANG, r2=LI)
    people.night(0, rows)
    before = people.contact_of(0)
    one, two = before["crm:1"], before["crm:2"]
    join = ("must_link", "crm:2", "crm:1")
    for number in (1, 2):
        people.night(number, rows, [join])
        assert set(people.contact_of(number).values()) == {one}
    assert events(people, 1) == [("steward_merge", one, two, "steward", 1)]
    assert events(people, 2) == []
    people.night(3, rows)
    assert people.contact_of(3) == before, "unmerging restores both"
    assert alias(people, 3) == {}


@pytest.mark.requirement("R6", "R104")
def test_a_steward_parts_rows_of_one_card_for_good(people: People) -> None:
    rows = [record(key, card="100", name="王小明") for key in "123"]
    people.night(0, rows)
    (id,) = set(people.contact_of(0).values())
    part = ("cannot_link", "crm:2", "crm:1")
    for number in (1, 2):
        people.night(number, rows, [part])
        after = people.contact_of(number)
        assert after["crm:1"] == after["crm:3"] == id != after["crm:2"]
    assert events(people, 1) == [("steward_split", id, after["crm:2"], "steward", 1)]
    assert [(row["rule"], row["is_final"]) for row in people.rows(IDENTITY_VETO, 2)] == [("steward", True)]
    assert people.rows(IDENTITY_NIGHT, 2)[1]["split_count"] == 0, "a steward's word is no anomaly"


@pytest.mark.requirement("R6")
def test_two_values_of_an_id_that_a_person_has_once_are_two_people(people: People) -> None:
    people.night(
        0, [record("1", phone=WANG, unionid="u1"), record("2", phone=WANG, unionid="u2"), record("3", phone=WANG)]
    )
    after = people.contact_of(0)
    assert after["crm:1"] == after["crm:3"] != after["crm:2"]
    assert ("crm:1", "crm:2", "unionid") in {
        (r["record_a"], r["record_b"], r["rule"]) for r in people.rows(IDENTITY_VETO, 0)
    }


@pytest.mark.requirement("R6")
def test_a_household_on_one_phone_is_one_contact_for_review(people: People) -> None:
    people.night(0, [record(str(n), phone=WANG, name=name) for n, name in enumerate(("王小明", "李雷", "韩梅梅"))])
    (id,) = set(people.contact_of(0).values())
    assert people.rows(IDENTITY_REVIEW, 0) == [{"contact_id": id, "record_count": 3}]


@pytest.mark.requirement("R1")
def test_an_excluded_row_belongs_to_nobody_and_comes_back_to_its_own_contact(people: People) -> None:
    gone = record("1", phone=WANG, excluded_by="deleted_at_source")
    people.night(0, phones(r1=WANG, r2=WANG))
    (id,) = set(people.contact_of(0).values())
    people.night(1, [gone, record("2", phone=WANG)])
    assert people.contact_of(1) == {"crm:2": id}
    people.night(2, phones(r1=WANG, r2=WANG))
    assert people.contact_of(2) == {"crm:1": id, "crm:2": id}


@pytest.mark.requirement("R6")
def test_a_night_that_merges_too_many_contacts_fails_its_gate(people: People) -> None:
    numbers = range(40)
    people.night(0, [record(f"{n:02d}", phone=f"+861390013{n:04d}", name=f"王{n:02d}") for n in numbers])
    assert _merged(people) == (True, "0 of 0")
    people.night(1, [record(f"{n:02d}", phone=f"+861390013{n // 2 * 2:04d}", name="王小明") for n in numbers])
    assert _merged(people) == (False, "20 of 40")
    (tonight,) = [row for row in people.rows(IDENTITY_NIGHT, 1) if row["business_on"] == day(1)]
    assert (tonight["merged_count"], tonight["merged_ratio"], tonight["contact_count"]) == (20, 0.5, 20)


def _merged(people: People) -> tuple[bool, str | None]:
    (found,) = [check for check in people.reports[-1].checks if check.check == "merged_share"]
    return found.passed, found.observed


def test_each_old_id_goes_to_one_cluster_and_each_cluster_takes_one() -> None:
    order = [("x", "A"), ("x", "B"), ("y", "A"), ("y", "C"), ("z", "C")]
    assert matched(order) == [{"label": "x", "contact_id": "A"}, {"label": "y", "contact_id": "C"}]


@pytest.mark.requirement("R6", "R104")
def test_a_steward_joins_rows_of_two_ids_that_a_person_has_once(people: People) -> None:
    """Two WeChat accounts of one person: the word of a steward is stronger than what the two ids say, for every row that carries them."""
    rows = [
        record("1", phone=WANG, unionid="u1"),
        record("2", phone=LI, unionid="u2"),
        record("3", phone=LI, unionid="u2"),
        record("4", phone=LI, unionid="u3"),
    ]
    people.night(0, rows)
    before = people.contact_of(0)
    join = ("must_link", "crm:2", "crm:1")
    for number in (1, 2):
        people.night(number, rows, [join])
        after = people.contact_of(number)
        assert after["crm:1"] == after["crm:2"] == after["crm:3"] != after["crm:4"], "u3 is nobody's word"
    people.night(3, rows)
    assert people.contact_of(3) == before
