"""Runs in the ledger: started, pinned to input snapshots, published or failed."""

import datetime as dt
import uuid
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.definitions import newest_activation
from warehouse.ledger.schema import RUN, RUN_INPUT


def vesper_version() -> str:
    try:
        return version("vesper")
    except PackageNotFoundError:
        return "checkout"


@dataclass(frozen=True)
class RunStart:
    stage: str
    business_on: dt.date
    definitions: str
    may_send: bool


def start_run(engine: sa.Engine, start: RunStart) -> str:
    """Record that a stage starts; returns the run id."""
    run_id = uuid.uuid4().hex
    with engine.begin() as connection:
        row = {
            "run_id": run_id,
            "stage": start.stage,
            "business_on": start.business_on,
            "state": "running",
            "version": vesper_version(),
            "definitions": start.definitions,
            "activation_id": newest_activation(connection),
            "may_send": start.may_send,
            "started_at": now(),
        }
        connection.execute(RUN.insert().values(row))
    return run_id


def pin_inputs(connection: sa.Connection, run_id: str, inputs: dict[str, int]) -> None:
    """Record the snapshots that a run read."""
    rows = [{"run_id": run_id, "table_name": name, "snapshot_id": id} for name, id in sorted(inputs.items())]
    if rows:
        connection.execute(RUN_INPUT.insert(), rows)


def pinned_inputs(connection: sa.Connection, run_id: str) -> dict[str, int]:
    """The snapshots that a run read, by the name it read them under."""
    query = sa.select(RUN_INPUT.c.table_name, RUN_INPUT.c.snapshot_id).where(RUN_INPUT.c.run_id == run_id)
    return {row.table_name: row.snapshot_id for row in connection.execute(query)}


def end_run(connection: sa.Connection, run_id: str, state: str, sentence: str | None = None) -> None:
    connection.execute(
        RUN.update().where(RUN.c.run_id == run_id).values(state=state, sentence=sentence, ended_at=now())
    )


def close_crashed(engine: sa.Engine) -> int:
    """Mark runs that a kill left as running; called under the run lock, so none of them can be alive. Returns how many."""
    with engine.begin() as connection:
        left = RUN.update().where(RUN.c.state == "running")
        return connection.execute(left.values(state="crashed", sentence="the process died", ended_at=now())).rowcount


def latest_run(connection: sa.Connection, stage: str, business_on: dt.date) -> sa.RowMapping | None:
    """The newest published run of a stage for a business date."""
    query = sa.select(RUN).where(RUN.c.stage == stage, RUN.c.business_on == business_on, RUN.c.state == "published")
    return connection.execute(query.order_by(RUN.c.started_at.desc()).limit(1)).mappings().first()
