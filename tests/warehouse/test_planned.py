"""A plan goes into the ledger in bulk: every unique key holds, whatever comes in, and the types read back."""

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.planned import Recorded, record
from warehouse.ledger.schema import MESSAGE, REFUSAL

DAY = dt.date(2018, 1, 1)
NOON = dt.datetime(2018, 1, 1, 12, 0, 0, 5)
MANY = 2500


def row(number: int, decision: str = "intent", **changes: Any) -> dict[str, Any]:
    fields = {
        "message_id": f"m{number:025}",
        "contact_id": f"c{number:06}",
        "address": f"person{number}@example.com",
        "address_hash": f"{number:064x}",
        "stage_at_plan": "loyal" if number % 3 else None,
        "decision": decision,
        "detail": None,
        "campaign_id": "it's 100% off",
        "step_id": "send",
        "occurrence": 1,
        "channel": "email",
        "purpose": "marketing",
        "priority": 249,
        "business_on": DAY,
        "planned_at": NOON,
        "not_before": NOON + dt.timedelta(minutes=number % 2),
        "expires_at": NOON + dt.timedelta(days=3),
        "inbox_id": None,
    }
    return fields | changes


SCHEMA = pa.schema(
    [
        *[(name, pa.string()) for name in ("message_id", "contact_id", "address", "address_hash", "stage_at_plan")],
        *[(name, pa.string()) for name in ("decision", "detail", "campaign_id", "step_id", "channel", "purpose")],
        *[(name, pa.int32()) for name in ("occurrence", "priority", "inbox_id")],
        ("business_on", pa.date32()),
        *[(name, pa.timestamp("us")) for name in ("planned_at", "not_before", "expires_at")],
    ]
)


def arrow(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def kept(ledger: sa.Engine, table: sa.Table) -> list[dict[str, Any]]:
    with reading(ledger) as connection:
        rows = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
        return [dict(one) for one in rows]


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("count", [3, MANY])
def test_what_is_recorded_reads_back(ledger: sa.Engine, count: int) -> None:
    rows = [row(n, "no_consent" if n % 10 == 9 else "intent", detail="x" if n == 9 else None) for n in range(count)]
    refused = sum(one["decision"] != "intent" for one in rows)
    assert record(ledger, arrow(rows)) == Recorded(count - refused, refused)
    assert record(ledger, arrow(rows)) == Recorded(0, 0)
    found = kept(ledger, MESSAGE)
    given = [one for one in rows if one["decision"] == "intent"]
    for name in SCHEMA.names:
        if name in MESSAGE.c:
            assert [one[name] for one in found] == [one[name] for one in given]
    assert {(one["state"], one["fence"], one["attempts"], one["owner"]) for one in found} == {("planned", 0, 0, None)}
    assert {one["reason"] for one in kept(ledger, REFUSAL)} <= {"no_consent"}
    assert [one["detail"] for one in kept(ledger, REFUSAL)][:1] == (["x"] if count > 9 else [])
    assert "example.com" not in repr(found)


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("count", [4, MANY])
def test_neither_a_contact_nor_a_mailbox_gets_two(ledger: sa.Engine, count: int) -> None:
    rows = [row(n) for n in range(count)]
    rows.append(row(count + 1, contact_id=rows[0]["contact_id"]))
    rows.append(row(count + 2, address_hash=rows[1]["address_hash"]))
    rows.append(row(count + 3, address_hash=rows[1]["address_hash"], occurrence=2))
    assert record(ledger, arrow(rows)) == Recorded(count + 1, 0)


@pytest.mark.parametrize("count", [4, MANY])
def test_rows_of_a_result_and_a_stream_are_plans_as_well(ledger: sa.Engine, count: int) -> None:
    rows = [row(n) for n in range(count)]
    half = [SimpleNamespace(**{k: v for k, v in one.items() if k != "detail"}) for one in rows[: count // 2]]
    assert record(ledger, half) == Recorded(count // 2, 0)
    assert record(ledger, iter(half)) == Recorded(0, 0)
    stream = pa.RecordBatchReader.from_batches(SCHEMA, arrow(rows).to_batches(max_chunksize=700))
    assert record(ledger, stream) == Recorded(count - count // 2, 0)
    assert record(ledger, []) == Recorded(0, 0)


@pytest.mark.requirement("R62")
def test_within_an_open_transaction_it_is_all_or_nothing(ledger: sa.Engine) -> None:
    with pytest.raises(RuntimeError), ledger.begin() as connection:
        assert record(connection, arrow([row(n) for n in range(MANY)])) == Recorded(MANY, 0)
        assert record(connection, arrow([row(n) for n in range(MANY + 1)])) == Recorded(1, 0)
        raise RuntimeError
    assert kept(ledger, MESSAGE) == []


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(campaign=TEXT, contact=TEXT, detail=st.none() | TEXT)
def test_texts_arrive_as_they_are_however_many_rows_share_them(
    ledger: sa.Engine, campaign: str, contact: str, detail: str | None
) -> None:
    for count in (1, 1200):
        with ledger.begin() as connection:
            connection.execute(sa.delete(MESSAGE))
            connection.execute(sa.delete(REFUSAL))
        rows = [row(n, campaign_id=campaign, contact_id=f"{contact}{n}", detail=detail) for n in range(count)]
        rows += [one | {"decision": "suppressed", "occurrence": 2} for one in rows]
        assert record(ledger, arrow(rows)) == Recorded(count, count)
        assert {(one["campaign_id"], one["contact_id"]) for one in kept(ledger, MESSAGE)} == {
            (campaign, f"{contact}{n}") for n in range(count)
        }
        assert {one["detail"] for one in kept(ledger, REFUSAL)} == {detail}


def test_sqlite_commits_as_durably_as_the_workspace_asks(tmp_path: Any) -> None:
    for said, number in (("full", 2), ("normal", 1)):
        engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", said)  # type: ignore[arg-type]
        with engine.connect() as connection:
            assert connection.exec_driver_sql("pragma synchronous").scalar() == number
        engine.dispose()
