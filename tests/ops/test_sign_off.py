"""Scoring rules come into force when marketing and sales have both agreed to exactly these (R56)."""

import shutil
from pathlib import Path

import pytest

from tasks import ops
from tasks.sign_off import sign_off
from vesper.load import definition_texts
from vesper.problem import DefinitionsInvalid
from vesper.stage_report import StageFailed
from warehouse.house import House
from warehouse.ledger.definitions import hash_of, in_force
from warehouse.ledger.engine import reading
from warehouse.ledger.sign_off import scoring_in_force, scoring_set, signed_by

RULE = "scoring/two_orders_7d"


@pytest.fixture
def company(repository: Path, tmp_path: Path) -> Path:
    """The grocer, whose definitions come into force only when somebody says so; nothing is in force yet."""
    root = tmp_path / "company"
    shutil.copytree(repository / "examples" / "grocer" / "definitions", root / "definitions")
    settings = (repository / "examples" / "grocer" / "vesper.toml").read_text(encoding="utf-8")
    recorded = settings.replace('activate = "automatic"', 'activate = "recorded"')
    (root / "vesper.toml").write_text(recorded, encoding="utf-8")
    return root


def change(root: Path, old: str, new: str, name: str = RULE) -> str:
    """Edit a definition; returns the hash of its file."""
    file = root / "definitions" / f"{name}.yml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return hash_of(definition_texts(root)[name])


def activate(root: Path, name: str) -> str:
    kind, id = name.split("/")
    return ops.activate(root, kind, id, hash_of(definition_texts(root)[name]), "ops", "test")


def both_sign(root: Path, hash: str = "") -> None:
    sign_off(root, hash, "marketing", "李娜")
    sign_off(root, hash, "sales", "王强")


def files_hash(root: Path) -> str:
    return scoring_set({name: hash_of(text) for name, text in definition_texts(root).items()})


def state(root: Path) -> tuple[set[str], str]:
    """Names in force, and the hash of the scoring set in force."""
    house = House.open(root)
    try:
        with reading(house.engine) as connection:
            return {item.name for item in in_force(connection)}, scoring_in_force(connection)
    finally:
        house.close()


@pytest.mark.requirement("R56")
def test_a_company_begins_when_both_have_signed_and_not_before(company: Path) -> None:
    hash = files_hash(company)
    for _role in ("marketing", "sales"):
        with pytest.raises(StageFailed, match=f"{hash}.*--role {_role}"):
            ops.activate_all(company, "ops", "test")
        assert state(company)[0] == set()
        sign_off(company, "", _role, "某人")
    ops.activate_all(company, "ops", "test")
    assert state(company) == (set(definition_texts(company)), hash)


@pytest.mark.requirement("R56")
@pytest.mark.parametrize(
    ("name", "old", "new"), [(RULE, "points: 10", "points: 11"), ("policy/scoring", "mql_at: 80", "mql_at: 75")]
)
def test_a_changed_rule_or_mql_line_needs_both_again_for_exactly_its_hash(
    company: Path, repository: Path, name: str, old: str, new: str
) -> None:
    shutil.copy(repository / "definitions" / "policy" / "scoring.yml", company / "definitions" / "policy")
    both_sign(company)
    ops.activate_all(company, "ops", "test")
    before = state(company)
    change(company, old, new, name)
    with pytest.raises(StageFailed, match="marketing, sales"):
        activate(company, name)
    both_sign(company)
    change(company, "says:", "# one word more\nsays:", name)
    with pytest.raises(StageFailed):
        activate(company, name)
    assert state(company) == before
    change(company, "# one word more\n", "", name)
    activate(company, name)
    assert state(company)[1] == files_hash(company) != before[1]


@pytest.mark.requirement("R56")
def test_what_is_no_scoring_needs_nobody_and_an_agreed_set_may_come_back(company: Path) -> None:
    both_sign(company)
    ops.activate_all(company, "ops", "test")
    first = state(company)[1]
    change(company, "name:", "# 只改说明\nname:", "segments/mql")
    activate(company, "segments/mql")
    change(company, "points: 10", "points: 11")
    both_sign(company)
    activate(company, RULE)
    assert state(company)[1] != first
    ops.roll_back(company, "scoring", "two_orders_7d", "ops", "back to what was agreed")
    assert state(company)[1] == first


@pytest.mark.requirement("R56")
def test_going_back_to_what_nobody_signed_is_refused(company: Path) -> None:
    activated_by_itself(company)
    change(company, "points: 10", "points: 11")
    activated_by_itself(company)
    with pytest.raises(StageFailed, match="marketing, sales"):
        ops.roll_back(company, "scoring", "two_orders_7d", "ops", "back")
    assert state(company)[1] == files_hash(company)


def activated_by_itself(root: Path) -> None:
    """Open the workspace as one for development, where edited files come into force by themselves."""
    settings = root / "vesper.toml"
    recorded = settings.read_text(encoding="utf-8")
    settings.write_text(recorded.replace('"recorded"', '"automatic"'), encoding="utf-8")
    house = House.open(root)
    assert house.definitions
    house.close()
    settings.write_text(recorded, encoding="utf-8")


def test_a_company_without_scoring_of_its_own_has_nothing_to_sign(company: Path) -> None:
    shutil.rmtree(company / "definitions" / "scoring")
    ops.activate_all(company, "ops", "test")
    assert "policy/scoring" in state(company)[0]


def test_check_says_who_has_not_signed_and_signing_says_what_is_missing(company: Path) -> None:
    hash = files_hash(company)
    assert f"{hash} 等待 marketing, sales 签核" in ops.check(company)
    said = sign_off(company, hash[:8], "sales", "王强", "季度评审")
    assert hash in said and "sales (王强)" in said and "尚缺：marketing" in said
    assert f"{hash} 等待 marketing 签核" in ops.check(company)
    assert "可以生效" in sign_off(company, "", "marketing", "李娜")
    assert sign_off(company, "", "marketing", "李娜") == sign_off(company, "", "marketing", "李娜")
    assert "签核" not in ops.check(company)


def test_only_a_known_set_is_signed_by_a_role_with_a_name(company: Path) -> None:
    with pytest.raises(LookupError, match=files_hash(company)):
        sign_off(company, "ffffffff", "sales", "王强")
    for role, by in (("finance", "王强"), ("sales", " ")):
        with pytest.raises(LookupError, match="marketing 或 sales"):
            sign_off(company, "", role, by)
    change(company, "points: 10", "points: many")
    with pytest.raises(DefinitionsInvalid):
        sign_off(company, "", "sales", "王强")
    house = House.open(company)
    with reading(house.engine) as connection:
        assert signed_by(connection, files_hash(company)) == {}
    house.close()
