"""`vesper train linkage`: from the rows of the last night to a definition that can be put in force, or one sentence and nothing written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import ops
from tasks.sql import Unanswered
from tasks.train import FEWEST_ROWS, train_linkage
from tests.cli.conftest import vesper as vesper
from tests.identity.nights import POLICY, People
from tests.identity.test_incremental_splink import rows
from vesper.load import definition_texts, load_definitions, parse
from vesper.model.linkage import Linkage
from vesper.presets import preset_text
from vesper.problem import DefinitionsInvalid
from warehouse.ledger.definitions import hash_of

COUNT = 1000
OWN = """# 我们自己的
says: 只看姓名和手机。
owner: data@example.com
fields:
  name: {column: name_key, kind: name}
  phone: {column: phone, kind: phone, is_near_unique: true}
comparisons: {name: [name], phone: [phone]}
blocking: [[phone], [name.sound]]
training: [[phone], [name]]
certain: {rules: [[phone, name]]}
clusters: {join: 1000}  # 宁缺毋滥
"""
NAMED = (preset_text("policy", "identity") or "").rstrip() + " contact\n"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    found = People(tmp_path / "people", POLICY)
    yield found
    found.close()


def file_of(people: People, key: str) -> Path:
    file = people.root / "definitions" / f"{key}.yml"
    file.parent.mkdir(exist_ok=True)
    return file


@pytest.mark.requirement("R5", "R119")
def test_a_shipped_linkage_is_trained_on_the_companys_rows_and_put_in_force(people: People) -> None:
    people.night(0, rows(COUNT))
    said = train_linkage(people.root, "contact")
    text = file_of(people, "linkage/contact").read_text(encoding="utf-8")
    hash = hash_of(text)[:12]
    assert said.startswith(
        f"linkage/contact is trained on 1,000 source rows; put it in force with `vesper activate linkage/contact {hash}`. "
    )
    assert said.endswith("No night uses it until definitions/policy/identity.yml says `linkage: contact`.")
    trained, shipped = (
        parse("linkage", "contact", text),
        parse("linkage", "contact", preset_text("linkage", "contact") or ""),
    )
    assert isinstance(trained, Linkage) and isinstance(shipped, Linkage)
    assert trained.model is not None and trained.model.records == COUNT
    assert trained.model_copy(update={"model": None}) == shipped.model_copy(update={"model": None})
    assert trained.version != shipped.version
    assert definition_texts(people.root)["linkage/contact"] == text

    file_of(people, "policy/identity").write_text(NAMED, encoding="utf-8")
    with pytest.raises(
        DefinitionsInvalid, match=r"The linkage contact is not in force\. Activate linkage/contact first\."
    ):
        ops.activate(people.root, "policy", "identity", hash_of(NAMED), "test", "too early")
    assert "linkage/contact is in force" in ops.activate(people.root, "linkage", "contact", hash, "test", "trained")
    ops.activate(people.root, "policy", "identity", hash_of(NAMED), "test", "named")
    assert people.house.definitions_at(None).one(Linkage, "contact") == trained


def test_a_linkage_of_the_company_that_is_named_before_it_is_trained(people: People) -> None:
    """The way that `vesper check` tells: the comments of the file stay."""
    own = file_of(people, "linkage/people")
    own.write_text(OWN, encoding="utf-8")
    file_of(people, "policy/identity").write_text(NAMED.replace("contact", "people"), encoding="utf-8")
    with pytest.raises(DefinitionsInvalid, match="Train it first: `vesper train linkage people`"):
        load_definitions(people.root)
    people.night(0, rows(COUNT))
    assert train_linkage(people.root, "people").endswith("`.")
    assert own.read_text(encoding="utf-8").startswith(OWN + "model:\n")
    assert load_definitions(people.root).one(Linkage, "people").model is not None


def test_too_few_rows_train_nothing(people: People) -> None:
    people.night(0, rows(20))
    with pytest.raises(Unanswered) as raised:
        train_linkage(people.root, "contact")
    assert (
        str(raised.value) == f"linkage/contact was not trained: 20 source rows are too few, it takes {FEWEST_ROWS:,}."
    )
    assert not (people.root / "definitions" / "linkage").exists()


def test_rows_that_share_nothing_train_nothing(people: People) -> None:
    people.night(0, [{**row, "phone": None} for row in rows(COUNT)])
    with pytest.raises(Unanswered, match=r"too few rows agree on phone, name \+ company, email to learn from"):
        train_linkage(people.root, "contact")
    assert not (people.root / "definitions" / "linkage").exists()


def test_a_column_that_no_row_has(people: People) -> None:
    people.night(0, rows(20))
    text = preset_text("linkage", "contact") or ""
    file_of(people, "linkage/contact").write_text(text.replace("company_key", "compny_key"), encoding="utf-8")
    with pytest.raises(Unanswered, match=r"core__source_record has no column compny_key. Did you mean company_key?"):
        train_linkage(people.root, "contact")
    assert file_of(people, "linkage/contact").read_text(encoding="utf-8") == text.replace("company_key", "compny_key")


@pytest.mark.parametrize("id", ["contcat", "../policy/identity"])
def test_an_unknown_linkage_is_one_sentence_of_the_command(people: People, vesper: object, id: str) -> None:
    said = vesper("train", "linkage", id, "-w", people.root)  # type: ignore[operator]
    assert (said.code, said.out) == (1, "")
    (sentence,) = said.err.splitlines()
    assert sentence.startswith(f"There is no linkage {id}. ")
    assert "contact" in sentence


def test_the_command_before_any_night(tmp_path: Path, vesper: object) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "一家店"\nlanguage = "zh_CN"\n', encoding="utf-8")
    said = vesper("train", "linkage", "contact", "-w", tmp_path)  # type: ignore[operator]
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
