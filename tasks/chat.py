"""A turn opens human tasks for people who say in a chat that they want to buy (R65): with a hand-over, its notices, all in one transaction.

What belongs here: binding, recording. What does not: who that is (`vesper/chat.py`), telling sales (`tick.tell_sales`). As soon as the task is
there, the claim of every marketing message refuses (`warehouse/ledger/dispatch.py`), those that were planned before too.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.handover import Moment, handover_row, task_row
from vesper.chat import begun_by_chat, scores_now
from vesper.handover import PLACE, assigned, load, policy_of, reasons, waiting
from vesper.handover_clock import due_at
from vesper.handover_notices import notices_of
from vesper.handover_team import places
from vesper.inbox import published
from vesper.journey.turn import PEOPLE
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.identity import CONTACT_ALIAS
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.handover import NightOfSales, Recorded, copies, record
from warehouse.runner import Runner

BEGUN = "chat_begun"


def open_tasks(house: House, runner: Runner, night: Night, at: dt.datetime, people: Collection[str]) -> Recorded:
    """Open what begins now for some contacts. `runner` holds people and events as they are now (`tasks/inbox.py`); the same again adds nothing."""
    policy = policy_of(night)
    if policy is None or not policy.chat_intents or not people:
        return Recorded(0, 0, 0)
    tonight = replace(night, business_on=house.binds_on())
    scored = _bind(house, runner, tonight, people)
    begun = runner.materialize(begun_by_chat(tonight, policy), BEGUN)
    rows = _assigned(runner, policy, begun)
    due = due_at(policy.calendar, policy.follow_up, at, night.zone)
    moment, on = Moment(at, at, at), tonight.business_on
    why = runner.rows(reasons(begun, replace(night, business_on=scored.business_on))) if scored else []
    return record(
        house.engine,
        NightOfSales(
            on,
            handovers=[handover_row(row, on, moment, due) for row in rows if row.is_new],
            reasons=[row._asdict() for row in why],
            tasks=[task_row(row, on, moment) for row in rows],
            notices=notices_of(rows, policy, at, night.zone),
        ),
    )


def _bind(house: House, runner: Runner, tonight: Night, people: Collection[str]) -> Any:
    """What the decision reads. Gives the snapshot of the scores; None where nothing was ever scored."""
    scored = house.lake.in_force(SCORE.name)
    runner.bind_snapshot(published(SCORE), scored)
    runner.bind_snapshot(SCORE_REASON, house.lake.in_force(SCORE_REASON.name))
    runner.bind_snapshot(CONTACT_ALIAS, house.lake.in_force(CONTACT_ALIAS.name))
    runner.bind_select(scores_now(tonight), SCORE.name)
    runner.bind_arrow(PEOPLE.name, pa.table({"contact_id": pa.array(sorted(people), pa.string())}))
    for name, rows in copies(house.engine).items():
        runner.bind_arrow(name, rows)
    return scored


def _assigned(runner: Runner, policy: SalesPolicy, begun: sa.Table) -> list[Any]:
    """The rows with their representatives (R69)."""
    cells = {row.cell: row.people for row in runner.rows(waiting(begun))}
    loads = {row.owner: row.people for row in runner.rows(load(policy))}
    dealt = [{"cell": p.cell, "number": p.number, "owner": p.owner} for p in places(policy, cells, loads)]
    runner.bind_arrow(PLACE.name, pa.Table.from_pylist(dealt, schema=arrow_schema(PLACE)))
    return runner.rows(assigned(begun, PLACE))
