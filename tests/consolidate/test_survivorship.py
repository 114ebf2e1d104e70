"""Which value of each field survives: examples by hand, and random rows against the same rules in plain Python."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.consolidate.golden_rows import Golden, Row, open_runner, pinned, record, shipped_policy
from vesper.consolidate import company, contact
from vesper.model.survivorship import CompanyPart, ContactPart, FieldRule, SurvivorshipPolicy
from warehouse.runner import Runner


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with open_runner(tmp_path_factory.mktemp("golden")) as runner:
        yield runner


def test_the_policy_can_name_every_part_and_no_other() -> None:
    assert set(get_args(ContactPart)) == contact.PARTS.keys() == set(contact.FIELDS.values())
    assert set(get_args(CompanyPart)) == company.PARTS.keys()


@pytest.mark.requirement("R1", "R14")
def test_each_field_takes_its_own_best_row(runner: Runner) -> None:
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", trust=80, days_ago=9, name="王先生", phone="+861062345678", province="浙江"),
            record("app_signup", "A", "c1", trust=60, days_ago=1, name="王小明", phone="+8613900139001", email="info@x.cn",
                   email_kind="role"),
            record("web_form", "W", "c1", trust=40, days_ago=5, name="王小", email="w@x.cn", email_kind="person",
                   province="浙江", city="杭州", company="华为技术有限公司", job_title="工程师"),
        ]
    )  # fmt: skip
    row = golden.contact()
    assert (row["name"], row["phone"], row["email"]) == ("王小明", "+8613900139001", "w@x.cn")
    assert (row["province"], row["city"], row["job_title"]) == ("浙江", "杭州", "工程师")
    assert row["company"] == "华为技术有限公司"
    assert row["company_id"] == golden.companies()["华为技术有限公司"]["company_id"]
    assert golden.origins() == {
        "name": ("app_signup:A", "trusted"),
        "phone": ("app_signup:A", "verified"),
        "email": ("web_form:W", "verified"),
        "province": ("web_form:W", "complete"),
        "city": ("web_form:W", "complete"),
        "company": ("web_form:W", "only"),
        "job_title": ("web_form:W", "only"),
    }


@pytest.mark.requirement("R1")
def test_rows_that_say_the_same_agree_and_nothing_empty_replaces_a_value(runner: Runner) -> None:
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", trust=80),
            record("app_signup", "A", "c1", trust=60, name="王 小明", email="w@x.cn"),
            record("web_form", "W", "c1", trust=40, name="王小明"),
        ]
    )
    assert golden.contact()["name"] == "王 小明"
    assert golden.origins() == {"name": ("app_signup:A", "agreed"), "email": ("app_signup:A", "only")}


def test_a_city_never_stands_below_another_province(runner: Runner) -> None:
    policy = shipped_policy().model_copy(update={"contact": {"region": FieldRule(prefer=("trusted",))}})
    golden = Golden(runner, policy).make(
        [
            record("crm_member", "1", "c1", trust=80, province="广东"),
            record("app_signup", "A", "c1", trust=60, province="浙江", city="杭州"),
        ]
    )
    assert (golden.contact()["province"], golden.contact()["city"]) == ("广东", None)
    assert golden.origins() == {"province": ("crm_member:1", "trusted")}


def test_a_stated_region_stands_above_that_of_a_phone(runner: Runner) -> None:
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", trust=80, province="上海", city="上海", region_from="phone_prefix"),
            record("app_signup", "A", "c1", trust=60, province="浙江", city="杭州"),
        ]
    )
    assert golden.contact()["city"] == "杭州"
    assert golden.origins()["city"] == ("app_signup:A", "stated")


def test_sources_can_be_ordered_for_one_field(runner: Runner) -> None:
    policy = shipped_policy().model_copy(
        update={"contact": {"owner": FieldRule(prefer=("trusted",), sources=("app_signup",))}}
    )
    golden = Golden(runner, policy).make(
        [
            record("crm_member", "1", "c1", trust=80, owner="李雷", job_title="总监"),
            record("app_signup", "A", "c1", trust=60, owner="韩梅梅", job_title="主管"),
        ]
    )
    assert (golden.contact()["owner"], golden.contact()["job_title"]) == ("韩梅梅", "总监")


def test_a_source_whose_clock_runs_ahead_is_not_the_most_recent_for_ever(runner: Runner) -> None:
    ahead = dt.datetime(2031, 1, 1)
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", days_ago=9, owner="李雷", changed_at=ahead),
            record("app_signup", "A", "c1", days_ago=1, owner="韩梅梅"),
        ]
    )
    assert golden.contact()["owner"] == "韩梅梅"


def test_rows_that_a_rule_excludes_have_no_say(runner: Runner) -> None:
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", trust=80, name="李雷", phone="+8613900139009", excluded_by="erased"),
            record("app_signup", "A", "c1", trust=60, name="王小明"),
        ]
    )
    assert (golden.contact()["name"], golden.contact()["phone"], golden.contact()["source_count"]) == (
        "王小明",
        None,
        1,
    )
    assert golden.runner.rows(contact.excluded()) == [("erased", 1)]


@pytest.mark.requirement("R104")
def test_a_pin_stands_above_every_rule_and_names_itself(runner: Runner) -> None:
    records = [
        record("crm_member", "1", "c1", trust=80, name="王小明", phone="+8613900139001", province="浙江", city="杭州"),
        record("app_signup", "A", "c1", trust=60, name="王晓明", company="甲有限公司"),
        record("app_signup", "B", "c2", name="李雷"),
    ]
    pins = [
        pinned(1, "app_signup:A", "name", "王筱明"),
        pinned(2, "crm_member:1", "name", "王萧明", dt.date(2026, 2, 3)),
        pinned(3, "crm_member:1", "phone", None),
        pinned(4, "crm_member:1", "province", "广东"),
        pinned(5, "app_signup:A", "company", "乙有限公司"),
        pinned(6, "gone:1", "name", "无人"),
    ]
    golden = Golden(runner).make(records, pins)
    row = golden.contact()
    assert (row["name"], row["phone"], row["province"], row["city"]) == ("王萧明", None, "广东", None)
    assert row["company_id"] == golden.companies()["乙有限公司"]["company_id"]
    assert golden.origins() == {
        "name": ("vesper_steward:2", "pin"),
        "province": ("vesper_steward:4", "pin"),
        "company": ("vesper_steward:5", "pin"),
    }
    assert golden.contact("c2")["name"] == "李雷"


@pytest.mark.requirement("R13")
def test_every_identifier_of_one_contact_finds_it_and_a_shared_one_finds_nobody(runner: Runner) -> None:
    golden = Golden(runner).make(
        [
            record("crm_member", "1", "c1", phone="+8613900139001", unionid="u1", crm_id="sf:1"),
            record("wechat_fan", "2", "c1", phone="+8613900139002", unionid="u1", openid="app:o1", other_phone="+8613900139001"),
            record("crm_member", "3", "c2", phone="+8613900139002", email="w@x.cn"),
        ]
    )  # fmt: skip
    found = {(row["kind"], row["value"]): row["contact_id"] for row in golden.tables["core__contact_identifier"]}
    assert found == {
        ("phone", "+8613900139001"): "c1",
        ("unionid", "u1"): "c1",
        ("openid", "app:o1"): "c1",
        ("crm_id", "sf:1"): "c1",
        ("email", "w@x.cn"): "c2",
    }


@pytest.mark.parametrize(
    "rule",
    [
        {"prefer": []},
        {"prefer": ["recent", "trusted"]},
        {"prefer": ["trusted", "trusted"]},
        {"prefer": ["recent"], "sources": ["crm_member"]},
        {"prefer": ["verified"]},
    ],
)
def test_a_rule_that_cannot_decide_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SurvivorshipPolicy.model_validate({"says": "x", "owner": "x", "contact": {"owner": rule}})


# random rows against plain Python --------------------------------------------------------------------------------------

ORDERS = ("complete", "trusted", "frequent", "longest")
FIELD = "name"


@st.composite
def rules(draw: st.DrawFn) -> FieldRule:
    order = tuple(draw(st.lists(st.sampled_from(ORDERS), unique=True)))
    ends = draw(st.booleans()) or not order
    sources = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True)) if "trusted" in order else []
    return FieldRule(prefer=(*order, "recent") if ends else order, sources=tuple(sources))


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    names = st.sampled_from([None, "王小明", "王 小明", "王先生", "王晓明", "小*明", "John Smith", "John", "李"])
    kept = draw(
        st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), names, st.integers(1, 6)), min_size=1, max_size=40)
    )
    trusts = {1: 80, 2: 60, 3: 80}
    return [
        record(f"s{source}", str(number), f"c{contact_id}", trust=trusts[source], days_ago=days, name=name)
        for number, (source, days, name, contact_id) in enumerate(kept)
    ]


def expected(records: list[Row], rule: FieldRule) -> tuple[str | None, tuple[str, str] | None]:
    """The surviving name of a contact's rows, and its origin, by sorting."""
    named = [row for row in records if row["name"]]
    by_age = sorted(records, key=lambda row: (row["source"], row["record_key"]))
    by_age.sort(key=lambda row: row["received_at"], reverse=True)
    listed = {source: number for number, source in enumerate(rule.sources)}

    def level(row: Row, preference: str) -> int:
        if preference == "complete":
            han = [letter for letter in row["name_key"] if letter >= "一"]
            is_whole = len(han) > 1 if any(letter >= "一" for letter in row["name"]) else " " in row["name"]
            return 2 if "*" in row["name"] else int(not is_whole)
        if preference == "trusted":
            return listed.get(row["source"], 1000 - int(row["trust"]))
        if preference == "frequent":
            return -sum(1 for other in named if other["name_key"] == row["name_key"])
        return -len(row["name_key"]) if preference == "longest" else by_age.index(row)

    order = [*[each for each in rule.prefer if each != "recent"], "recent"]
    ranked = sorted(named, key=lambda row: [level(row, each) for each in order])
    if not ranked:
        return None, None
    best = ranked[0]
    rival = next((row for row in ranked if row["name_key"] != best["name_key"]), None)
    why = "only" if len(named) == 1 else "agreed"
    if rival is not None:
        why = next(each for each in order if level(best, each) != level(rival, each))
    return best["name"], (f"{best['source']}:{best['record_key']}", why)


@pytest.mark.requirement("R1")
@given(records=rows(), rule=rules())
@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
def test_random_rows_survive_as_plain_python_says(runner: Runner, records: list[Row], rule: FieldRule) -> None:
    policy = shipped_policy().model_copy(update={"contact": {FIELD: rule}})
    golden = Golden(runner, policy).make(records)
    for contact_id in {row["contact_id"] for row in records}:
        mine = [row for row in records if row["contact_id"] == contact_id]
        name, origin = expected(mine, rule)
        assert golden.contact(contact_id)["name"] == name
        assert golden.origins(contact_id).get(FIELD) == origin
