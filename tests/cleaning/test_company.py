"""Keys of companies: SQL and Python agree, a key is its own key (R9), and a company's own mail domain names it."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleaning.rows import Cleaning, contact_source
from tests.cleaning.sql import applied, storable
from vesper.cleaning import company

CHINESE = st.text("华为中国上海有限责任公司股份集团分总（）()株式会社 ", max_size=12)
WORDS = ["Acme", "The", "Co.", "Ltd", "AG", "A.B.", "&", "Group", "Inc", ",", "(China)", "Éclair"]
ENGLISH = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
VALUES = st.lists(st.one_of(CHINESE, ENGLISH, st.text(max_size=10)), min_size=1, max_size=40)


@pytest.mark.requirement("R9")
@given(values=VALUES)
@settings(max_examples=40)
def test_sql_and_python_agree_and_a_key_is_its_own_key(values: list[str]) -> None:
    values = storable(values)
    read = [company.read(value) for value in values]
    for value, quick, slow in zip(values, applied(company.quick, values), read, strict=True):
        assert quick in (None, slow), value
    keys = [key for key in read if key]
    assert [company.read(key) for key in keys] == keys


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("华为技术有限公司", "华为技术"),
        ("華為技術有限公司", "华为技术"),
        ("华为技术 有限公司", "华为技术"),
        ("西门子（中国）有限公司", "西门子中国"),
        ("西门子(中国)有限公司上海分公司", "西门子中国上海"),
        ("西门子（上海）有限公司", "西门子上海"),
        ("Siemens Ltd., China", "siemenschina"),
        ("Siemens (China) Co., Ltd.", "siemenschina"),
        ("海尔集团", "海尔"),
        ("海尔集团公司", "海尔"),
        ("青岛海尔股份有限公司", "青岛海尔"),
        ("三一重工股份有限公司（已注销）", "三一重工"),
        ("上海某某企业管理中心（有限合伙）", "上海某某企业管理中心"),
        ("株式会社日立製作所", "日立制作所"),
        ("㈱日立製作所", "日立制作所"),
        ("The Coca-Cola Company", "cocacola"),
        ("Procter & Gamble Co.", "procterandgamble"),
        ("Foo L.L.C.", "foo"),
        ("SAP AG", "sap"),
        ("AG Barr plc", "agbarr"),  # a short form at the beginning is a name
        ("Bosch GmbH & Co. KG", "bosch"),
        ("IBM", "ibm"),
        ("北京公司宝科技有限公司", "北京公司宝科技"),
        ("个人", None),
        ("无", None),
        ("Self-employed", None),
        ("有限公司", None),
    ],
)
def test_one_company(written: str, key: str | None) -> None:
    assert company.read(written) == key
    assert applied(company.quick, [written])[0] in (None, key)


@pytest.mark.reference
def test_sql_and_python_agree_on_real_names(reference_data: Path) -> None:
    """On every fortieth of the 280,000 short names; nearly all of them need no library."""
    with gzip.open(
        reference_data / "china_companies" / "company_short_names_280k.txt.gz", "rt", encoding="utf-8"
    ) as file:
        names = [line.strip() for place, line in enumerate(file) if place % 40 == 0 and line.strip()]
    quick = applied(company.quick, names)
    differing = [name for name, key in zip(names, quick, strict=True) if key is not None and key != company.read(name)]
    assert differing == []
    assert sum(key is not None for key in quick) > 0.95 * len(names)


# the company behind a mail domain


@pytest.mark.requirement("R12")
def test_a_row_without_company_takes_that_of_its_own_mail_domain(cleaning: Cleaning) -> None:
    rows = cleaning.of(
        {"email": "a1@huawei.com", "company": "华为技术有限公司"},
        {"email": "a2@huawei.com", "company": "華為技術"},
        {"email": "a3@huawei.com"},
        {"email": "b1@163.com", "company": "中兴通讯"},
        {"email": "b2@163.com", "company": "中兴通讯"},
        {"email": "b3@163.com"},  # anybody may have an address there
        {"email": "c1@zte.com.cn", "company": "中兴通讯"},
        {"email": "c2@zte.com.cn"},  # one row is no proof
        {"email": "d1@park.cn", "company": "海尔"},
        {"email": "d2@park.cn", "company": "海信"},
        {"email": "d3@park.cn", "company": "海尔"},
        {"email": "d4@park.cn"},  # several companies share it
        {"email": "a4@huawei.com", "company": "个人"},  # a row that names none, in words, keeps its words
    )
    told = {row["email"]: (row["company"], row["company_key"], row["company_from"]) for row in rows}
    assert told["a1@huawei.com"] == ("华为技术有限公司", "华为技术", "stated")
    assert told["a3@huawei.com"] == ("华为技术有限公司", "华为技术", "mail_domain")
    assert told["a4@huawei.com"] == ("个人", None, "stated")
    assert {told[key] for key in ("b3@163.com", "c2@zte.com.cn", "d4@park.cn")} == {(None, None, None)}


def test_a_few_slips_do_not_cost_a_large_company_its_domain(cleaning: Cleaning) -> None:
    named = [{"email": f"e{number}@huawei.com", "company": "华为技术"} for number in range(9)]
    rows = cleaning.of(*named, {"email": "slip@huawei.com", "company": "华为计术"}, {"email": "new@huawei.com"})
    told = {row["email"]: row["company_key"] for row in rows}
    assert told["new@huawei.com"] == "华为技术"
    assert told["slip@huawei.com"] == "华为计术"


def test_rows_that_their_source_deleted_name_no_company(cleaning: Cleaning) -> None:
    deleted = [{"email": f"e{number}@huawei.com", "company": "华为技术", "is_deleted": True} for number in range(3)]
    rows = cleaning.of(*deleted, {"email": "new@huawei.com", "is_deleted": False})
    assert {row["company_from"] for row in rows if row["email"] == "new@huawei.com"} == {None}
    assert [row["excluded_by"] for row in rows] == ["deleted_at_source"] * 3 + [None]


def test_several_sources_speak_of_one_domain(cleaning: Cleaning) -> None:
    crm = contact_source("member_id", "email", "company")
    form = contact_source("member_id", "email", id="web_form")
    stated = cleaning.bind(crm, [{"email": f"e{number}@huawei.com", "company": "华为技术"} for number in range(2)])
    rows = cleaning.records(stated, cleaning.bind(form, [{"email": "new@huawei.com"}]))
    assert [(row["source"], row["company_from"]) for row in rows][-1] == ("web_form", "mail_domain")
