"""Caps through the whole path of sending: whatever is planned, in whatever order, nobody is written to too often."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels import Letter
from tasks.delivery import deliver, simulated
from tasks.letters import Write
from tests.send.company import campaign, definitions, frequency, statement, touches, workspace
from tests.send.smtp_script import Scripted
from tests.send.test_limits import most_in_a_window
from vesper import send
from vesper.model.workspace import Mail
from warehouse.ledger import outbox
from warehouse.ledger.consent import append_consent
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.schema import ATTEMPT, MESSAGE, TOUCH

START = dt.datetime(2018, 1, 1, 13)
DAY = dt.timedelta(days=1)
CONTACTS = {"c1": "prospect", "c2": "loyal"}
ANY_TIME = definitions(policy=frequency(windows={}, quiet_hours=None))
WINDOWS = definitions(policy=frequency())

plans = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(sorted(CONTACTS)), st.integers(0, 12 * 24)),
    unique_by=lambda plan: plan[:2],
    min_size=3,
    max_size=14,
)


class Row:
    """A row of a plan, as `outbox.record` takes it."""

    def __init__(self, campaign_id: str, contact_id: str, hours: int) -> None:
        address = statement(f"{contact_id}@example.com")
        self.decision, self.purpose, self.channel = "intent", "marketing", "email"
        self.campaign_id, self.contact_id, self.step_id, self.occurrence = campaign_id, contact_id, send.STEP, 1
        self.message_id = send.message_id(campaign_id, contact_id)
        self.address_hash, self.stage_at_plan, self.priority = address["address_hash"], CONTACTS[contact_id], 2
        self.business_on, self.planned_at, self.expires_at = START.date(), START, START + 60 * DAY
        self.not_before = START + dt.timedelta(hours=hours)


class Plain:
    """Writes to everybody, whatever the campaign."""

    def running(self, campaign_id: str) -> None:
        return None

    def batch(self, messages: Sequence[outbox.Due]) -> Write:
        return lambda message, at: Letter(
            message.message_id, f"{message.contact_id}@example.com", "x", "x", "x", "", at
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sa.Engine, Path]]:
    root = tmp_path_factory.mktemp("caps")
    engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    append_consent(engine, [statement(f"{contact_id}@example.com") for contact_id in CONTACTS])
    yield engine, root
    engine.dispose()


def send_all(
    place: tuple[sa.Engine, Path], rows: list[Row], known: Any, starts: list[int], **replies: Any
) -> list[Any]:
    """Record and deliver on an empty ledger, in several runs that begin on the given days; returns the touches."""
    engine, root = place
    with engine.begin() as connection:
        for table in (TOUCH, ATTEMPT, MESSAGE):
            connection.execute(sa.delete(table))
    outbox.record(engine, rows)
    with Scripted(**replies) as server:
        space = workspace(root, mail=Mail(server=f"127.0.0.1:{server.port}"))
        for day in [*starts, 0]:
            deliver(
                engine, space, known, Plain(), START + (day + 1 if starts else 61) * DAY, simulated(START + day * DAY)
            )
        deliver(engine, space, known, Plain(), START + 61 * DAY, simulated(START))
    return touches(engine)


def check(sent: list[Any]) -> None:
    for contact_id, stage in CONTACTS.items():
        mine = [touch.at for touch in sent if touch.contact_id == contact_id]
        assert most_in_a_window(mine, DAY) <= 2
        if stage == "prospect":
            assert most_in_a_window(mine, 7 * DAY) <= 2


@pytest.mark.requirement("R86", "R87")
@settings(max_examples=15)
@given(plan=plans, known=st.sampled_from([ANY_TIME, WINDOWS]), chance=st.randoms())
def test_caps_hold_and_the_order_of_planning_changes_nothing(
    place: Any, plan: list[Any], known: Any, chance: Any
) -> None:
    rows = [Row(*item) for item in plan]
    first = send_all(place, rows, known, [])
    check(first)
    assert len(first) == len(rows)
    chance.shuffle(rows)
    assert send_all(place, rows, known, []) == first


@pytest.mark.requirement("R86", "R87")
@settings(max_examples=10)
@given(
    plan=plans,
    starts=st.lists(st.integers(0, 20), max_size=4),
    answers=st.lists(st.sampled_from(["250 ok", "451 later", "550 no", None]), min_size=1, max_size=8),
)
def test_caps_hold_when_nights_run_out_of_order_and_servers_misbehave(
    place: Any, plan: list[Any], starts: list[int], answers: list[str | None]
) -> None:
    """An unknown keeps its touch; what was surely not accepted gives it back."""
    check(send_all(place, [Row(*item) for item in plan], ANY_TIME, starts, DOT=[*answers, "250 ok"]))
    engine, _ = place
    with engine.connect() as connection:
        kept = set(
            connection.scalars(sa.select(MESSAGE.c.message_id).where(MESSAGE.c.state.in_(("accepted", "unknown"))))
        )
    assert {touch.message_id for touch in touches(engine)} == kept


def test_the_row_of_these_tests_is_a_row_of_the_plan() -> None:
    columns = {c.name for c in MESSAGE.c if not c.nullable and c.server_default is None} - {"state"}
    assert columns | {"decision", "stage_at_plan"} == set(vars(Row("a", "c1", 0)))
    assert campaign().channel == Row("a", "c1", 0).channel
