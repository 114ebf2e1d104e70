"""Mail addresses: SQL and Python agree, what was made an address stays it (R9), and nothing is mended by guessing."""

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleaning.rows import Cleaning
from tests.cleaning.sql import applied, storable
from vesper.cleaning import email, mail_domain

LOCAL = st.text("abz019._+-", min_size=1, max_size=8)
DOMAIN = st.builds(
    "{}.{}".format, st.text("abz09.-ü", min_size=1, max_size=8), st.sampled_from(["com", "cn", "con", "co.jp", "公司"])
)
ADDRESS = st.builds("{}{}@{}{}".format, st.sampled_from(["", " ", "mailto:", "Li Lei <", "\u200b"]), LOCAL,
                    DOMAIN | st.sampled_from(["gmail.com", "googlemail.com", "qq.com"]), st.sampled_from(["", " ", ".", "，", ">", ";b@c.com"]))  # fmt: skip
VALUES = st.lists(st.one_of(ADDRESS, st.text(max_size=12), st.text("ａ@＠.。 ", max_size=8)), min_size=1, max_size=40)


def key(value: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    return email.key(value)


@pytest.mark.requirement("R9")
@given(values=VALUES)
@settings(max_examples=30)
def test_sql_and_python_agree_and_leave_alone_what_they_made(values: list[str]) -> None:
    values = storable(values)
    read = [email.read(value) for value in values]
    for value, quick, slow in zip(values, applied(email.quick, values), read, strict=True):
        assert quick in (None, slow), value
    made = [address for address in read if address]
    assert [email.read(address) for address in made] == made
    keys = applied(key, made)
    assert applied(key, keys) == keys


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Wang.Wei@Huawei.COM", "wang.wei@huawei.com"),
        (" mailto:wang@huawei.com ", "wang@huawei.com"),
        ("ｗａｎｇ＠ｈｕａｗｅｉ．ｃｏｍ", "wang@huawei.com"),
        ("wang@huawei.com，", "wang@huawei.com"),
        ("wang@huawei.com.", "wang@huawei.com"),
        ("王伟 <wang@huawei.com>", "wang@huawei.com"),
        ("'wang@huawei.com'", "wang@huawei.com"),
        ("wang@huawei.com; li@huawei.com", "wang@huawei.com"),
        ("first.last+tag@mail.firma.co.jp", "first.last+tag@mail.firma.co.jp"),
        ("wang@例子.中国", "wang@xn--fsqu00a.xn--fiqs8s"),
        ("wang wei@huawei.com", None),
        ("wang@@huawei.com", None),
        ("wang@huawei", None),
        ("@huawei.com", None),
        (".wang@docomo.ne.jp", None),  # this provider had such addresses; no mail server takes them
        ("wang..wei@huawei.com", None),
        ("wang#huawei.com", None),
        ("13900139001", None),
        ("无", None),
    ],
)
def test_one_address(written: str, address: str | None) -> None:
    assert email.read(written) == address


JUDGED = [
    ("wang@huawei.com", "valid", "person"),
    ("wangwei1988@163.com", "valid", "person"),
    ("10001@qq.com", "valid", "person"),
    ("xiaoming23@example.com", "valid", "person"),
    ("info@huawei.com", "valid", "role"),
    ("Sales@huawei.com", "valid", "role"),
    ("sales.cn@huawei.com", "valid", "role"),
    ("400@huawei.com", "valid", "role"),
    ("service02@huawei.com", "valid", "role"),
    ("kefu@huawei.com", "valid", "role"),
    ("no-reply@huawei.com", "valid", "role"),
    ("salesman.wang@huawei.com", "valid", "person"),
    ("wang@mailinator.com", "valid", "disposable"),
    ("wang@mail.mailinator.com", "valid", "disposable"),
    ("wang@21cn.com", "valid", "person"),  # a public list of throw-away providers names this one wrongly
    ("test@test.com", "placeholder", None),
    ("a@example.com", "placeholder", None),
    ("noemail@huawei.com", "placeholder", None),
    ("no-email@huawei.com", "placeholder", None),
    ("test01@huawei.com", "placeholder", None),
    ("a@a.com", "placeholder", None),
    ("1@1.com", "placeholder", None),
    ("123456@qq.com", "placeholder", None),
    ("888@qq.com", "placeholder", None),  # numbers there have five digits or more
    ("wang@huawei.con", "invalid", None),
    ("wang@huawei.cnn", "invalid", None),
    ("wang@gmial.com", "invalid", None),
    ("wang@localhost.local", "invalid", None),
    ("wang.huawei.com", "invalid", None),
    ("\u3000", "missing", None),
    ("", "missing", None),
]


@pytest.mark.requirement("R7")
def test_a_row_keeps_the_judgement_and_only_a_usable_address(cleaning: Cleaning) -> None:
    rows = cleaning.of(*[{"member_id": f"{place:02}", "email": written} for place, (written, *_) in enumerate(JUDGED)])
    found = [(row["email_status"], row["email_kind"]) for row in rows]
    expected = [(status, kind) for _, status, kind in JUDGED]
    assert list(zip(JUDGED, found, strict=True)) == list(zip(JUDGED, expected, strict=True))
    assert {row["email_status"] for row in rows if row["email"]} == {"valid"}
    assert all(row["email_key"] and row["email"] for row in rows if row["email_status"] == "valid")


@pytest.mark.parametrize(
    ("address", "compared"),
    [
        ("wang.wei+news@gmail.com", "wangwei@gmail.com"),
        ("wangwei@googlemail.com", "wangwei@gmail.com"),
        ("wang.wei@huawei.com", "wang.wei@huawei.com"),
        ("wang.wei+fair2025@huawei.com", "wang.wei@huawei.com"),
        ("+86139@huawei.com", "+86139@huawei.com"),
    ],
)
def test_addresses_that_reach_one_mailbox_compare_equal(address: str, compared: str) -> None:
    assert applied(key, [address]) == [compared]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Wang@huawei.con", "wang@huawei.com"),
        ("wang@gmial.com", "wang@gmail.com"),
        ("wang@gmial.con", "wang@gmail.com"),
        ("wang@qq.cm", "wang@qq.com"),
        ("wang@huawei.com", None),
        ("wang@camtel.cm", None),  # .cm is Cameroon
        ("wang", None),
    ],
)
def test_a_slip_is_named_to_people_and_never_mended(written: str, meant: str | None) -> None:
    assert email.likely(written) == meant


def test_free_providers_are_never_called_throw_away() -> None:
    assert {mail_domain.verdict(domain) for domain in mail_domain.FREE} == {"free"}
    slips = {mail_domain.verdict(domain) for domain in mail_domain.SLIPS}
    assert slips == {"unusable"}
    assert {mail_domain.verdict(meant) for meant in mail_domain.SLIPS.values()} == {"free"}
