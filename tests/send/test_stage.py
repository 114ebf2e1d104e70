"""The send stage on a real night: pilots reach few, a campaign beyond its limits holds and says so, and whom mail comes back from is left alone."""

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.send import send
from tests.small_grocer import LAST, WINBACK, GrocerNights, change, copied
from vesper.marts.message import MESSAGE as MART
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import MESSAGE, REFUSAL
from warehouse.ledger.send_stop import scope_of, set_stopped
from warehouse.runner import Runner


@pytest.fixture(autouse=True)
def _key() -> None:
    """The small grocer has a key of its own, not that of the other tests here."""


@pytest.fixture
def after_the_night(grocer_nights: GrocerNights, tmp_path: Path) -> Path:
    """The small grocer after a night that planned and sent; tests put further campaigns beside the two that ran."""
    return copied(grocer_nights.after[LAST], tmp_path / "grocer")


def add(root: Path, id: str, *changes: str) -> None:
    file = root / "definitions" / "campaigns" / f"{id}.yml"
    file.write_text(WINBACK, encoding="utf-8")
    for one in changes:
        old, new = one.split(" -> ")
        change(file, old, new)


def decisions(root: Path, id: str) -> Counter[str]:
    house = House.open(root)
    with reading(house.engine) as connection:
        refused = sa.select(REFUSAL.c.reason, sa.func.count()).where(REFUSAL.c.campaign_id == id)
        found = Counter(dict(tuple(row) for row in connection.execute(refused.group_by(REFUSAL.c.reason))))
        mine = sa.select(sa.func.count()).select_from(MESSAGE).where(MESSAGE.c.campaign_id == id)
        found["intent"] = int(connection.scalar(mine) or 0)
    house.close()
    return found


@pytest.mark.requirement("R99", "R101", "R107", "R108", "R113")
def test_states_and_holds_of_a_night(after_the_night: Path) -> None:
    root = after_the_night
    add(root, "pilot", "state: full -> state: pilot\npilot: {people: 5}")
    add(root, "partial", "state: full -> state: partial\npartial: 0.5")
    add(root, "too_many", "max_people: 300 -> max_people: 3")
    add(root, "other", "max_people: 300 -> max_people: 300\napproved_people: 300")
    add(root, "paused")
    house = House.open(root)
    set_stopped(house.engine, "anna", "wrong price", True, scope_of("paused"))
    house.close()

    report = send(root, LAST, may_send=True)

    full = decisions(root, "winback_silent")["intent"]
    assert full > 10
    assert decisions(root, "pilot")["intent"] == 5
    assert decisions(root, "pilot")["pilot"] == full - 5
    partial = decisions(root, "partial")
    assert 0 < partial["intent"] < full
    assert partial["intent"] + partial["partial"] == full
    for id, reason in (("too_many", "over_max_people"), ("other", "deviation"), ("paused", "paused")):
        assert (decisions(root, id)["intent"], decisions(root, id)[reason]) == (0, full)
    assert any("campaigns/too_many" in said and f"{full} > 3" in said for said in report.warnings)
    assert any("campaigns/other" in said and f"{full} / 300" in said for said in report.warnings)
    planned = {row["campaign_id"]: row for row in report.facts["planned"]}
    assert planned["pilot"]["state"] == "pilot"
    assert planned["other"]["deviation"] == full
    house = House.open(root)
    with Runner(house.lake) as runner:
        runner.bind_snapshot(MART, house.lake.in_force(MART.name))
        rows = runner.rows(sa.select(MART.c.series_id, MART.c.content_id, MART.c.variant).distinct())
    house.close()
    assert {(row.series_id, row.content_id) for row in rows} == {("Winback2018Q1", "winback_coupon")}
    assert "default" in {row.variant for row in rows}
    assert all(row.variant for row in rows)


@pytest.mark.requirement("R62", "R99")
def test_the_same_night_again_plans_nobody_else(after_the_night: Path) -> None:
    add(after_the_night, "pilot", "state: full -> state: pilot\npilot: {people: 5}")
    first = send(after_the_night, LAST, may_send=True)
    counts = decisions(after_the_night, "pilot")
    again = send(after_the_night, LAST, may_send=True)
    assert decisions(after_the_night, "pilot") == counts
    assert again.facts["planned"] == first.facts["planned"]
