"""The ledger, on SQLite and on PostgreSQL by URL alone: migrations, runs, receipts, definitions, the outbox."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from vesper.address import AddressKey, address_hash
from vesper.erasure import Person
from warehouse.ledger import definitions, erasure, outbox, steward
from warehouse.ledger.consent import append_consent
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.receipts import Receipt, known_receipts, record_receipts
from warehouse.ledger.runs import RunStart, close_crashed, end_run, latest_run, pin_inputs, start_run
from warehouse.ledger.schema import (
    CONSENT,
    ERASED_RECORD,
    LEDGER,
    MESSAGE,
    RECEIPT,
    REFUSAL,
    RUN,
    RUN_INPUT,
    STEWARD_RULE,
    SUPPRESSION,
)

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
    assert outbox.is_due(ledger, NOON)
    assert not outbox.is_due(ledger, NOON - dt.timedelta(seconds=1))
    assert outbox.standing(ledger) == [outbox.Standing("winback", "planned", None, 2, NOON)]
    arrow = outbox.messages_as_arrow(ledger)
    assert arrow.column("message_id").to_pylist() == ["ma", "mb"]
    assert arrow.column("not_before").to_pylist() == [NOON, NOON]
    assert outbox.suppressions_as_arrow(ledger).num_rows == 0
    with reading(ledger) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(REFUSAL)) == 1
        assert set(connection.scalars(sa.select(MESSAGE.c.state))) == {"planned"}


@pytest.mark.requirement("R23", "R104")
def test_a_steward_rule_binds_from_its_night_until_it_is_lifted_and_no_row_changes(ledger: sa.Engine) -> None:
    link = steward.add_link(ledger, "must_link", ("crm:2", "app:1"), "anna", "same phone", MONDAY)
    pin = steward.add_pin(ledger, "crm:2", "name", "王小明", "anna", "asked", TUESDAY)
    with reading(ledger) as connection:
        before = connection.execute(sa.select(STEWARD_RULE).order_by(STEWARD_RULE.c.rule_id)).all()
    steward.lift(ledger, link, "ben", "wrong", TUESDAY)
    assert [(rule.rule_id, rule.record_a, rule.record_b) for rule in steward.rules_in_force(ledger, MONDAY)] == [
        (link, "app:1", "crm:2")
    ]
    assert [rule.rule_id for rule in steward.rules_in_force(ledger, TUESDAY)] == [pin]
    assert [rule.rule_id for rule in steward.rules_in_force(ledger)] == [pin]
    with reading(ledger) as connection:
        assert connection.execute(sa.select(STEWARD_RULE).order_by(STEWARD_RULE.c.rule_id)).all()[:2] == before
    again = steward.add_link(ledger, "cannot_link", ("app:1", "crm:2"), "ben", "two people", TUESDAY)
    said: list[tuple[steward.Kind, str]] = [("cannot_link", "same"), ("must_link", "opposite")]
    for kind, reason in said:
        with pytest.raises(steward.RuleRefused) as refused:
            steward.add_link(ledger, kind, ("app:1", "crm:2"), "anna", "x", TUESDAY)
        assert (refused.value.rule_id, refused.value.reason) == (again, reason)


MING = Person(
    contact_ids=("ca",),
    records=(("crm", "1"),),
    own=(("email", "ming@qq.com"), ("phone", "+8613812345678"), ("card", "48")),
    tokens={"ca": "e0"},
)


@pytest.mark.requirement("R88", "R90")
def test_an_erasure_leaves_keyed_hashes_in_the_ledger_and_the_proof_of_consent(ledger: sa.Engine) -> None:
    key = AddressKey(b"a key of at least thirty-two characters")
    outbox.record(ledger, [Planned("a", "intent"), Planned("b", "intent")])
    with ledger.begin() as connection:
        connection.execute(sa.update(MESSAGE).where(MESSAGE.c.message_id == "ma").values(contact_id="ca"))
        record_receipts(connection, [receipt("f.csv", MONDAY, "old")])
    said = {"channel": "email", "purpose": "marketing", "address_hash": "h", "is_granted": True, "at": NOON}
    ours = said | {
        "source": "list",
        "row_key": "ming@qq.com",
        "address_hash": address_hash(key, "email", "ming@qq.com"),
    }
    append_consent(ledger, [one | {"recorded_on": MONDAY} for one in (said | {"source": "crm", "row_key": "1"}, ours)])
    steward.add_pin(ledger, "crm:1", "name", "王小明", "anna", "asked", MONDAY)
    file = erasure.RewrittenFile("landing", "d/f.csv", "d/f.csv", "old", "new", 1, "shop_order", "f.csv", 7, 3)
    with ledger.begin() as connection:
        erasure.begin(connection, "e1", "hash", "anna", "asked")
        erasure.begin(connection, "e1", "hash", "anna", "asked")
        erasure.commit(connection, "e1", MING, key, [file])
    with reading(ledger) as connection:
        assert set(connection.execute(sa.select(MESSAGE.c.contact_id, MESSAGE.c.state, MESSAGE.c.reason)).all()) == {
            ("e0", "refused", "erased"),
            ("b", "planned", None),
        }
        names = {erasure.token_of(key, "record", name) for name in ("crm:1", "list:ming@qq.com")}
        assert set(connection.scalars(sa.select(CONSENT.c.row_key))) == names
        assert connection.scalar(sa.select(sa.func.count()).select_from(STEWARD_RULE)) == 0
        held = connection.execute(sa.select(RECEIPT.c.sha256, RECEIPT.c.size, RECEIPT.c.row_count)).one()
        assert tuple(held) == ("new", 7, 3)
        assert set(connection.scalars(sa.select(SUPPRESSION.c.reason))) == {"erased"}
        assert set(connection.scalars(sa.select(ERASED_RECORD.c.kind))) == {"record", "email", "sms", "card"}
    assert erasure.state_of(ledger, "e1") == "committed"
    erasure.close(ledger, "e1", 12, [])
    assert (erasure.state_of(ledger, "e1"), erasure.state_of(ledger, "e2")) == ("done", None)
    assert erasure.erased_as_arrow(ledger).num_rows == 4
    assert (erasure.readmit(ledger, "e1", "anna", "back"), erasure.readmit(ledger, "e1", "anna", "back")) == (
        True,
        False,
    )
    assert erasure.erased_as_arrow(ledger).num_rows == 0
