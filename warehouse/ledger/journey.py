"""Journeys in the ledger: a turn kept in one transaction with its messages, coupons and tasks.

What belongs here: keeping what a turn came to, or nothing of it. What does not: deciding it (`vesper/journey/`, `tasks/journey_turn.py`), copies
for the lake (`journey_copies.py`).

A turn read the ledger before it began to decide. If another turn has moved one of its people meanwhile, or taken one of its coupons, nothing of
it is kept and `Overtaken` says so: the caller reads and decides again.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse.ledger.bulk import insert_new_arrow
from warehouse.ledger.engine import reading
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK
from warehouse.ledger.planned import Recorded, record
from warehouse.ledger.schema import DEFINITION, MESSAGE

INTENT, REFUSED, DUPLICATE = "intent", "refused", "duplicate_address"
ON_THE_WAY = ("planned", "claimed")
"""States of messages of which nothing is on the wire."""
BATCH = 5000
LOCK = "select pg_advisory_xact_lock(hashtext('vesper journey'))"
GAVE = (INTENT, "given", "task_opened")


class Overtaken(Exception):
    """Another turn was faster; nothing of this one was kept."""


@dataclass
class Turned:
    """What a turn of one journey came to, as rows: entries that are new or have moved, steps come to and left, and what people are to get.

    `entered` and `moved` are rows of `vesper.journey.turn.STANDING` with due_at, `come` and `left` of WAY, `plans` of `vesper.send.plan`,
    `gifts` of RAW_COUPON, `tasks` of RAW_NURTURE_TASK. `ended` are the entries (contact_id, occurrence) that are over before their last step.
    """

    journey_id: str
    entered: pa.Table | None = None
    moved: pa.Table | None = None
    come: pa.Table | None = None
    left: pa.Table | None = None
    ended: pa.Table | None = None
    lapsed: pa.Table | None = None
    plans: list[pa.Table] = field(default_factory=list)
    gifts: list[pa.Table] = field(default_factory=list)
    tasks: list[pa.Table] = field(default_factory=list)

    def take_back(self, reason: str) -> None:
        """Turn what was decided for people who left meanwhile into refusals; their coupons go back, their tasks are not opened."""
        gone = {(row["contact_id"], row["occurrence"]) for row in _rows(self.ended)}
        if not gone:
            return
        acted = {key for rows in (*self.plans, *self.gifts, *self.tasks) for key in _keys(rows) if key[:2] in gone}
        self.plans = [_renamed(rows, "decision", acted, (INTENT,), reason) for rows in self.plans]
        for kept in (self.gifts, self.tasks):
            kept[:] = [rows.filter(pa.array([key not in acted for key in _keys(rows)], pa.bool_())) for rows in kept]
        if self.come is not None and self.left is not None:
            self.come = _renamed(self.come, "outcome", acted, GAVE, reason)
            self.left = _renamed(self.left, "outcome", acted, GAVE, reason)


@dataclass(frozen=True)
class Kept:
    """How many rows a turn brought into the ledger."""

    entered: int = 0
    moved: int = 0
    ended: int = 0
    messages: int = 0
    refusals: int = 0
    coupons: int = 0
    tasks: int = 0
    withdrawn: int = 0

    def plus(self, other: "Kept") -> "Kept":
        """Two of them together."""
        return Kept(*[getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__])


def keep(engine: sa.Engine, turns: Sequence[Turned], business_on: dt.date, at: dt.datetime) -> Kept:
    """Keep turns of several journeys in one transaction, all or nothing. Raises Overtaken."""
    kept = Kept()
    try:
        with _alone(engine) as connection:
            for turned in turns:
                kept = kept.plus(_keep_one(connection, turned, business_on, at))
    except sa.exc.IntegrityError as error:
        raise Overtaken(str(error.orig)) from error
    return kept


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that no other turn's runs beside: SQLite has one writer, PostgreSQL a lock."""
    if engine.dialect.name != "postgresql":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        connection.exec_driver_sql(LOCK)
        yield connection


def _keep_one(connection: sa.Connection, turned: Turned, business_on: dt.date, at: dt.datetime) -> Kept:
    journey = turned.journey_id
    moved = _move(connection, journey, _rows(turned.moved))
    entered = _all_new(connection, JOURNEY_ENTRY, journey, turned.entered)
    _all_new(connection, JOURNEY_VISIT, journey, turned.come)
    _leave(connection, journey, _rows(turned.left))
    _lapse(connection, journey, _rows(turned.lapsed), business_on)
    coupons = _give(connection, [row for table in turned.gifts for row in table.to_pylist()])
    planned = sum((_plan(connection, rows) for rows in turned.plans), Recorded())
    tasks = sum(insert_new_arrow(connection, NURTURE_TASK, rows) for rows in turned.tasks)
    ended = [(row["contact_id"], row["occurrence"]) for row in _rows(turned.ended)]
    withdrawn = withdraw(connection, journey, ended, at)
    return Kept(entered, moved, len(ended), planned.messages, planned.refusals, coupons, tasks, withdrawn)


def _all_new(connection: sa.Connection, table: sa.Table, journey_id: str, rows: pa.Table | None) -> int:
    """Insert rows of a journey; Overtaken where one is there already."""
    if rows is None or not rows.num_rows:
        return 0
    whole = rows.append_column("journey_id", pa.array([journey_id] * rows.num_rows, pa.string()))
    if insert_new_arrow(connection, table, whole) != rows.num_rows:
        raise Overtaken(f"a row of {table.name} is there already")
    return int(rows.num_rows)


def _move(connection: sa.Connection, journey_id: str, rows: list[dict[str, Any]]) -> int:
    """Move entries from where the turn found them; Overtaken where one stands elsewhere by now."""
    names = ("step_id", "step_since_at", "due_at", "state", "reason", "ended_at", "number")
    entry = JOURNEY_ENTRY.c
    here = sa.and_(
        entry.journey_id == journey_id,
        entry.contact_id == sa.bindparam("who"),
        entry.occurrence == sa.bindparam("time"),
        entry.number == sa.bindparam("before"),
        entry.state == "active",
    )
    update = sa.update(JOURNEY_ENTRY).where(here).values({name: sa.bindparam(f"new_{name}") for name in names})
    values = [
        {"who": row["contact_id"], "time": row["occurrence"], "before": row["number_before"]}
        | {f"new_{name}": row[name] for name in names}
        for row in rows
    ]
    return _exactly(connection, update, values, "an entry has moved")


def _leave(connection: sa.Connection, journey_id: str, rows: list[dict[str, Any]]) -> None:
    names = ("outcome", "left_at", "handled_at")
    visit = JOURNEY_VISIT.c
    here = sa.and_(
        visit.journey_id == journey_id,
        visit.contact_id == sa.bindparam("who"),
        visit.occurrence == sa.bindparam("time"),
        visit.number == sa.bindparam("place"),
        visit.left_at.is_(None),
    )
    update = sa.update(JOURNEY_VISIT).where(here).values({name: sa.bindparam(f"new_{name}") for name in names})
    values = [
        {"who": row["contact_id"], "time": row["occurrence"], "place": row["number"]}
        | {f"new_{name}": row[name] for name in names}
        for row in rows
    ]
    _exactly(connection, update, values, "a step was left")


def _lapse(connection: sa.Connection, journey_id: str, rows: list[dict[str, Any]], on: dt.date) -> None:
    entry = JOURNEY_ENTRY.c
    here = sa.and_(
        entry.journey_id == journey_id,
        entry.contact_id == sa.bindparam("who"),
        entry.occurrence == sa.bindparam("time"),
        entry.lapsed_on.is_(None),
    )
    values = [{"who": row["contact_id"], "time": row["occurrence"]} for row in rows]
    if values:
        connection.execute(sa.update(JOURNEY_ENTRY).where(here).values(lapsed_on=on), values)


def _give(connection: sa.Connection, rows: list[dict[str, Any]]) -> int:
    """Give codes that are in stock; Overtaken where one is not any more."""
    names = ("contact_id", "reference", "given_at", "expires_at")
    here = sa.and_(
        COUPON.c.pool_id == sa.bindparam("pool"), COUPON.c.code == sa.bindparam("one"), COUPON.c.contact_id.is_(None)
    )
    update = sa.update(COUPON).where(here).values({name: sa.bindparam(f"new_{name}") for name in names})
    values = [
        {"pool": row["pool_id"], "one": row["code"]} | {f"new_{name}": row[name] for name in names} for row in rows
    ]
    return _exactly(connection, update, values, "a coupon was given")


def _plan(connection: sa.Connection, rows: pa.Table) -> Recorded:
    """Messages and refusals. Of a message that a unique key refuses, because its mailbox has one, the refusal is kept."""
    done = record(connection, rows)
    wanted = rows.filter(pc.equal(rows["decision"], INTENT))
    if done.messages == wanted.num_rows:
        return done
    mine = sa.select(MESSAGE.c.message_id).where(
        MESSAGE.c.campaign_id == wanted["campaign_id"][0].as_py(), MESSAGE.c.step_id == wanted["step_id"][0].as_py()
    )
    there = pc.is_in(wanted["message_id"], pa.array(connection.scalars(mine), pa.string()))
    missing = wanted.filter(pc.invert(there))
    refused = pa.array([DUPLICATE] * missing.num_rows, pa.string())
    return done + record(connection, missing.set_column(missing.column_names.index("decision"), "decision", refused))


def withdraw(
    connection: sa.Connection,
    journey_id: str,
    entries: Iterable[tuple[str, int]],
    at: dt.datetime,
    reason: str = "journey_ended",
) -> int:
    """Messages that wait for people whose journey is over are not sent any more, a claimed one neither: its worker finds it gone. Returns how many."""
    waits = sa.and_(
        MESSAGE.c.campaign_id == journey_id,
        MESSAGE.c.contact_id == sa.bindparam("who"),
        MESSAGE.c.occurrence == sa.bindparam("time"),
        sa.or_(*[MESSAGE.c.state == state for state in ON_THE_WAY]),
    )
    values = [{"who": contact_id, "time": occurrence} for contact_id, occurrence in entries]
    if not values:
        return 0
    update = sa.update(MESSAGE).where(waits).values(state=REFUSED, reason=reason, final_at=at)
    return int(connection.execute(update, values).rowcount)


def is_over(connection: sa.Connection, journey_id: str, contact_id: str, occurrence: int) -> bool:
    """Whether a journey ended for a contact before its last step, read in the caller's transaction; False of what is no journey."""
    entry = JOURNEY_ENTRY.c
    mine = sa.select(entry.state).where(
        entry.journey_id == journey_id, entry.contact_id == contact_id, entry.occurrence == occurrence
    )
    return connection.scalar(mine) in ("goal", "exited", "expired")


def due(engine: sa.Engine, at: dt.datetime, limit: int = 10_000) -> list[str]:
    """Contacts with a wait that is over at an instant: those that a tick has to look at. Cheap: it is asked every few seconds."""
    entry = JOURNEY_ENTRY.c
    waiting = sa.select(entry.contact_id).where(entry.state == "active", entry.due_at <= at).distinct().limit(limit)
    with reading(engine) as connection:
        return sorted(connection.scalars(waiting))


def next_due(engine: sa.Engine) -> dt.datetime | None:
    """When the first wait is over; None while nobody waits."""
    first = sa.select(sa.func.min(JOURNEY_ENTRY.c.due_at, type_=sa.DateTime)).where(JOURNEY_ENTRY.c.state == "active")
    with reading(engine) as connection:
        found: dt.datetime | None = connection.scalar(first)
    return found


def versions_in_use(engine: sa.Engine) -> dict[str, dict[str, str]]:
    """Journey -> hash -> text, of every version that somebody is on."""
    entry = JOURNEY_ENTRY.c
    used = sa.select(entry.journey_id, entry.definition_hash).where(entry.state == "active").distinct().subquery()
    query = sa.select(used.c.journey_id, DEFINITION.c.hash, DEFINITION.c.text).join_from(
        used, DEFINITION, DEFINITION.c.hash == used.c.definition_hash
    )
    found: dict[str, dict[str, str]] = {}
    with reading(engine) as connection:
        for row in connection.execute(query.order_by(used.c.journey_id, DEFINITION.c.hash)):
            found.setdefault(row.journey_id, {})[row.hash] = row.text
    return found


def _exactly(connection: sa.Connection, update: sa.Update, rows: list[dict[str, Any]], what: str) -> int:
    """Run an update once for each row; Overtaken unless each of them hit its row."""
    hit = 0
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        hit += int(connection.execute(update, part).rowcount)
    if hit != len(rows):
        raise Overtaken(f"{what} meanwhile")
    return hit


def _rows(table: pa.Table | None) -> list[dict[str, Any]]:
    return [] if table is None else table.to_pylist()


def _keys(rows: pa.Table) -> Iterator[tuple[str, int, str]]:
    """contact_id, occurrence and step_id of each row."""
    return zip(*[rows[name].to_pylist() for name in ("contact_id", "occurrence", "step_id")], strict=True)


def _renamed(
    rows: pa.Table, column: str, keys: Collection[tuple[str, int, str]], words: Collection[str], to: str
) -> pa.Table:
    """Some words of a column as another one, in the rows of some keys."""
    values = rows[column].to_pylist()
    new = [to if word in words and key in keys else word for key, word in zip(_keys(rows), values, strict=True)]
    return rows.set_column(rows.column_names.index(column), column, pa.array(new, pa.string()))
