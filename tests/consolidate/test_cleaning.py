"""Contact rows cleaned to core__source_record: every column, from any source, and the same again from what came out (R9, R14)."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.clean import cleaned
from tests.cleaning.rows import AT, Cleaning, contact_source
from vesper.cleaning import email, phone
from vesper.cleaning.look_up import PHONE
from vesper.consolidate import contact_row
from vesper.tables.contact import SOURCE_RECORD
from warehouse.arrow_schema import arrow_schema
from warehouse.sql_text import sql_text

FULL = {
    "member_id": "M1", "card": " １０ 01 ", "unionid": "u-1", "openid": "o1", "crm_id": "7", "name": "陳 曉東先生",
    "phone": "１３９００１３９００１/010-62345678 转 801", "email": " Mailto:Chen.XD+expo@Firma.COM.cn ", "company": "西門子（中國）有限公司",
    "job_title": "采购　经理", "owner": " 王销售 ", "province": "上海市", "city": "上海", "registered_at": dt.date(2025, 3, 1),
    "changed_at": dt.date(2025, 3, 2), "is_deleted": False, "gender": " 女士", "birth_on": dt.date(1992, 2, 29),
}  # fmt: skip


@pytest.fixture
def cleaning(tmp_path: Path) -> Iterator[Cleaning]:
    own = Cleaning(tmp_path)
    yield own
    own.close()


@pytest.mark.requirement("R14", "R8", "R7")
def test_every_column_of_a_row(cleaning: Cleaning) -> None:
    (row,) = cleaning.of(FULL)
    assert row == {
        "source": "crm_member", "record_key": "M1", "card": "1001", "unionid": "u-1", "openid": "crm:o1", "crm_id": "crm:7",
        "name": "陳 曉東先生", "name_key": "陈晓东", "phone": "+8613900139001", "phone_status": "valid", "other_phone": "+861062345678",
        "email": "chen.xd+expo@firma.com.cn", "email_key": "chen.xd@firma.com.cn", "email_status": "valid", "email_kind": "person",
        "company": "西門子（中國）有限公司", "company_key": "西门子中国", "company_from": "stated", "job_title": "采购 经理", "owner": "王销售",
        "province": "上海", "city": "上海", "region_status": "exact", "region_from": "stated",
        "registered_at": dt.datetime(2025, 2, 28, 16), "changed_at": dt.datetime(2025, 3, 1, 16), "received_at": AT, "trust": 50,
        "excluded_by": None, "gender": "female", "birth_on": dt.date(1992, 2, 29),
    }  # fmt: skip
    assert set(row) == set(SOURCE_RECORD.c.keys())


@pytest.mark.parametrize(
    ("written", "gender"), [("男", "male"), ("F", "female"), (" Mr. ", "male"), ("1", None), ("保密", None), ("", None)]
)
def test_a_gender_is_read_from_words_and_never_from_a_bare_number(
    cleaning: Cleaning, written: str, gender: str | None
) -> None:
    (row,) = cleaning.of({"member_id": "M1", "gender": written})
    assert row["gender"] == gender


def test_a_row_that_says_nothing(cleaning: Cleaning) -> None:
    (row,) = cleaning.of({"member_id": "M1"})
    said = {name: value for name, value in row.items() if value is not None}
    judged = {"phone_status": "missing", "email_status": "missing", "region_status": "none"}
    assert said == {"source": "crm_member", "record_key": "M1", "received_at": AT, "trust": 50} | judged


@pytest.mark.requirement("R9")
def test_what_came_out_goes_in_and_comes_out_again(cleaning: Cleaning) -> None:
    """Idempotence of the whole: each value that was kept is kept, and each key is the key of itself."""
    rows = [
        FULL | {"member_id": "1"},
        {"phone": "1.38E+10", "email": "a@example.con", "name": "Mr. John Smith"},
        {"city": "Hangzhou"},
    ]
    once = cleaning.of(*rows)
    kept = (
        "card",
        "unionid",
        "openid",
        "crm_id",
        "name",
        "phone",
        "other_phone",
        "email",
        "company",
        "job_title",
        "gender",
        "birth_on",
        "owner",
        "province",
        "city",
    )
    again = cleaning.of(
        *[
            {name: row[name] for name in ("record_key", *kept) if name != "record_key"}
            | {"member_id": row["record_key"]}
            for row in once
        ]
    )
    for name in (*kept, "name_key", "email_key", "company_key"):
        assert [row[name] for row in again] == [row[name] for row in once], name


WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text("王小明先生 Tom.", max_size=8),
        "phone": st.text("1390+-/ 转(86)", max_size=18) | st.just("+86 13900139001"),
        "email": st.text("ab@.+c", max_size=10).map(lambda text: text + "@b.com"),
        "company": st.text("华为有限公司 ABC", max_size=10),
        "region": st.sampled_from(["上海", "浙江 杭州", "朝阳区", "火星", "苏州", "Guangdong"]),
    },
)


@pytest.mark.requirement("R9")
@given(rows=st.lists(WRITTEN, min_size=1, max_size=8))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_lost_and_each_is_judged(cleaning: Cleaning, rows: list[dict[str, str]]) -> None:
    found = cleaning.of(*rows)
    assert sorted(row["record_key"] for row in found) == sorted(str(number) for number in range(len(rows)))
    for row in found:
        assert (row["phone"] is not None) == (row["phone_status"] == "valid")
        assert (row["email"] is not None) == (row["email_status"] == "valid") == (row["email_kind"] is not None)
        assert (row["province"] is not None) == (row["region_status"] in ("exact", "province_only"))
        assert (row["city"] is not None) == (row["region_status"] == "exact")
        assert (row["region_from"] is not None) == (row["province"] is not None)
        assert row["other_phone"] is None or row["other_phone"] != row["phone"]


# one value of several fields


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"first_name": "小明", "last_name": "王"}, "王小明"),
        ({"first_name": "John", "last_name": "Smith"}, "John Smith"),
        ({"first_name": "John"}, "John"),
        ({"last_name": "王"}, "王"),
        ({"first_name": "Tom", "last_name": "王"}, "Tom 王"),
        ({"name": "王小明", "first_name": "Xiaoming", "last_name": "Wang"}, "王小明"),
        ({"first_name": " ", "last_name": ""}, None),
    ],
)
def test_a_name_of_two_fields(cleaning: Cleaning, said: dict[str, str], name: str | None) -> None:
    assert [row["name"] for row in cleaning.of(said)] == [name]


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"province": "浙江省", "city": "杭州市"}, ("浙江", "杭州", "exact", "stated")),
        ({"province": "Shanghai", "city": "Shanghai"}, ("上海", "上海", "exact", "stated")),
        ({"country": "中国", "province": "广东"}, ("广东", None, "province_only", "stated")),
        ({"country": "China", "city": "Shenzhen"}, ("广东", "深圳", "exact", "stated")),
        ({"country": "United States", "city": "New York"}, (None, None, "none", None)),
        ({"country": "香港"}, ("香港", "香港", "exact", "stated")),
        ({"country": "中国"}, (None, None, "none", None)),
        ({"region": "朝阳区"}, (None, None, "ambiguous", None)),
        ({"region": "朝阳区", "city": "北京"}, ("北京", "北京", "exact", "stated")),
    ],
)
def test_a_region_of_several_fields(cleaning: Cleaning, said: dict[str, str], place: tuple[str | None, ...]) -> None:
    (row,) = cleaning.of(said)
    assert (row["province"], row["city"], row["region_status"], row["region_from"]) == place


@pytest.mark.requirement("R8")
def test_the_phone_tells_a_region_only_where_nothing_is_stated(cleaning: Cleaning) -> None:
    rows = cleaning.of(
        {"phone": "010-62345678"},
        {"phone": "010-62345678", "region": "杭州"},
        {"phone": "010-62345678", "region": "朝阳区"},
        {"phone": "010-62345678", "region": "Mars"},
        {"phone": "010-62345678", "country": "Germany"},
        {"phone": "+49 30 901820"},
        {"phone": "400-800-1234"},
        {"phone": "13800138000"},
    )
    assert [(row["province"], row["region_status"], row["region_from"]) for row in rows] == [
        ("北京", "exact", "phone_prefix"),
        ("浙江", "exact", "stated"),
        (None, "ambiguous", None),
        (None, "none", None),
        (None, "none", None),
        (None, "none", None),
        (None, "none", None),
        (None, "none", None),
    ]


def test_ids_are_those_of_a_system(cleaning: Cleaning) -> None:
    """Two systems may give one id to two people; sources of one system share theirs, and an id that names its system keeps it."""
    contacts = cleaning.bind(contact_source("member_id", "crm_id", id="hubspot_contact"), [{"crm_id": "7"}])
    leads = cleaning.bind(
        contact_source("member_id", "crm_id", id="web_lead", crm="hubspot"), [{"crm_id": "7"}, {"crm_id": "pardot:7"}]
    )
    others = cleaning.bind(
        contact_source("member_id", "crm_id", "openid", id="wechat_fan"), [{"crm_id": "7", "openid": "o1"}]
    )
    rows = cleaning.records(contacts, leads, others)
    assert [row["crm_id"] for row in rows] == ["hubspot:7", "hubspot:7", "pardot:7", "wechat:7"]
    assert [row["openid"] for row in rows][-1] == "wechat:o1"


# rows that make no contact


def excluded(*rows: tuple[str, str, str]) -> sa.Subquery:
    names = [sa.column(name, sa.String) for name in ("source", "record_key", "rule")]
    return sa.select(sa.values(*names, name="given").data(list(rows))).subquery("out")


def test_a_row_is_kept_out_by_its_own_word_or_by_a_rule(cleaning: Cleaning) -> None:
    said = cleaning.bind(
        contact_source("member_id", "name", "is_deleted"), [{"is_deleted": True}, {"is_deleted": False}, {}, {}]
    )
    rule = excluded(("crm_member", "3", "deleted_at_source"), ("web_form", "2", "deleted_at_source"))
    rows = cleaning.records(said, excluded=rule)
    assert [row["excluded_by"] for row in rows] == ["deleted_at_source", None, None, "deleted_at_source"]


def test_nothing_personal_is_left_of_an_erased_row(cleaning: Cleaning) -> None:
    said = cleaning.bind(contact_source(*FULL), [FULL])
    rule = excluded(("crm_member", "M1", "deleted_at_source"), ("crm_member", "M1", "erased"))
    (row,) = cleaning.records(said, excluded=rule)
    assert row["excluded_by"] == "erased"
    assert {name: row[name] for name in SOURCE_RECORD.info["personal"] if row[name] is not None} == {}
    assert (row["phone_status"], row["email_status"]) == ("missing", "missing")


# the same rows, the same result


def test_the_order_of_rows_and_sources_changes_nothing(cleaning: Cleaning, tmp_path: Path) -> None:
    rows = [
        {"member_id": str(n), "phone": f"1390013900{n}转1", "email": f"a{n}@huawei.com", "company": "华为"}
        for n in range(9)
    ]
    first = cleaning.of(*rows)
    assert cleaning.of(*reversed(rows)) == first
    crm, form = contact_source("member_id", "phone"), contact_source("member_id", "phone", id="web_form")
    one, two = cleaning.bind(crm, rows[:4]), cleaning.bind(form, rows[4:])
    assert cleaning.records(one, two) == cleaning.records(two, one)


def test_what_was_looked_up_is_part_of_the_recipe(cleaning: Cleaning) -> None:
    """So that another release of a library, or another numbering plan, makes the night write source records anew."""
    said = contact_row.all_said([cleaning.bind(contact_source("member_id", "phone"), [{"phone": "手机13900139001"}])])
    first, again = (cleaned(cleaning.runner, said) for _ in range(2))
    recipes = [cleaning.runner.prepare(select, SOURCE_RECORD).recipe for select in (first, again)]
    assert recipes[0] == recipes[1]
    other = pa.table({"written": ["手机13900139001"], "number": [None], "other": [None], "status": ["invalid"]})
    cleaning.runner.bind_arrow("cleaned_phone", other.cast(arrow_schema(PHONE.table)))
    assert cleaning.runner.prepare(first, SOURCE_RECORD).recipe != recipes[0]


@pytest.mark.reference
def test_quick_and_thorough_reading_agree_on_a_whole_crm(cleaning: Cleaning, reference_data: Path) -> None:
    columns = ["phone", "email"]
    table = pq.read_table(reference_data / "identity" / "synthetic_crm_100k.parquet", columns=columns).slice(0, 20_000)
    cleaning.runner.bind_arrow("crm", table)
    crm = sa.table("crm", *[sa.column(name, sa.String) for name in columns])
    for name, quick, read in (
        ("phone", phone.quick, lambda text: phone.read(text).number),
        ("email", email.quick, email.read),
    ):
        query = (
            sa.select(crm.c[name].label("written"), quick(crm.c[name]).label("quick"))
            .where(crm.c[name].is_not(None))
            .distinct()
        )
        found: pa.Table = cleaning.runner.arrow(query)
        rows = [row for row in found.to_pylist() if row["quick"] is not None]
        assert len(rows) > 0.9 * found.num_rows, sql_text(query)
        assert [row for row in rows if read(row["written"]) != row["quick"]] == []
