"""What ought to come of the day of `bench/day.py`: the same events through the same engine, in memory, with a clock that is played.

What belongs here: one simulated day, a turn at every instant at which something happens or a wait is over. What does not: the real day, and
comparing the two (`day.py`).

What happened is read from the real ledger, since only that knows the instants; what the people are is told by their groups, so that nothing of
the lake is believed.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.day_company import LARGE, Person
from tests.conditions.world import Event, Order, Tables
from tests.journeys.company import Company
from vesper.clock import local_time
from vesper.inbox import KINDS
from vesper.journey.turn import Turn
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.journey import next_due
from warehouse.ledger.journey_schema import NURTURE_TASK
from warehouse.ledger.nurture import close, open_tasks
from warehouse.ledger.send_schema import INBOX

TOGETHER = dt.timedelta(seconds=1)
"""What happens within this time is one turn, as it is for the tick, which looks every second."""


@dataclass(frozen=True)
class Happened:
    """What the real ledger says happened: events, who left when, and tasks that were closed when."""

    events: Sequence[Event]
    left: Mapping[str, dt.datetime]
    closed: Mapping[str, dt.datetime]

    @classmethod
    def in_ledger(cls, engine: sa.Engine, zone: str, scanned: Collection[str]) -> "Happened":
        """Read it. What a machine clicked is told from outside, not believed: `scanned` are the contacts whose clicks are a scanner's."""
        with reading(engine) as connection:
            rows = connection.execute(sa.select(INBOX).where(INBOX.c.contact_id.is_not(None))).all()
            tasks = connection.execute(sa.select(NURTURE_TASK.c.task_id, NURTURE_TASK.c.closed_at))
            closed = {row.task_id: row.closed_at for row in tasks if row.closed_at}
        left = {row.contact_id: row.occurred_at for row in rows if row.kind == "unsubscribed"}
        return cls([_event(row, zone, scanned) for row in rows], left, closed)

    @property
    def moments(self) -> list[dt.datetime]:
        """Every instant at which something happened."""
        return sorted({*[one.at for one in self.events], *self.closed.values()})


def _event(row: Any, zone: str, scanned: Collection[str]) -> Event:
    said = json.loads(row.payload)
    return Event(
        row.contact_id,
        KINDS.get(row.kind, row.kind),
        local_time(row.occurred_at, zone).date(),
        is_machine=row.kind == "mail_clicked" and row.contact_id in scanned,
        moment=row.occurred_at,
        message_id=row.message_id,
        duration_seconds=said.get("duration_seconds"),
    )


def simulated(
    root: Path,
    zone: str,
    on: dt.date,
    texts: Mapping[str, str],
    people: Iterable[tuple[str, Person]],
    happened: Happened,
    until: dt.datetime,
) -> sa.Engine:
    """The ledger after the simulated day: the night of `on`, then a turn at every instant that matters.

    Args:
        people: contact ids with the people that they are.
    """
    engine = open_ledger(f"sqlite:///{root / 'simulated.db'}")
    company = Company(Tables(), engine, root, zone=zone)
    company.define(**{name.replace("/", "__", 1): text for name, text in texts.items()})
    _know(company, dict(people), happened, on)
    company.night(on)
    moments = happened.moments
    while True:
        due = next_due(engine)
        first = min([one for one in (*moments[:1], due) if one is not None], default=None)
        if first is None or first > until:
            return engine
        together = [one for one in moments if one <= first + TOGETHER]
        moments = moments[len(together) :]
        at = max(first, *together) if together else first
        _change(company, happened, at)
        company._play(Turn.of_tick(company.night_of(local_time(at, zone).date()), at), None)


def _know(company: Company, people: Mapping[str, Person], happened: Happened, on: dt.date) -> None:
    company.know(
        [],
        happened.events,
        attributes={id: {"email": one.email} for id, one in people.items()},
        orders=tuple(
            Order(id, on - dt.timedelta(days=10 + 20 * place), (Decimal(10),))
            for id, one in people.items()
            for place in range(one.orders)
        ),
        segments={id: frozenset({LARGE}) for id, one in people.items() if one.is_large},
    )
    company.consenting = [id for id, one in people.items() if one.consents]
    company.stages = {id: one.stage for id, one in people.items()}


def _change(company: Company, happened: Happened, at: dt.datetime) -> None:
    """What the ledger learns at an instant: who may not be written to any more, and which tasks are done."""
    gone = {id for id, left_at in happened.left.items() if left_at <= at}
    company.consenting = [id for id in company.consenting or () if id not in gone]
    still_open = {one.task_id for one in open_tasks(company.engine)}
    for task_id, closed_at in happened.closed.items():
        if closed_at <= at and task_id in still_open:
            close(company.engine, task_id, "sales", "done", closed_at)
