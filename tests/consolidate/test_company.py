"""Golden companies: one row for each company however it is written, what it is known by, and what it belongs to."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.consolidate.golden_rows import Golden, Row, open_runner, record, source_of
from vesper.tables.company import COMPANY
from warehouse.runner import Runner

FIELDS = ("account_id", "name", "domain", "industry", "employee_count", "province", "city", "parent_id", "role", "is_deleted", "merged_into")  # fmt: skip
ACCOUNTS = source_of("crm_account", "company", *FIELDS, trust=80)
LEADS = source_of("crm_lead", "contact", "member_id", "account_id", "industry", "employee_count")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with open_runner(tmp_path_factory.mktemp("golden")) as runner:
        yield runner


def account(id: str, name: str | None, **given: Any) -> Row:
    return {"account_id": id, "name": name, **given}


def of_accounts(runner: Runner, *rows: Row, records: tuple[Row, ...] = ()) -> Golden:
    return Golden(runner).make(records, sources={"crm_account": (ACCOUNTS, rows)})


def parents(golden: Golden) -> dict[str, str | None]:
    """Company -> the company above it, by names."""
    names = {row["company_id"]: name for name, row in golden.companies().items()}
    return {name: names.get(row["parent_id"]) for name, row in golden.companies().items()}


@pytest.mark.requirement("R117")
def test_one_company_however_its_name_is_written(runner: Runner) -> None:
    golden = of_accounts(
        runner,
        account("1", "华为技术有限公司", domain="https://www.Huawei.com/cn", industry="通信", employee_count=190000, role="customer"),
        records=(
            record("crm_lead", "1", "c1", trust=60, company="华为技术"),
            record("web_form", "2", "c2", trust=90, company="華為技術有限公司", email="a@huawei.com"),
            record("web_form", "3", "c3", company="上海某某贸易有限公司"),
            record("web_form", "4", "c4", company="个人"),
        ),
    )  # fmt: skip
    found = golden.companies()
    assert sorted(found) == ["上海某某贸易有限公司", "华为技术有限公司"]
    huawei = found["华为技术有限公司"]
    assert (huawei["domain"], huawei["industry"], huawei["employee_count"], huawei["role"]) == (
        "huawei.com", "通信", 190000, "customer",
    )  # fmt: skip
    ids = {row["contact_id"]: row["company_id"] for row in golden.tables["core__contact"]}
    assert ids["c1"] == ids["c2"] == huawei["company_id"] != ids["c3"]
    assert ids["c4"] is None
    again = of_accounts(runner, records=(record("web_form", "9", "c9", company="（华为技术）股份有限公司"),))
    assert [row["company_id"] for row in again.companies().values()] == [huawei["company_id"]]


@pytest.mark.requirement("R8", "R117")
def test_the_companys_own_row_says_where_it_is_and_its_people_only_where_it_does_not(runner: Runner) -> None:
    golden = of_accounts(
        runner,
        account("1", "甲有限公司", province="上海市", city="上海市"),
        account("2", "乙有限公司"),
        records=(
            record("web_form", "1", "c1", trust=90, company="甲有限公司", province="浙江", city="杭州"),
            record("web_form", "2", "c2", company="乙有限公司", province="浙江", city="宁波"),
            record("web_form", "3", "c3", company="乙有限公司", province="浙江", city="宁波"),
            record("web_form", "4", "c4", company="乙有限公司", province="江苏", city="苏州"),
        ),
    )
    places = {name: (row["province"], row["city"]) for name, row in golden.companies().items()}
    assert places == {"甲有限公司": ("上海", "上海"), "乙有限公司": ("浙江", "宁波")}


def test_a_domain_is_the_companys_own_when_nobody_elses_people_use_it(runner: Runner) -> None:
    golden = of_accounts(
        runner,
        records=(
            record("web_form", "1", "c1", company="甲有限公司", email="a@jia.cn"),
            record("web_form", "2", "c2", company="甲有限公司", email="b@jia.cn"),
            record("web_form", "3", "c3", company="乙有限公司", email="a@shared.cn"),
            record("web_form", "4", "c4", company="丙有限公司", email="b@shared.cn"),
            record("web_form", "5", "c5", company="乙有限公司", email="c@shared.cn"),
            record("web_form", "6", "c6", company="丁有限公司", email="c@qq.com"),
            record("web_form", "7", "c7", company="丁有限公司", email="d@qq.com"),
            record("web_form", "8", "c8", company="戊有限公司", email="one@wu.cn"),
        ),
    )
    assert {name: row["domain"] for name, row in golden.companies().items() if row["domain"]} == {
        "甲有限公司": "jia.cn"
    }


@pytest.mark.requirement("R14", "R117")
def test_a_contact_finds_its_company_by_the_account_of_its_system(runner: Runner) -> None:
    leads: list[Row] = [
        {"member_id": "1", "account_id": "A1"},
        {"member_id": "2", "account_id": "A2", "industry": "化工", "employee_count": 12},
        {"member_id": "3", "account_id": "gone"},
    ]
    golden = Golden(runner).make(
        [
            record("crm_lead", "1", "c1", company="甲"),
            record("crm_lead", "2", "c2"),
            record("crm_lead", "3", "c3", company="丙有限公司"),
            record("web_form", "2", "c4"),
        ],
        sources={
            "crm_account": (
                ACCOUNTS,
                [account("A1", "乙有限公司"), account("A2", "旧名有限公司", merged_into="A1", is_deleted=True)],
            ),
            "crm_lead": (LEADS, leads),
        },
    )
    companies = {row["contact_id"]: row["company"] for row in golden.tables["core__contact"]}
    assert companies == {"c1": "乙有限公司", "c2": "乙有限公司", "c3": "丙有限公司", "c4": None}
    assert sorted(golden.companies()) == ["丙有限公司", "乙有限公司"]
    assert (golden.companies()["乙有限公司"]["industry"], golden.companies()["乙有限公司"]["employee_count"]) == (
        "化工",
        12,
    )


@pytest.mark.requirement("R117")
def test_a_branch_belongs_to_the_company_its_name_begins_with(runner: Runner) -> None:
    golden = of_accounts(
        runner,
        account("1", "中国建设银行股份有限公司上海市分行"),
        account("2", "Siemens Ltd., China Beijing Branch"),
        account("3", "大华公司分公司管理有限公司"),
        records=(
            record("web_form", "1", "c1", company="华为技术有限公司深圳分公司"),
            record("web_form", "2", "c2", company="华为技术有限公司"),
        ),
    )
    assert parents(golden) == {
        "华为技术有限公司深圳分公司": "华为技术有限公司",
        "华为技术有限公司": None,
        "中国建设银行股份有限公司上海市分行": "中国建设银行股份有限公司",
        "中国建设银行股份有限公司": None,
        "Siemens Ltd., China Beijing Branch": "Siemens Ltd.",
        "Siemens Ltd.": None,
        "大华公司分公司管理有限公司": None,
    }


@pytest.mark.requirement("R117")
def test_a_declared_parent_is_kept_and_a_ring_of_parents_is_not(runner: Runner) -> None:
    golden = of_accounts(
        runner,
        account("1", "甲有限公司", parent_id="2", role="distributor"),
        account("2", "甲集团控股有限公司"),
        account("3", "乙有限公司", parent_id="4"),
        account("4", "丙有限公司", parent_id="3"),
        account("5", "丁有限公司", parent_id="3"),
        account("6", "戊有限公司", parent_id="6"),
        account("7", "己有限公司", parent_id="1", is_deleted=True),
    )
    assert parents(golden) == {
        "甲有限公司": "甲集团控股有限公司",
        "甲集团控股有限公司": None,
        "乙有限公司": None,
        "丙有限公司": None,
        "丁有限公司": "乙有限公司",
        "戊有限公司": None,
    }


@pytest.mark.requirement("R117")
@given(above=st.lists(st.integers(0, 24), min_size=25, max_size=25))
@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
def test_no_company_is_above_itself_whatever_is_declared(runner: Runner, above: list[int]) -> None:
    rows = [
        account(str(number), f"第{chr(0x4E00 + number)}有限公司", parent_id=str(it)) for number, it in enumerate(above)
    ]
    golden = of_accounts(runner, *rows)
    up = {row["company_id"]: row["parent_id"] for row in golden.tables[COMPANY.name]}
    assert len(up) == len(rows)
    for start in up:
        seen, at = {start}, up[start]
        while at is not None:
            assert at in up
            assert at not in seen
            seen.add(at)
            at = up[at]
