"""`vesper explain` of identity: what ties a contact's rows, what was kept apart and why, older ids, stewards' words, origins; nobody's address."""

import csv
import datetime as dt
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import steward
from tasks.explain import explain
from tasks.sql import Unanswered
from tests.consolidate.company import Company, day, member, members
from tests.ops.conftest import edit
from tests.ops.test_explain import cells, section
from vesper.clock import instant
from vesper.explain_identity import strongest_tree
from vesper.tables.contact import CONTACT

WANG, LI, DESK, TWO = "13900139001", "13900139002", "13900139009", "13900139005"
MAIL, NAMES = "wang@haolinju.cn", ("王小明", "李雷", "韩梅梅", "赵一", "钱二", "孙三", "周四", "吴五")
HOTLINE = """says: 热线来电登记，测试用。
owner: data@example.com
system: csv
path: "hotline_call/{on}.csv"
encoding: utf-8
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 1000, drop_ratio: 0}
max_quarantine_ratio: 1.0
feeds: contact
trust: 40
key: [member_id]
fields:
  member_id: {column: member_id, type: text, required: true}
  unionid: {column: unionid, type: text}
  name: {column: name, type: text}
  phone: {column: phone, type: text}
  email: {column: email, type: text}
  company: {column: company, type: text}
  registered_at: {column: registered_at, type: instant, required: true}
  is_deleted: {column: is_deleted, type: flag}
"""
CALL = ("member_id", "unionid", "name", "phone", "email", "company", "registered_at", "is_deleted")


class Shop(NamedTuple):
    """A workspace after its nights, and the contact of each row after the first night and after the last."""

    root: Path
    first: dict[str, str]
    last: dict[str, str]


def calls(company: Company, on: dt.date, *found: dict[str, str]) -> None:
    """A file of the hotline that arrives on a day."""
    path = company.root / ".vesper" / "landing" / "hotline_call" / f"{on}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CALL, restval="")
        writer.writeheader()
        writer.writerows({"registered_at": "2018-02-01 09:00:00", "is_deleted": "false", **row} for row in found)
    at = instant(on, dt.time(12), "Asia/Shanghai").replace(tzinfo=dt.UTC).timestamp()
    os.utime(path, (at, at))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """王小明 turns out to be one of two contacts; a steward parts 李雷 and 韩梅梅, who share a phone; 吴五 is deleted at the source."""
    company = Company(tmp_path_factory.mktemp("explained") / "shop")
    (company.root / "definitions" / "sources" / "hotline_call.yml").write_text(HOTLINE, encoding="utf-8")
    desk = [member(f"9{place}", phone=DESK, name=name) for place, name in enumerate(NAMES[3:7])]
    company.land(
        members(
            day(0),
            member("1", card="101", phone=WANG, name=NAMES[0]),
            member("2", card="102", email=MAIL, name=NAMES[0]),
            member("5", phone=LI, name=NAMES[1]),
            member("6", phone=LI, name=NAMES[2]),
            member("7", phone=LI, name=NAMES[1]),
            *desk,
        )
    )
    calls(
        company,
        day(0),
        {"member_id": "T1", "unionid": "u1", "phone": TWO, "company": "甲电器有限公司"},
        {"member_id": "T2", "unionid": "u2", "phone": TWO},
        {"member_id": "T8", "name": NAMES[7], "email": "wuwu@yidianqi.cn"},
    )
    company.quick_night(day(0))
    first = company.contact_of()
    company.land(members(day(1), member("A1", phone=WANG, email=MAIL, name=NAMES[0]), source="app_signup"))
    calls(company, day(1), {"member_id": "T8", "name": NAMES[7], "email": "wuwu@yidianqi.cn", "is_deleted": "true"})
    company.quick_night(day(1))
    steward.separate(company.root, "crm_member:5", "crm_member:6", "anna", "夫妻共用电话")
    steward.pin(company.root, "crm_member:1", "company", "上海好邻居商贸有限公司", "anna", "名片")
    company.quick_night(day(3))
    return Shop(company.root, first, company.contact_of())


def of(shop: Shop, record: str, title: str) -> str:
    return section(explain(shop.root, shop.last[record]), title)


@pytest.mark.requirement("R5")
def test_the_links_of_a_contact_name_both_rows_the_rule_and_how_sure_it_is(shop: Shop) -> None:
    found = of(shop, "crm_member:1", "Links")
    assert cells(found) == [
        ["app_signup:A1", "crm_member:1", "phone", "20.0"],
        ["app_signup:A1", "crm_member:2", "email", "20.0"],
    ]
    assert re.search(r"Decided by `definitions/policy/identity.yml` \(ships with Vesper\) [0-9a-f]{16}\.", found)
    assert of(shop, "crm_member:6", "Links").strip() == "One source row: nothing had to be linked."


@pytest.mark.requirement("R5", "R104")
def test_what_was_kept_apart_names_the_other_contact_and_what_speaks_against(shop: Shop) -> None:
    (row,) = cells(of(shop, "crm_member:6", "Kept apart"))
    against = "steward (final), names that cannot be one person's"
    assert row == [shop.last["crm_member:5"], "crm_member:6", "crm_member:5", "phone", "20.0", against]
    # And seen from the other side.
    (row,) = cells(of(shop, "crm_member:5", "Kept apart"))
    assert row[:3] == [shop.last["crm_member:6"], "crm_member:5", "crm_member:6"]
    (row,) = cells(of(shop, "hotline_call:T1", "Kept apart"))
    assert row == [
        shop.last["hotline_call:T2"],
        "hotline_call:T1",
        "hotline_call:T2",
        "phone",
        "20.0",
        "two values of unionid (final)",
    ]


@pytest.mark.requirement("R5")
def test_a_phone_of_too_many_names_is_said_to_link_nobody(shop: Shop) -> None:
    found = of(shop, "crm_member:90", "Kept apart")
    assert "phone +86*****09, on 1 of its rows, is shared by too many names" in found and cells(found) == []


@pytest.mark.requirement("R13")
def test_an_older_id_is_answered_with_the_contact_that_holds_its_person(shop: Shop) -> None:
    old, now = shop.first["crm_member:2"], shop.last["crm_member:2"]
    assert old != now == shop.first["crm_member:1"]
    page = explain(shop.root, old)
    said = f"{old} was retired on the night of {day(1)}; its person is this contact now."
    assert page.split("\n\n")[1] == said
    assert page.replace(f"{said}\n\n", "") == explain(shop.root, now) == explain(shop.root, f"contact:{now}")
    assert {explain(shop.root, known) for known in ("card:101", "card:102", WANG, MAIL)} == {explain(shop.root, now)}


@pytest.mark.requirement("R13")
def test_ids_that_merged_and_the_night_that_merged_them_stand_on_the_page(shop: Shop) -> None:
    old, now = shop.first["crm_member:2"], shop.last["crm_member:2"]
    ids, event = cells_of_both(of(shop, "crm_member:2", "Ids and history"))
    assert ids == [[old, str(day(1))]]
    assert event == [[str(day(1)), now, "merged into it", old, "email", "1"]]
    with pytest.raises(Unanswered, match="none of its source rows is left"):
        explain(shop.root, shop.first["hotline_call:T8"])


def cells_of_both(text: str) -> list[list[list[str]]]:
    """The rows of each of a section's tables."""
    return [cells(part) for part in text.strip().split("\n\n")]


@pytest.mark.requirement("R104")
def test_a_stewards_word_stands_with_who_why_and_what_it_did(shop: Shop) -> None:
    (rule,) = cells(of(shop, "crm_member:5", "Steward rules"))
    assert rule[1:] == ["different people", "crm_member:5", "crm_member:6", "anna", "夫妻共用电话", str(day(3))]
    _, ((on, stays, what, other, *rest),) = cells_of_both(of(shop, "crm_member:5", "Ids and history"))
    assert (on, stays, other) == (str(day(3)), shop.last["crm_member:5"], shop.last["crm_member:6"])
    assert (what, rest) == ("parted from it by a steward", ["steward", "1"])
    assert "No steward has ruled" in of(shop, "crm_member:90", "Steward rules")


@pytest.mark.requirement("R104")
def test_every_value_names_the_row_or_the_pin_it_comes_from(shop: Shop) -> None:
    page = explain(shop.root, shop.last["crm_member:1"])
    origin = {row[0]: row[1:] for row in cells(section(page, "Where values come from"))}
    ((number, says, *_),) = cells(section(page, "Steward rules"))
    assert says == "pins company"
    assert origin["company"] == ["vesper_steward", number, "a steward pinned it"]
    assert origin["email"][:2] == ["crm_member", "2"] and origin["name"] == ["crm_member", "1", "all rows agree"]
    assert set(origin) == {"card", "name", "phone", "email", "province", "city", "company"} <= set(CONTACT.c.keys())
    assert "- company: 上海好邻居商贸有限公司 (o" in section(page, "Company")
    assert "甲电器有限公司" in of(shop, "hotline_call:T1", "Company")


@pytest.mark.requirement("R122")
def test_no_section_of_identity_shows_a_name_a_number_or_an_address(shop: Shop) -> None:
    personal = {*NAMES, MAIL, MAIL.split("@")[0], WANG, LI, DESK, TWO}
    for contact_id in {*shop.first.values(), *shop.last.values()} - {shop.first["hotline_call:T8"]}:
        page = explain(shop.root, contact_id)
        assert [value for value in personal if value in page] == []


@pytest.mark.requirement("R122")
@pytest.mark.parametrize(("asked", "meant"), [("nobody@qq.con", "n**@qq.com"), ("nobody@haolinju.con", "n**@h**.com")])
def test_a_slip_of_the_keyboard_is_answered_with_what_was_meant_masked(shop: Shop, asked: str, meant: str) -> None:
    with pytest.raises(Unanswered) as unknown:
        explain(shop.root, asked)
    assert str(unknown.value).endswith(f"Did you mean {meant}?")
    assert "nobody" not in str(unknown.value) and "haolinju" not in str(unknown.value)


@pytest.mark.requirement("R111")
def test_the_sections_of_identity_speak_chinese(shop: Shop) -> None:
    settings_file = shop.root / "vesper.toml"
    edit(settings_file, 'language = "en"', 'language = "zh_CN"')
    try:
        page = explain(shop.root, shop.last["crm_member:6"]) + explain(shop.root, shop.first["crm_member:2"])
    finally:
        edit(settings_file, 'language = "zh_CN"', 'language = "en"')
    start, end = page.index("## 归并依据"), page.index("## 评分")
    words = set(re.findall(r"[a-z]{3,}", re.sub(r"`[^`]*`|Vesper", "", page[start:end])))
    assert words <= {"crm", "member", "anna"}
    assert {"人工判定（一票否决）", "姓名不可能是同一人"} <= set(re.split("[，, |]+", page[start:end]))


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    ("clusters", "why"),
    [
        ("{keep: 30000, join: 30000}", "weaker than the 30.0 bits that a link needs"),
        ("{join: 30000, suspect_above: 1}", "their rows together do not match well enough"),
    ],
)
def test_what_no_veto_parts_names_the_line_that_it_misses(
    tmp_path: Path, repository: Path, clusters: str, why: str
) -> None:
    company = Company(tmp_path / "near", "crm_member", "shop_product")
    shipped = (repository / "definitions" / "policy" / "identity.yml").read_text(encoding="utf-8")
    own = company.root / "definitions" / "policy" / "identity.yml"
    own.parent.mkdir()
    own.write_text(f"{shipped}clusters: {clusters}\n", encoding="utf-8")
    company.land(members(day(0), member("1", phone=WANG), member("2", phone=WANG)))
    company.quick_night(day(0))
    contact_of = company.contact_of()
    (row,) = cells(section(explain(company.root, contact_of["crm_member:1"]), "Kept apart"))
    assert row == [contact_of["crm_member:2"], "crm_member:1", "crm_member:2", "phone", "20.0", why]


def test_a_table_of_many_rows_is_cut_and_says_so(tmp_path: Path) -> None:
    company = Company(tmp_path / "many", "crm_member", "shop_product")
    company.land(members(day(0), *[member(f"{number:02}", phone=WANG, name=NAMES[0]) for number in range(24)]))
    company.quick_night(day(0))
    (contact_id,) = set(company.contact_of().values())
    links = section(explain(company.root, contact_id), "Links")
    assert len(cells(links)) == 20 and "And 3 more." in links


class Link(NamedTuple):
    record_a: str
    record_b: str
    weight: int


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(-9, 9)), max_size=15))
@settings(max_examples=60)
def test_a_tree_holds_together_what_all_links_hold_and_its_weakest_is_the_strongest_there_is(drawn: list[Any]) -> None:
    links = sorted({Link(a, b, weight) for a, b, weight in drawn if a < b}, key=lambda link: (-link.weight, *link))
    tree = strongest_tree(links)
    assert [link.weight for link in tree] == sorted(link.weight for link in tree)
    for line in range(-9, 10):
        strong = groups([link for link in links if link.weight >= line])
        assert groups([link for link in tree if link.weight >= line]) == strong
    assert len(tree) == sum(len(group) - 1 for group in groups(links))


def groups(links: list[Link]) -> set[frozenset[str]]:
    """Rows that links hold together, found the slow way."""
    found = {frozenset(link[:2]) for link in links}
    while overlapping := next(((a, b) for a in found for b in found if a != b and a & b), None):
        found = found - set(overlapping) | {overlapping[0] | overlapping[1]}
    return found
