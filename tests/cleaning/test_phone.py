"""Phone numbers: SQL and Python agree, what was made a number stays it (R9), and values at the edges are judged, not guessed (R7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleaning.rows import Cleaning
from tests.cleaning.sql import applied, storable
from vesper.cleaning import phone

NATIONAL = st.from_regex(phone.numbering_plan(), fullmatch=True)
BEFORE = st.sampled_from(["", "+86", "+86 ", "0086", "86", "0", "+86-0", "＋８６", "(+86)", "手机:", "tel "])
BEHIND = st.sampled_from(["", " ", "转801", " ext. 12", "-8001", "（微信同号）", "/13900139001", ".0", "号"])
WRITTEN = st.builds("{}{}{}".format, BEFORE, NATIONAL, BEHIND)
SIGNS = st.text("0123456789０１２ -()+（）－＋\t\u3000./转,e", max_size=24)
VALUES = st.lists(st.one_of(WRITTEN, SIGNS, st.text(max_size=12)), min_size=1, max_size=40)


@pytest.mark.requirement("R9", "R7")
@given(values=VALUES)
@settings(max_examples=30)
def test_sql_and_python_agree_and_leave_alone_what_they_made(values: list[str]) -> None:
    values = storable(values)
    read = [phone.read(value) for value in values]
    for value, quick, slow in zip(values, applied(phone.quick, values), read, strict=True):
        assert quick is None or (quick, None, "valid") == slow, value
    numbers = [number for one in read for number in (one.number, one.other) if number]
    assert [phone.read(number) for number in numbers] == [(number, None, "valid") for number in numbers]
    assert {one.status for one in read if one.number} <= {"valid"}


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13900139001", "+8613900139001"),
        ("+86 139-0013-9001", "+8613900139001"),
        ("008613900139001", "+8613900139001"),
        ("8613900139001", "+8613900139001"),
        ("１３９００１３９００１", "+8613900139001"),
        ("＋８６　１３９ ００１３ ９００１", "+8613900139001"),
        ("(+86)13900139001", "+8613900139001"),
        ("\u202d13900139001\u202c", "+8613900139001"),  # as the contact list of a phone copies it
        ("13900139001\t", "+8613900139001"),
        ("13900139001.0", "+8613900139001"),  # a spreadsheet's number
        ("139.0013.9001", "+8613900139001"),
        ("手机：13900139001（微信同号）", "+8613900139001"),
        ("13900139001(王经理)", "+8613900139001"),
        ("13900139001转8001", "+8613900139001"),
        ("010-62345678", "+861062345678"),
        ("(021) 6234 5678", "+862162345678"),
        ("+86 (0)571 8765 4321", "+8657187654321"),
        ("0086 (0)10 6234 5678", "+861062345678"),
        ("Tel: 0755-8888 1234", "+8675588881234"),
        ("010-62345678 转 801", "+861062345678"),
        ("021-6888 8888-8001", "+862168888888"),
        ("021-68888888 ext. 12", "+862168888888"),
        ("0310-7234567-8", "+863107234567"),  # 310 has numbers of seven digits
        ("400-800-1234", "+864008001234"),
        ("４００－８００－１２３４转5", "+864008001234"),
        ("800 810 1234", "+868008101234"),
        ("+1 (212) 555-0100", "+12125550100"),
        ("001 212 555 0100", "+12125550100"),
        ("+852 2123 4567", "+85221234567"),
        ("+44 20 7946 0958", "+442079460958"),
        ("212 555 0100", None),  # New York without its country, or Shanghai without its zero?
        ("(212) 555-0100", None),
        ("2162345678", "+862162345678"),  # a spreadsheet drops the zero
        ("+86 139 0013 900", None),
        ("1390013900", None),
        ("139001390011", None),
        ("12900139001", None),
        ("62345678", None),
        ("138****8000", None),
        ("1.38E+10", None),
        ("1.3900139001E10", None),
        ("订单13900139001", None),
        ("王小明", None),
        ("无", None),
    ],
)
def test_one_number(written: str, number: str | None) -> None:
    assert phone.read(written) == (number, None, "valid" if number else "invalid")


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("written", "number", "other"),
    [
        ("13900139001/13900139002", "+8613900139001", "+8613900139002"),
        ("13900139001，010-62345678", "+8613900139001", "+861062345678"),
        ("13900139001、13900139002；13900139003", "+8613900139001", "+8613900139002"),
        ("010-62345678 13900139001", "+861062345678", "+8613900139001"),
        ("13900139001 13900139001", "+8613900139001", None),
        ("13800138000/13900139001", "+8613900139001", None),  # the first is nobody's
        ("13900139001/王小明", "+8613900139001", None),
        ("13900139001\n13900139002", "+8613900139001", "+8613900139002"),
    ],
)
def test_two_numbers_in_a_cell(written: str, number: str, other: str | None) -> None:
    assert phone.read(written) == (number, other, "valid")


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    "written",
    ["13800138000", "13800000000", "１３８００００００００", "+8613800138000", "11111111111", "00000000000", "99999999", "12345678901", "13812345678"],
)  # fmt: skip
def test_numbers_that_get_past_a_form(written: str) -> None:
    assert phone.read(written) == (None, None, "dummy")
    assert applied(phone.quick, [written]) == [None]


def test_landlines_and_service_numbers_are_nobodys_own() -> None:
    numbers = ["+8613900139001", "+12125550100", "+861062345678", "+864008001234", "+868008101234", "+8657187654321"]
    assert applied(phone.is_personal, numbers) == [True, True, False, False, False, False]


@pytest.mark.requirement("R7")
def test_a_row_keeps_both_numbers_and_the_judgement(cleaning: Cleaning) -> None:
    rows = cleaning.of(
        {"phone": "13900139001/010-62345678", "other_phone": "13900139009"},
        {"phone": "13900139001", "other_phone": "010 62345678 转 1"},
        {"phone": "139 0013 9001", "other_phone": "+86-13900139001"},
        {"phone": "1.38E+10", "other_phone": "13900139002"},
        {"phone": "13800138000"},
        {"phone": "\u3000"},
        {},
    )
    assert [(row["phone"], row["other_phone"], row["phone_status"]) for row in rows] == [
        ("+8613900139001", "+861062345678", "valid"),
        ("+8613900139001", "+861062345678", "valid"),
        ("+8613900139001", None, "valid"),
        (None, "+8613900139002", "invalid"),
        (None, None, "dummy"),
        (None, None, "missing"),
        (None, None, "missing"),
    ]
