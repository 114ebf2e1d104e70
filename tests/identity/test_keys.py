"""Keys: what names a person, what names a place, and the links that follow (R5, R6, R13)."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.identity.file import identity_policy, opened
from vesper.identity import keys, names
from vesper.model.identity import IdentityPolicy
from vesper.tables.contact import SOURCE_RECORD
from warehouse.arrow_schema import arrow_schema
from warehouse.runner import Runner

MOBILE, OTHER, LANDLINE, SWITCHBOARD = "+8613912340001", "+8613912340002", "+862168880000", "+864008001234"
Row = dict[str, object]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with opened() as found:
        yield found


@pytest.fixture(scope="module")
def policy() -> IdentityPolicy:
    return identity_policy()


def row(key: str, **held: object) -> Row:
    return {"source": "crm", "record_key": key, "email_status": "valid" if held.get("email_key") else "missing", **held}


def bound(runner: Runner, rows: list[Row]) -> sa.Table:
    schema = arrow_schema(SOURCE_RECORD)
    columns = {field.name: pa.array([one.get(field.name) for one in rows], field.type) for field in schema}
    runner.bind_arrow(SOURCE_RECORD.name, pa.table(columns, schema=schema), "test")
    return SOURCE_RECORD


def tables(runner: Runner, rows: list[Row], policy: IdentityPolicy) -> tuple[sa.Table, sa.Table, sa.Table]:
    records = bound(runner, rows)
    identifier = runner.materialize(keys.identifiers(records, policy), "identifier")
    return records, identifier, runner.materialize(keys.shared_keys(identifier, policy), "shared")


def links(runner: Runner, rows: list[Row], policy: IdentityPolicy) -> set[tuple[str, str, str]]:
    _, identifier, shared = tables(runner, rows, policy)
    found = runner.rows(keys.key_links(identifier, shared, policy, policy.deciding(None)))
    return {(link.record_a, link.record_b, link.rule) for link in found}


@pytest.mark.requirement("R5", "R6")
def test_a_key_links_its_rows_to_the_smallest_one(runner: Runner, policy: IdentityPolicy) -> None:
    rows = [row("3", phone=MOBILE), row("1", phone=MOBILE, card="c9"), row("2", card="c9"), row("4", phone=OTHER)]
    assert links(runner, rows, policy) == {("crm:1", "crm:3", "phone"), ("crm:1", "crm:2", "card")}


@pytest.mark.requirement("R6")
def test_a_second_number_of_a_row_is_a_phone_too(runner: Runner, policy: IdentityPolicy) -> None:
    only_phone = policy.model_copy(
        update={"keys": {"phone": policy.keys["phone"].model_copy(update={"columns": ("phone", "other_phone")})}}
    )
    rows = [row("1", phone=OTHER, other_phone=MOBILE), row("2", phone=MOBILE)]
    assert links(runner, rows, only_phone) == {("crm:1", "crm:2", "phone")}


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("number", [LANDLINE, SWITCHBOARD])
def test_landlines_and_switchboards_never_link(runner: Runner, policy: IdentityPolicy, number: str) -> None:
    assert links(runner, [row("1", phone=number), row("2", phone=number)], policy) == set()


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("kind", ["role", "disposable"])
def test_mailboxes_of_no_person_never_link(runner: Runner, policy: IdentityPolicy, kind: str) -> None:
    rows = [row(key, email_key="sales@anwen.cn", email_kind=kind) for key in "12"]
    assert links(runner, rows, policy) == set()


@pytest.mark.requirement("R6")
def test_a_phone_of_many_names_links_nobody(runner: Runner, policy: IdentityPolicy) -> None:
    people = ["王伟", "李娜", "张敏", "刘洋"]
    rows = [row(str(place), phone=MOBILE, name_key=name) for place, name in enumerate(people)]
    assert links(runner, rows, policy) == set()
    assert len(links(runner, rows[:3], policy)) == 2


@pytest.mark.requirement("R6")
def test_a_big_contact_keeps_its_own_phone_through_slips(runner: Runner, policy: IdentityPolicy) -> None:
    slips = ["王小铭", "王晓明", "汪小明", "王小朋"]
    rows = [row(f"{place:03}", phone=MOBILE, name_key="王小明") for place in range(30)]
    rows += [row(f"9{place}", phone=MOBILE, name_key=name) for place, name in enumerate(slips)]
    assert len(links(runner, rows, policy)) == len(rows) - 1


@pytest.mark.requirement("R6")
def test_surnames_alone_name_nobody_and_guard_nothing(runner: Runner, policy: IdentityPolicy) -> None:
    rows = [row(str(place), phone=MOBILE, name_key=name) for place, name in enumerate(["王", "李", "张", "刘", "王伟"])]
    assert len(links(runner, rows, policy)) == 4


@pytest.mark.requirement("R6")
def test_excluded_rows_are_in_no_link(runner: Runner, policy: IdentityPolicy) -> None:
    rows = [row("1", card="c1"), row("2", card="c1", excluded_by="deleted_at_source"), row("3", card="c1")]
    assert links(runner, rows, policy) == {("crm:1", "crm:3", "card")}


@pytest.mark.requirement("R6")
def test_what_names_no_person_is_not_compared_either(runner: Runner, policy: IdentityPolicy) -> None:
    rows = [row(str(place), phone=MOBILE, name_key=name) for place, name in enumerate(["王伟", "李娜", "张敏", "刘洋"])]
    rows += [row("7", phone=LANDLINE), row("8", phone=OTHER, card="c1"), row("9", excluded_by="erased")]
    records, _, shared = tables(runner, rows, policy)
    found = runner.rows(keys.comparable(records, shared, policy, ["name_key", "phone", "card"]))
    assert {(one.record, one.phone) for one in found if one.phone} == {("crm:8", OTHER)}
    assert len(found) == 6


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcde"), st.sampled_from(["", MOBILE, OTHER]), st.sampled_from(["", "王伟", "李娜"])
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_links_do_not_depend_on_the_order_of_rows(
    runner: Runner, policy: IdentityPolicy, drawn: list[tuple[str, str, str]], random: object
) -> None:
    rows = [
        row(f"{place}", card=card, phone=phone or None, name_key=name or None)
        for place, (card, phone, name) in enumerate(drawn)
    ]
    first = links(runner, rows, policy)
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert links(runner, rows, policy) == first
    assert all(a < b for a, b, _ in first)


SAME_PERSON = [
    ("王小明", "王小明"), ("王小明", "王晓明"), ("王明", "王小明"), ("欧阳小明", "欧阳晓明"), ("小明王", "王小明"), ("王", "李娜"),
    ("王", "王小明"), ("wang xiaoming", "xiaoming wang"), ("jon smith", "john smith"), ("anna maria diaz", "maria anna"), ("王小明", "wang xiaoming"),
]  # fmt: skip
TWO_PERSONS = [
    ("王伟", "李娜"),
    ("王明", "王敏"),
    ("王小明", "王大伟"),
    ("john smith", "mary jones"),
    ("王小明", "李晓明"),
]


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(
    ("a", "b", "expected"), [(a, b, False) for a, b in SAME_PERSON] + [(a, b, True) for a, b in TWO_PERSONS]
)
def test_which_names_cannot_be_one_persons(runner: Runner, a: str, b: str, expected: bool) -> None:
    for one, other in ((a, b), (b, a)):
        assert runner.scalar(sa.select(names.incompatible(sa.literal(one), sa.literal(other)))) is expected


def test_a_missing_name_contradicts_nobody(runner: Runner) -> None:
    missing = sa.cast(sa.null(), sa.String)
    assert runner.scalar(sa.select(names.incompatible(missing, sa.literal("王伟")))) is False


@pytest.mark.requirement("R6")
def test_pairs_of_one_component_that_contradict_each_other(runner: Runner, policy: IdentityPolicy) -> None:
    rows = [row("1", unionid="u1", name_key="王伟"), row("2", unionid="u2", name_key="李娜"), row("3", name_key="王伟")]
    records, identifier, _ = tables(runner, rows, policy)
    member = sa.select(
        keys.record_id(records).label("record"),
        sa.literal("crm:1").label("component"),
        records.c.name_key.label("name"),
    ).cte("member")
    pairs = {tuple(pair) for pair in runner.rows(keys.unlike_names(member))}
    assert pairs == {("crm:1", "crm:2"), ("crm:2", "crm:3")}
    assert [tuple(pair) for pair in runner.rows(keys.two_values(identifier, member, "unionid"))] == [("crm:1", "crm:2")]
