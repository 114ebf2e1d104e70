"""What stewards decide: named as people name it, refused where it cannot be, in force from its night on, gone with an erasure."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks import steward
from tasks.erase import erase
from tasks.night import directly, run_night
from tasks.stage import open_stage
from tests.night.looking import engine_of, ledger_rows, rows
from tests.ops.conftest import NIGHT
from vesper.stage_report import StageFailed
from vesper.tables.ledger_copy import LEDGER_STEWARD
from warehouse.ledger.schema import STEWARD_RULE

EVE = NIGHT - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def shop(grocer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grocer whose steward rules this module changes."""
    return Path(shutil.copytree(grocer, tmp_path_factory.mktemp("steward") / "grocer"))


def contacts(root: Path) -> list[tuple[str, list[str]]]:
    """Contacts with their source rows, those of many rows first."""
    found: dict[str, list[str]] = {}
    for row in rows(root, "core__contact_member"):
        found.setdefault(row["contact_id"], []).append(f"{row['source']}:{row['record_key']}")
    return sorted(((id, sorted(names)) for id, names in found.items()), key=lambda each: (-len(each[1]), each[0]))


def bound(root: Path, on: dt.date) -> list[dict[str, Any]]:
    """The rules that a night reads."""
    with pytest.raises(StageFailed, match="looked at"), open_stage(root, "consolidate", on) as bench:
        table = steward.bind_rules(bench)
        found = bench.records(sa.select(table).order_by(table.c.rule_id))
        raise StageFailed("looked at, and nothing is published")
    return found


@pytest.mark.requirement("R104")
def test_a_link_is_named_by_rows_or_by_contacts_and_stands_once(shop: Path) -> None:
    (one, names), (other, others) = contacts(shop)[:2]
    said = steward.link(shop, one, others[-1], "anna", "电话确认")
    (rule,) = [rule for rule in steward.rules(shop) if rule["kind"] == "must_link"]
    pair = sorted([names[0], others[-1]])
    assert [rule["record_a"], rule["record_b"], rule["by"], rule["reason"]] == [*pair, "anna", "电话确认"]
    assert rule["recorded_on"] == NIGHT and f"规则 {rule['rule_id']}" in said
    with pytest.raises(steward.AlreadySaid, match=f"规则 {rule['rule_id']} 已经这样规定"):
        steward.link(shop, others[-1], names[0], "ben", "again")
    with pytest.raises(LookupError, match=f"steward lift {rule['rule_id']}"):
        steward.separate(shop, names[0], others[-1], "ben", "no")
    steward.lift(shop, rule["rule_id"], "ben", "认错人了")
    steward.separate(shop, names[0], others[-1], "ben", "认错人了")
    with pytest.raises(LookupError, match="已经解除"):
        steward.lift(shop, rule["rule_id"], "ben", "twice")
    assert other


@pytest.mark.requirement("R104")
def test_a_pin_is_kept_with_its_value_and_shown_without(shop: Path) -> None:
    who, names = contacts(shop)[2]
    steward.pin(shop, who, "name", " 王小明 ", "anna", "身份证")
    steward.pin(shop, names[1], "email", "", "anna", "他人邮箱")
    pins = [rule for rule in bound(shop, NIGHT) if rule["kind"] == "pin"]
    assert [(rule["record_a"], rule["field"], rule["value"]) for rule in pins] == [
        (names[0], "name", "王小明"),
        (names[1], "email", None),
    ]
    assert all("value" not in rule for rule in steward.rules(shop))
    with pytest.raises(LookupError, match="source_count"):
        steward.pin(shop, who, "source_count", "7", "anna", "x")


def test_nobody_and_oneself_are_one_sentence(shop: Path) -> None:
    who, names = contacts(shop)[0]
    with pytest.raises(LookupError, match="crm_member:none"):
        steward.link(shop, "crm_member:none", who, "anna", "x")
    with pytest.raises(LookupError, match="同一条来源记录"):
        steward.link(shop, who, names[0], "anna", "x")
    with pytest.raises(LookupError, match="999"):
        steward.lift(shop, 999, "anna", "x")


@pytest.mark.requirement("R23", "R104")
def test_a_night_sees_the_rules_of_its_time_in_declared_columns(shop: Path) -> None:
    assert bound(shop, EVE) == []
    tonight = bound(shop, NIGHT)
    assert tonight and set(tonight[0]) == set(LEDGER_STEWARD.c.keys())
    assert {rule["kind"] for rule in tonight} <= {"must_link", "cannot_link", "pin"}


def contact_of(root: Path, record: str) -> str:
    (found,) = [id for id, names in contacts(root) if record in names]
    return found


@pytest.mark.requirement("R104", "R6")
def test_a_night_keeps_to_what_was_decided_and_a_lift_gives_back_both(grocer: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(grocer, tmp_path / "grocer"))
    (one, names), (other, others), *_ = contacts(root)
    steward.link(root, one, other, "anna", "同一个人")
    steward.pin(root, one, "name", "王小明", "anna", "身份证")
    run_night(directly, root, NIGHT, False, ("consolidate",))
    kept = {contact_of(root, name) for name in (*names, *others)}
    assert len(kept) == 1
    (golden,) = [row for row in rows(root, "core__contact") if row["contact_id"] in kept]
    assert golden["name"] == "王小明"
    for rule in steward.rules(root):
        steward.lift(root, rule["rule_id"], "anna", "认错人了")
    run_night(directly, root, NIGHT, False, ("consolidate",))
    assert {contact_of(root, name) for name in names} == {one}
    assert {contact_of(root, name) for name in others} == {other}


@pytest.mark.requirement("R90", "R104")
def test_what_was_decided_about_a_person_goes_with_the_person(grocer: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(grocer, tmp_path / "grocer"))
    (one, names), (other, _), (third, _) = contacts(root)[:3]
    steward.pin(root, one, "name", "王小明", "anna", "x")
    steward.separate(root, one, other, "anna", "x")
    steward.link(root, other, third, "anna", "x")
    (rule, *_) = steward.rules(root)
    steward.lift(root, rule["rule_id"], "anna", "x")
    erase(root, names[-1], "anna", "x")
    left = ledger_rows(root, STEWARD_RULE)
    assert [row[1] for row in left] == ["must_link"]
    engine_of(root).dispose()
