"""What comes into force fits together, or does not come into force at all (R119)."""

import shutil
from pathlib import Path

import pytest

from tasks import ops
from tasks.sign_off import sign_off
from vesper.load import definition_texts
from vesper.problem import DefinitionsInvalid
from warehouse.house import House
from warehouse.ledger.definitions import hash_of, in_force


@pytest.fixture
def company(repository: Path, tmp_path: Path) -> Path:
    """The grocer, with definitions that come into force only when somebody says so."""
    root = tmp_path / "company"
    shutil.copytree(repository / "examples" / "grocer" / "definitions", root / "definitions")
    settings = (repository / "examples" / "grocer" / "vesper.toml").read_text(encoding="utf-8")
    assert 'activate = "automatic"' in settings
    recorded = settings.replace('activate = "automatic"', 'activate = "recorded"')
    (root / "vesper.toml").write_text(recorded, encoding="utf-8")
    return root


def activated(root: Path, name: str) -> None:
    kind, id = name.split("/")
    ops.activate(root, kind, id, hash_of(definition_texts(root)[name]), "test", "test")


def names_in_force(root: Path) -> list[str]:
    house = House.open(root)
    with house.engine.connect() as connection:
        names = [item.name for item in in_force(connection)]
    house.close()
    return names


@pytest.mark.requirement("R119")
def test_a_definition_whose_neighbour_is_not_in_force_is_refused_and_leaves_nothing(company: Path) -> None:
    with pytest.raises(DefinitionsInvalid):
        activated(company, "campaigns/winback_coupon")
    assert names_in_force(company) == []


@pytest.mark.requirement("R119")
def test_a_company_begins_with_all_its_files_and_changes_one_by_one(company: Path) -> None:
    for role in ("marketing", "sales"):
        sign_off(company, "", role, "test")
    ops.activate_all(company, "test", "the first night")
    assert names_in_force(company) == sorted(definition_texts(company))
    segment = company / "definitions" / "segments" / "mql.yml"
    segment.write_text(segment.read_text(encoding="utf-8") + "# read once more\n", encoding="utf-8")
    activated(company, "segments/mql")
    assert ops.activate_all(company, "test", "nothing is left") == ""
