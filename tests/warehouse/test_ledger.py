"""The ledger, on SQLite and on PostgreSQL by URL alone: migrations, runs, receipts, definitions, the outbox."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from warehouse.ledger import definitions, outbox
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.receipts import Receipt, known_receipts, record_receipts
from warehouse.ledger.runs import RunStart, close_crashed, end_run, latest_run, pin_inputs, start_run
from warehouse.ledger.schema import LEDGER, MESSAGE, REFUSAL, RUN, RUN_INPUT

MONDAY, TUESDAY = dt.date(2018, 1, 1), dt.date(2018, 1, 2)
NOON = dt.datetime(2018, 1, 1, 12)


def test_the_schema_is_what_the_migrations_make(ledger: sa.Engine) -> None:
    with ledger.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, LEDGER) == []
    found = set(sa.inspect(ledger).get_table_names())
    assert found == set(LEDGER.tables) | {"alembic_version"}


def test_unique_keys_are_what_the_migrations_make(ledger: sa.Engine) -> None:
    """Autogenerate does not compare these on SQLite."""
    inspector = sa.inspect(ledger)
    for table in LEDGER.sorted_tables:
        declared = {
            frozenset(c.name for c in key.columns) for key in table.constraints if isinstance(key, sa.UniqueConstraint)
        }
        assert {frozenset(key["column_names"]) for key in inspector.get_unique_constraints(table.name)} == declared, (
            table.name
        )
        assert set(inspector.get_pk_constraint(table.name)["constrained_columns"]) == {
            c.name for c in table.primary_key
        }


def test_opening_again_changes_nothing(ledger_url: str) -> None:
    open_ledger(ledger_url).dispose()
    engine = open_ledger(ledger_url)
    with engine.begin() as connection:
        definitions.activate(connection, "segments/a", "says: one", "anna")
    engine.dispose()
    again = open_ledger(ledger_url)
    with reading(again) as connection:
        assert [one.name for one in definitions.in_force(connection)] == ["segments/a"]
    again.dispose()


def test_runs_are_started_pinned_ended_and_closed_after_a_kill(ledger: sa.Engine) -> None:
    run = start_run(ledger, RunStart("score", MONDAY, "fingerprint", True))
    with ledger.begin() as connection:
        pin_inputs(connection, run, {"core__contact": 3, "mart__activity": 4})
        pin_inputs(connection, run, {})
        end_run(connection, run, "published")
    killed = start_run(ledger, RunStart("score", MONDAY, "fingerprint", True))
    assert (close_crashed(ledger), close_crashed(ledger)) == (1, 0)
    with reading(ledger) as connection:
        latest = latest_run(connection, "score", MONDAY)
        assert latest is not None
        assert (latest["run_id"], latest["may_send"]) == (run, True)
        assert latest_run(connection, "score", TUESDAY) is None
        states = {row[0]: row[1] for row in connection.execute(sa.select(RUN.c.run_id, RUN.c.state)).all()}
        inputs = connection.execute(
            sa.select(RUN_INPUT.c.table_name, RUN_INPUT.c.snapshot_id).order_by(RUN_INPUT.c.table_name)
        ).all()
    assert states == {run: "published", killed: "crashed"}
    assert [tuple(row) for row in inputs] == [("core__contact", 3), ("mart__activity", 4)]


def receipt(file: str, loaded_on: dt.date, sha256: str = "x") -> Receipt:
    return Receipt("shop_order", file, sha256, MONDAY, NOON, 2**40, 2**41, loaded_on)


@pytest.mark.requirement("R121")
def test_a_receipt_keeps_the_first_night_that_holds_its_file(ledger: sa.Engine) -> None:
    with ledger.begin() as connection:
        record_receipts(connection, [receipt("a", TUESDAY), receipt("b", MONDAY)])
        record_receipts(connection, [receipt("a", MONDAY), receipt("b", TUESDAY), receipt("b", TUESDAY, "y")])
    found = known_receipts(ledger, "shop_order")
    assert [(one.file, one.sha256, one.loaded_on) for one in found] == [
        ("a", "x", MONDAY),
        ("b", "x", MONDAY),
        ("b", "y", TUESDAY),
    ]
    assert found[0].row_count == 2**40
    assert known_receipts(ledger, "shop_product") == []


@pytest.mark.requirement("R119")
def test_definitions_come_into_force_by_activation_and_go_back(ledger: sa.Engine) -> None:
    with ledger.begin() as connection:
        assert definitions.newest_activation(connection) == 0
        one = definitions.activate(connection, "segments/a", "says: one", "anna", "first")
        definitions.activate(connection, "segments/b", "says: b", "anna")
        two = definitions.activate(connection, "segments/a", "says: two", "ben")
        at_two = definitions.newest_activation(connection)
        assert definitions.activate(connection, "segments/a", "says: two", "ben") == two
        assert definitions.newest_activation(connection) == at_two
        assert definitions.roll_back(connection, "segments/a", "anna", "worse") == one
        assert _in_force(connection) == {"segments/a": "says: one", "segments/b": "says: b"}
        assert _in_force(connection, at_two)["segments/a"] == "says: two"
        definitions.activate(connection, "segments/b", None, "anna", "withdrawn")
        assert _in_force(connection) == {"segments/a": "says: one"}
        with pytest.raises(LookupError, match="segments/c has no earlier version"):
            definitions.roll_back(connection, "segments/c", "anna", "")


def _in_force(connection: sa.Connection, up_to: int | None = None) -> dict[str, str]:
    return {one.name: one.text for one in definitions.in_force(connection, up_to)}


class Planned:
    """A row of a plan."""

    def __init__(self, contact: str, decision: str) -> None:
        self.decision = decision
        self.message_id, self.contact_id, self.address_hash = f"m{contact}", contact, f"hash of {contact}"
        self.campaign_id, self.step_id, self.occurrence = "winback", "send", 1
        self.channel, self.purpose, self.stage_at_plan, self.priority = "email", "marketing", "loyal", 2
        self.business_on, self.planned_at, self.not_before, self.expires_at = (
            MONDAY,
            NOON,
            NOON,
            NOON + dt.timedelta(days=3),
        )


@pytest.mark.requirement("R62")
def test_a_plan_is_recorded_once_and_read_as_due_and_as_arrow(ledger: sa.Engine) -> None:
    plan: list[Any] = [Planned("b", "intent"), Planned("a", "intent"), Planned("c", "no_consent")]
    assert outbox.record(ledger, plan) == outbox.Recorded(2, 1)
    assert outbox.record(ledger, plan) == outbox.Recorded(0, 0)
    assert [one.message_id for one in outbox.due(ledger, NOON)] == ["ma", "mb"]
    assert outbox.due(ledger, NOON - dt.timedelta(seconds=1)) == []
    assert outbox.standing(ledger) == [outbox.Standing("winback", "planned", None, 2, NOON)]
    arrow = outbox.messages_as_arrow(ledger)
    assert arrow.column("message_id").to_pylist() == ["ma", "mb"]
    assert arrow.column("not_before").to_pylist() == [NOON, NOON]
    assert outbox.suppressions_as_arrow(ledger).num_rows == 0
    with reading(ledger) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(REFUSAL)) == 1
        assert set(connection.scalars(sa.select(MESSAGE.c.state))) == {"planned"}
