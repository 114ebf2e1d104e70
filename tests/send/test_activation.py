"""A campaign comes into force one state wider at a time, or with a reason; one act takes it back."""

import datetime as dt
from pathlib import Path

import pytest

from tasks import ops
from tasks.rollout import versions
from tests.definitions.conftest import GOOD, Company, company
from vesper import live_test as live
from vesper.load import definition_texts
from vesper.model.campaign import Campaign
from vesper.problem import DefinitionsInvalid
from vesper.stage_report import StageFailed
from warehouse.house import House
from warehouse.ledger import live_test
from warehouse.ledger.definitions import hash_of

__all__ = ["company"]

NAME = "campaigns/winback"
CAMPAIGN = GOOD[NAME]


@pytest.fixture
def begun(company: Company) -> Company:
    """A company in force whose campaign is a draft; its scoring rule, which two people would have to sign, is gone."""
    (company.root / "definitions" / "scoring" / "two_orders.yml").unlink()
    company.write(f"{NAME}.yml", CAMPAIGN.replace("state: full", "state: draft"))
    ops.activate_all(company.root, "test", "")
    return company


def go(company: Company, state: str, reason: str = "") -> str:
    text = CAMPAIGN.replace("state: full", f"state: {state}")
    company.write(f"{NAME}.yml", text)
    ops.activate(company.root, "campaigns", "winback", hash_of(definition_texts(company.root)[NAME]), "anna", reason)
    return hash_of(text)


def state(root: Path) -> str:
    house = House.open(root)
    try:
        return house.definitions_at(None).one(Campaign, "winback").state
    finally:
        house.close()


@pytest.mark.requirement("R101")
def test_step_by_step_needs_no_reason_and_a_step_left_out_does(begun: Company) -> None:
    with pytest.raises(StageFailed, match="pilot, partial"):
        go(begun, "full")
    assert state(begun.root) == "draft"
    for step in ("pilot", "partial", "full", "pilot", "stopped", "draft", "pilot"):
        go(begun, step)
        assert state(begun.root) == step
    go(begun, "full", "the same mail as last year")
    assert state(begun.root) == "full"
    begun.write("campaigns/second.yml", CAMPAIGN)
    with pytest.raises(StageFailed, match="second"):
        ops.activate_all(begun.root, "anna", " ")
    ops.activate_all(begun.root, "anna", "tested elsewhere")


@pytest.mark.requirement("R101", "R119")
def test_one_act_takes_a_campaign_back(begun: Company) -> None:
    go(begun, "pilot")
    full = go(begun, "full", "no time")
    ops.roll_back(begun.root, "campaigns", "winback", "anna", "wrong price")
    assert state(begun.root) == "pilot"
    house = House.open(begun.root)
    version = versions(house.engine)
    then = version(full)
    house.close()
    assert isinstance(then, Campaign)
    assert (then.id, then.state) == ("winback", "full")


@pytest.mark.requirement("R99")
def test_a_version_that_nobody_kept_is_none(begun: Company) -> None:
    house = House.open(begun.root)
    version = versions(house.engine)
    segment = definition_texts(begun.root)["segments/dormant"]
    assert [version(None), version("0" * 64), version(hash_of(segment))] == [None, None, None]
    house.close()


@pytest.mark.requirement("R101")
def test_in_production_nobody_reaches_everybody_without_a_live_test(begun: Company) -> None:
    """RFC 8058: the one-click unsubscribe was tried over the wire, and the newest try passed."""
    settings = begun.root / "vesper.toml"
    settings.write_text(f"production = true\n{settings.read_text(encoding='utf-8')}", encoding="utf-8")
    go(begun, "pilot")
    go(begun, "partial")
    with pytest.raises(StageFailed, match="unsubscribe"):
        go(begun, "full")
    house, tested = House.open(begun.root), live.tested_hash("winback", "")
    for passed in (False, True):
        with house.engine.begin() as connection:
            live_test.record(connection, "winback", tested, passed, "200", "anna", dt.datetime(2018, 1, 1))
            assert live_test.is_passed(connection, "winback", tested) is passed
    house.close()
    go(begun, "full")
    assert state(begun.root) == "full"


@pytest.mark.requirement("R107", "R119")
def test_what_could_only_hold_is_refused(begun: Company) -> None:
    text = CAMPAIGN.replace("max_people: 300", "max_people: 300\napproved_people: 301")
    begun.write(f"{NAME}.yml", text)
    with pytest.raises(DefinitionsInvalid, match="301"):
        ops.activate_all(begun.root, "anna", "test")
