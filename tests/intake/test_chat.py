"""Who says in a chat that they want to buy gets a person within one turn, and marketing writes no more (R65)."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.tick_company import made
from tasks.handover import handover
from tasks.night import directly, run_night
from tasks.tick import Done, Tick
from tests.handover.world import policy
from vesper.clock import now
from vesper.told import CHAT, told_of
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE
from warehouse.ledger.inbox import Arrival, append


def with_sales(root: Path) -> Path:
    """The company hands over to sales."""
    text = json.dumps(policy().model_dump(mode="json", exclude={"id"}, exclude_none=True), ensure_ascii=False)
    file = root / "definitions" / "policy" / "sales.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    house = House.open(root)
    house.activate_files("test")
    house.close()
    return root


def chatted(root: Path, id: str, email: str) -> Done:
    """A chat comes in, and a turn acts on it."""
    house = House.open(root)
    (told,) = told_of(CHAT, {"events": [{"id": id, "email": email, "intent": "buy"}]}, now())
    with house.engine.begin() as connection:
        append(connection, Arrival("signed:chat", told.id, told.kind, told.at, told.said))
    done = Tick(house).plan(now())
    house.close()
    return done


def rows(root: Path, table: sa.Table) -> list[Any]:
    house = House.open(root)
    with reading(house.engine) as connection:
        found = list(connection.execute(sa.select(table)))
    house.close()
    return found


@pytest.mark.requirement("R65")
def test_a_stranger_who_wants_to_buy_gets_a_person_at_once_and_one_only(tmp_path: Path) -> None:
    root = with_sales(made(tmp_path / "company", 0))
    assert chatted(root, "1", "buyer@example.com").figures == {"human_tasks": 1}
    assert "human_tasks" not in chatted(root, "2", "buyer@example.com").figures, "one person talks to them already"
    (task,), (held,) = rows(root, HUMAN_TASK), rows(root, HANDOVER)
    assert (task.cause, task.is_open, task.event_id) == ("chat_intent", True, "inbox:1")
    assert (held.cause, held.owner, held.score, held.handover_id) == ("chat_intent", "an", 0, task.handover_id)
    assert [(row.kind, row.recipient) for row in rows(root, NOTICE)] == [("new", "an")]


@pytest.mark.requirement("R65")
def test_without_a_policy_of_sales_a_chat_is_an_event_like_any_other(tmp_path: Path) -> None:
    root = made(tmp_path / "company", 0)
    assert "human_tasks" not in chatted(root, "1", "buyer@example.com").figures
    assert rows(root, HUMAN_TASK) == []


@pytest.mark.slow
@pytest.mark.requirement("R65")
def test_the_night_finds_made_what_a_turn_made(tmp_path: Path) -> None:
    root = with_sales(made(tmp_path / "company", 20))
    assert chatted(root, "1", "person3@example.com").figures == {"human_tasks": 1}
    before = rows(root, HANDOVER), rows(root, HUMAN_TASK)
    house = House.open(root)
    on = house.business_on()
    house.close()
    run_night(directly, root, on, False, ("consolidate", "measure", "score"))
    handover(root, on, may_send=True)
    after = rows(root, HANDOVER), rows(root, HUMAN_TASK)
    assert [row.handover_id for row in after[0]] == [row.handover_id for row in before[0]]
    assert [row.task_id for row in after[1]] == [row.task_id for row in before[1]] and after[1][0].is_open
