"""Linkage: trained without labels, frozen, and the same weight for the same pair whatever else there is (R5, R6)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from bench.identity.file import opened
from vesper.identity.model_text import with_model
from vesper.load import parse
from vesper.model.linkage import PARTS, Linkage, population
from vesper.presets import PRESETS
from vesper.problem import DefinitionsInvalid
from vesper.reading import read
from warehouse.linkage import NotTrainable, scored, train
from warehouse.linkage import fields as linkage_fields
from warehouse.runner import Runner

CONTACT = (PRESETS / "linkage" / "contact.yml").read_text(encoding="utf-8")
SURNAMES, GIVEN = "王李张刘陈杨黄赵周吴", "伟芳娜敏静丽强磊军洋艳勇杰娟涛明超秀霞平"
COLUMNS = ("record", "name_key", "phone", "email_key", "company_key", "city")
CITIES = ("上海", "广州", "成都", "杭州")
Person = tuple[str | None, ...]


def person(number: int) -> Person:
    """A person's fields, from its number alone."""
    name = SURNAMES[number % 10] + GIVEN[number // 10 % 20] + GIVEN[number // 7 % 20]
    phone = f"+86139{(number * 7919 + 10_007) % 10**8:08}"
    return name, phone, f"p{number * 104_729 % 10**7:07}@anwen.cn", f"公司{number % 97}", CITIES[number % 4]


def records(people: int) -> list[tuple[str | None, ...]]:
    """Every person once, every other one twice: the second row lacks a field and may carry a slip."""
    rows = []
    for number in range(people):
        fields = person(number)
        rows.append((f"crm:{number:05}", *fields))
        if number % 2:
            second = [None if place == number // 2 % 5 else value for place, value in enumerate(fields)]
            if number % 10 == 1 and second[0]:
                second[0] = second[0][0] + GIVEN[number % 20] + second[0][2]
            rows.append((f"web:{number:05}", *second))
    return rows


def bound(runner: Runner, rows: Sequence[tuple[str | None, ...]]) -> sa.Table:
    columns = list(zip(*rows, strict=True))
    table = pa.table({name: pa.array(columns[place], pa.string()) for place, name in enumerate(COLUMNS)})
    runner.bind_arrow("compared", table, "test")
    return sa.Table("compared", sa.MetaData(), *[sa.Column(name, sa.String) for name in COLUMNS])


def contact(text: str = CONTACT) -> Linkage:
    found = parse("linkage", "contact", text)
    assert isinstance(found, Linkage)
    return found


def weights(found: pa.Table) -> dict[tuple[str, str], int]:
    return {(row["record_a"], row["record_b"]): row["weight"] for row in found.to_pylist()}


def fresh_of(runner: Runner, names: list[str]) -> str:
    runner.bind_arrow("fresh", pa.table({"record": pa.array(names, pa.string())}), "test")
    return "fresh"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with opened() as found:
        yield found


@pytest.fixture(scope="module")
def linkage() -> Linkage:
    """The linkage that ships, with every scored pair reported."""
    return contact().model_copy(update={"smallest": None})


@pytest.mark.requirement("R5")
def test_training_finds_the_people_without_labels_and_twice_the_same(runner: Runner, linkage: Linkage) -> None:
    table = bound(runner, records(200))
    trained = train(runner, table, linkage.model_copy(update={"model": None}))
    assert train(runner, table, linkage.model_copy(update={"model": None})) == trained
    found = weights(scored(runner, table, trained))
    true = {pair for pair, weight in found.items() if pair[0][4:] == pair[1][4:] and weight > 0}
    false = {pair for pair, weight in found.items() if pair[0][4:] != pair[1][4:] and weight > 0}
    assert (len(true), len(false)) == (100, 0)


@pytest.mark.requirement("R6")
def test_a_shared_phone_of_two_names_is_a_household(runner: Runner, linkage: Linkage) -> None:
    phone = "+8613912345678"
    rows = [
        ("crm:1", "王伟明", phone, None, None, "上海"),
        ("crm:2", "李娜", phone, None, None, "上海"),
        ("crm:3", "王伟明", phone, None, None, None),
        ("crm:4", None, phone, None, None, None),
        *records(200)[10:],
    ]
    found = weights(scored(runner, bound(runner, rows), linkage))
    assert found["crm:1", "crm:2"] < -5_000
    assert found["crm:1", "crm:3"] > found["crm:1", "crm:4"] > 0


@pytest.mark.requirement("R6")
@pytest.mark.parametrize("name", ["祝英苔", "ying tai zhu", "zhu yingtai"])
def test_a_name_is_known_by_its_sound(runner: Runner, linkage: Linkage, name: str) -> None:
    """Homophones and pinyin in either order; another name in letters is no evidence for anybody."""
    rows = [
        ("crm:1", "祝英台", None, None, "安闻", None),
        ("crm:2", name, None, None, "安闻", None),
        ("crm:3", "liang shanbo", None, None, "安闻", None),
        *records(100),
    ]
    found = weights(scored(runner, bound(runner, rows), linkage))
    assert found["crm:1", "crm:2"] > 0
    assert ("crm:1", "crm:3") not in found


@pytest.mark.requirement("R6")
def test_only_pairs_of_fresh_records_are_scored_and_weigh_what_they_always_weigh(
    runner: Runner, linkage: Linkage
) -> None:
    table = bound(runner, records(400))
    every = weights(scored(runner, table, linkage))
    fresh = {"crm:00001", "web:00003", "crm:00010", "nobody:1"}
    some = weights(scored(runner, table, linkage, fresh_of(runner, sorted(fresh))))
    assert some == {pair: weight for pair, weight in every.items() if fresh & set(pair)}
    assert some


def test_one_more_record_moves_no_weight(runner: Runner, linkage: Linkage) -> None:
    rows = records(300)
    before = weights(scored(runner, bound(runner, rows), linkage))
    after = weights(scored(runner, bound(runner, [*rows, ("zz:1", "钱多多", None, None, None, None)]), linkage))
    assert before == after
    assert population(1_000_000) == population(1_010_000) == 1 << 20


def test_the_order_of_records_moves_no_weight(runner: Runner, linkage: Linkage) -> None:
    rows = records(200)
    found = scored(runner, bound(runner, rows), linkage)
    assert scored(runner, bound(runner, rows[::-1]), linkage).equals(found)
    assert all(a < b for a, b in weights(found))


@pytest.mark.requirement("R6")
def test_a_larger_base_asks_for_more_evidence(runner: Runner, linkage: Linkage) -> None:
    rows = [("crm:1", "王伟明", None, None, "安闻", None), ("crm:2", "王伟明", None, None, "安闻", None)]
    few = weights(scored(runner, bound(runner, [*rows, *records(50)]), linkage))["crm:1", "crm:2"]
    many = weights(scored(runner, bound(runner, [*rows, *records(1000)]), linkage))["crm:1", "crm:2"]
    assert few > many


def test_friends_of_friends_are_scored_and_cannot_be_done_in_part(runner: Runner, linkage: Linkage) -> None:
    rows = [
        ("crm:1", "王伟明", "+8613911112222", None, None, None),
        ("crm:2", "王伟明", "+8613911112222", "a@anwen.cn", None, None),
        ("crm:3", "王伟明", None, "a@anwen.cn", None, "上海"),
    ]
    wide = linkage.model_copy(update={"has_friends": True})
    assert ("crm:1", "crm:3") not in weights(scored(runner, bound(runner, rows), linkage))
    assert ("crm:1", "crm:3") in weights(scored(runner, bound(runner, rows), wide))
    with pytest.raises(ValueError, match="rebuilt whole"):
        scored(runner, bound(runner, rows), wide, fresh_of(runner, ["crm:1"]))


def test_an_untrained_or_outdated_model_is_refused(runner: Runner, linkage: Linkage) -> None:
    table = bound(runner, records(20))
    with pytest.raises(ValueError, match="no model"):
        scored(runner, table, linkage.model_copy(update={"model": None}))
    assert linkage.model
    levels = {name: judged for name, judged in linkage.model.levels.items() if name != "city"}
    outdated = linkage.model.model_copy(update={"levels": levels})
    with pytest.raises(ValueError, match="Train it again"):
        scored(runner, table, linkage.model_copy(update={"model": outdated}))


@pytest.mark.parametrize("count", [0, 1])
def test_rows_that_are_no_pair_train_nothing(runner: Runner, count: int) -> None:
    runner.bind_arrow("compared", pa.table({name: pa.array([name] * count, pa.string()) for name in COLUMNS}), "test")
    table = sa.Table("compared", sa.MetaData(), *[sa.Column(name, sa.String) for name in COLUMNS])
    with pytest.raises(NotTrainable):
        train(runner, table, contact())


def test_a_model_is_written_into_its_definition_and_read_back(linkage: Linkage) -> None:
    model = linkage.model
    assert model
    text = with_model(CONTACT, model)
    assert text == with_model(text, model)
    assert contact(text).model == model
    other = model.model_copy(update={"records": 5})
    assert contact(with_model(text, other)).model == other
    assert contact(with_model(text, other)).version != contact(text).version


def test_parts_are_the_same_in_definition_and_engine() -> None:
    assert {kind: tuple(parts) for kind, parts in linkage_fields.PARTS.items()} == PARTS


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  - [phone]\n", "  - [fone]\n", "fone is no field of this linkage."),
        ("phone.head", "phone.nose", "phone.nose: a field of kind phone has no such part."),
        ("training:\n  - [phone]", "training:\n  - [phone.head]", "A training rule names whole fields only."),
        (
            "training:\n  - [phone]\n  - [name, company]\n  - [email]",
            "training:\n  - [phone]",
            "No training rule leaves phone open, so it learns nothing.",
        ),
    ],
)
def test_a_slip_in_a_linkage_is_named(before: str, after: str, said: str) -> None:
    with pytest.raises(DefinitionsInvalid, match=said.replace(".", r"\.")):
        contact(CONTACT.replace(before, after, 1))


def test_what_people_share_is_no_authority() -> None:
    text = (PRESETS / "policy" / "identity.yml").read_text(encoding="utf-8")
    slipped = text.replace("phone: {strength: guarded", "phone: {strength: authority")
    problems = read("policy", "identity", slipped, "", str).problems
    assert [problem.what for problem in problems] == ["People share a phone, so it is no authority."]


def test_nothing_of_scoring_is_left_in_the_connection(runner: Runner, linkage: Linkage) -> None:
    scored(runner, bound(runner, records(20)), linkage)
    left = runner.query("select table_name from information_schema.tables").fetchall()
    assert [name for (name,) in left if "splink" in name or name.startswith("linkage_")] == []


def test_the_shipped_policy_names_only_shipped_linkages() -> None:
    assert {file.stem for file in (Path(PRESETS) / "linkage").glob("*.yml")} == {"contact"}
