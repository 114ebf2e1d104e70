"""What marketing ops see and do around a campaign: its page, why somebody got what, its states (R99, R101, R108, R110, R113)."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks import ops
from tasks.explain import explain, explain_why
from tasks.explain_campaign import campaign_pages
from tasks.set_state import set_state
from tasks.sql import Unanswered
from tests.night.looking import engine_of, messages
from tests.small_grocer import LAST, GrocerNights, copied
from vesper.model.campaign import Campaign
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import MESSAGE, REFUSAL

CAMPAIGN = "winback_silent"


@pytest.fixture
def root(grocer_nights: GrocerNights, tmp_path: Path) -> Path:
    return copied(grocer_nights.after[LAST], tmp_path / "grocer")


def _one(root: Path, query: sa.Select[tuple[str]]) -> str:
    engine = engine_of(root)
    with reading(engine) as connection:
        found = connection.scalars(query.limit(1)).one()
    engine.dispose()
    return found


@pytest.mark.requirement("R113")
def test_each_campaign_has_a_page_of_what_became_of_everybody(root: Path) -> None:
    pages = campaign_pages(root)
    assert {CAMPAIGN, "winback_coupon"} <= pages.keys()
    engine = engine_of(root)
    mine = sa.select(sa.func.count()).where(MESSAGE.c.campaign_id == CAMPAIGN, MESSAGE.c.state == "accepted")
    with reading(engine) as connection:
        accepted = connection.scalar(mine)
    engine.dispose()
    assert f"| 已接收 | - | {accepted} |" in pages[CAMPAIGN]
    assert "@" not in pages[CAMPAIGN].replace("marketing@", "")
    ops.stop(root, "a wrong price", "ops", CAMPAIGN)
    assert "已暂停" in campaign_pages(root)[CAMPAIGN]


@pytest.mark.requirement("R108")
def test_why_somebody_got_it_and_why_not(root: Path) -> None:
    got = _one(root, sa.select(MESSAGE.c.contact_id).where(MESSAGE.c.campaign_id == CAMPAIGN))
    said = explain_why(root, got, CAMPAIGN)
    assert "已接收" in said and "250" in said
    mine = sa.select(REFUSAL.c.contact_id).where(REFUSAL.c.campaign_id == CAMPAIGN, REFUSAL.c.reason == "no_consent")
    refused = _one(root, mine)
    said = explain_why(root, refused, CAMPAIGN)
    assert said.count("没有授权") >= 2, "the night's refusal, and what a plan would say now"
    with pytest.raises(Unanswered, match=CAMPAIGN):
        explain_why(root, got, "winback_silemt")
    with pytest.raises(Unanswered):
        explain_why(root, CAMPAIGN, CAMPAIGN)


@pytest.mark.requirement("R101")
def test_a_campaign_goes_to_another_state_and_back_in_one_action(root: Path) -> None:
    file = root / "definitions" / "campaigns" / f"{CAMPAIGN}.yml"
    before = file.read_text(encoding="utf-8")
    set_state(root, CAMPAIGN, "stopped", "ops", "a wrong price")
    assert "state: stopped" in file.read_text(encoding="utf-8")
    assert _state(root) == "stopped"
    assert "已停止" in set_state(root, CAMPAIGN, "stopped", "ops", "again")
    set_state(root, CAMPAIGN, "full", "ops", "the price is right now")
    assert file.read_text(encoding="utf-8") == before
    assert _state(root) == "full"
    assert set(messages(root).values()) >= {"accepted"}


@pytest.mark.requirement("R101")
def test_a_file_that_says_more_is_left_alone(root: Path) -> None:
    file = root / "definitions" / "campaigns" / f"{CAMPAIGN}.yml"
    settings = root / "vesper.toml"
    settings.write_text(settings.read_text().replace('activate = "automatic"', 'activate = "recorded"'))
    edited = file.read_text(encoding="utf-8").replace("max_people: 300", "max_people: 299")
    file.write_text(edited, encoding="utf-8")
    assert "state: stopped" in set_state(root, CAMPAIGN, "stopped", "ops", "a wrong price")
    assert file.read_text(encoding="utf-8") == edited
    with pytest.raises(LookupError, match="no_such"):
        set_state(root, "no_such", "full", "ops", "-")


@pytest.mark.requirement("R113")
def test_explain_shows_a_campaign_whole(root: Path) -> None:
    said = explain(root, CAMPAIGN)
    assert f"definitions/campaigns/{CAMPAIGN}.yml" in said


def _state(root: Path) -> str:
    house = House.open(root)
    try:
        return house.definitions_at(None).of(Campaign)[CAMPAIGN].state
    finally:
        house.close()
