"""One turn between two nights: what came in is acted on, waits that are over go on, and what is due is sent.

What belongs here: the order, what a turn looks for, and what it did. What does not: waking up (`intake/tick.py`), the inbox as tables
(`inbox.py`), journeys (`journey.py`), sending (`delivery.py`).

A turn writes the ledger only, and takes no lock of the workspace: it reads the lake at the pointers in force, and the ledger's keys and
transactions decide between it and a night that plans at the same moment. So a paper that somebody asks for while a night is at work is on its
way within the turn. It never imports Great Expectations: its gate is the ledger's constraints.
"""

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tasks.delivery import DeliveryReport
from tasks.inbox import Inbox, bind_now
from tasks.journey import advance
from tasks.send_now import deliver_now
from vesper.clock import today
from vesper.definition_set import DefinitionSet
from vesper.language import Translate
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from warehouse.house import House
from warehouse.ledger.definitions import newest_activation
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import has_waiting, mark_handled, waiting
from warehouse.ledger.journey import due
from warehouse.ledger.outbox import is_due
from warehouse.ledger.suppression import bind_key
from warehouse.ledger.unsubscribe import apply_waiting
from warehouse.lock import WorkspaceBusy, run_lock
from warehouse.runner import Runner

ROWS = 5000
"""Rows of the inbox that one turn acts on; the rest follows in the next, at once."""
DAY = dt.timedelta(days=1)

Advance = Callable[["Moment", Collection[str]], Mapping[str, int]]
"""Moves the journeys of some contacts. Gives figures: entered, moved, messages ..."""


@dataclass(frozen=True)
class Moment:
    """What a turn stands on: an instant, the night so far, and a runner in which people and events are bound as they are now.

    `published_at` says up to when the published facts go; `live` are the kinds of event that are known up to `at`, because the inbox brings them.
    """

    house: House
    runner: Runner
    night: Night
    at: dt.datetime
    published_at: dt.datetime | None
    live: frozenset[str]


@dataclass
class Done:
    """What a turn did. `figures` are those of the journeys."""

    arrived: int = 0
    unsubscribed: int = 0
    figures: dict[str, int] = field(default_factory=dict)
    sent: DeliveryReport = field(default_factory=DeliveryReport)

    @property
    def is_work(self) -> bool:
        """Whether the turn changed anything that somebody may want to see."""
        counted = (
            self.arrived,
            self.unsubscribed,
            *self.figures.values(),
            *self.sent.outcomes.values(),
            *self.sent.refused.values(),
        )
        return any(counted)

    def add(self, other: "Done") -> None:
        """Take another turn's figures in."""
        self.arrived += other.arrived
        self.unsubscribed += other.unsubscribed
        for name, count in other.figures.items():
            self.figures[name] = self.figures.get(name, 0) + count
        self.sent.add(other.sent)

    def lines(self, _: Translate) -> list[str]:
        """What people read of it."""
        lines = [_("Rows of the inbox: {count}").format(count=self.arrived)]
        if self.unsubscribed:
            lines.append(
                _("Unsubscribed late, since their message was not known: {count}").format(count=self.unsubscribed)
            )
        lines += [f"- {_(name)}: {count}" for name, count in sorted(self.figures.items()) if count]
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.sent.outcomes.items())) or "0"
        return [*lines, _("Messages: {counts}").format(counts=counts), *self.sent.warnings(_)]


class Tick:
    """Turns of one workspace, in one process. Its house stays open; definitions are read again only when something was activated."""

    def __init__(self, house: House, move: Advance | None = None) -> None:
        self.house = house
        self.move: Advance = move or journeys
        self._activation: int | None = None
        self._definitions: DefinitionSet | None = None

    def has_arrivals(self) -> bool:
        """Whether something waits in the inbox. Asked every second."""
        with reading(self.house.engine) as connection:
            return has_waiting(connection)

    def waits_over(self, at: dt.datetime) -> list[str]:
        """Contacts on a journey whose wait is over."""
        return due(self.house.engine, at)

    def has_due(self, at: dt.datetime) -> bool:
        """Whether a message may go."""
        return is_due(self.house.engine, at)

    def plan(self, at: dt.datetime, waited: Collection[str] = ()) -> Done:
        """Act on what came in, and for the contacts whose wait is over.

        A row counts as handled only after everything that follows from it is committed. A turn that is killed before that is done again, and
        the ledger's keys let nothing happen twice. What was received after `at` waits for the next turn.
        """
        with self.house.engine.begin() as connection:
            late = apply_waiting(connection, at, self.house.binds_on() - DAY)
            mark_handled(connection, late, at)
        with reading(self.house.engine) as connection:
            rows = [row.inbox_id for row in waiting(connection, ROWS, at)]
        done = Done(arrived=len(rows), unsubscribed=len(late))
        if rows or waited:
            done.figures = dict(self._advanced(at, rows, waited))
        if rows:
            with self.house.engine.begin() as connection:
                mark_handled(connection, rows, at)
        return done

    def send(self, ending: threading.Event) -> Done:
        """Send what is due, until the event is set; what stands on the wire then is waited for."""
        return Done(sent=deliver_now(self.current(), ending=ending))

    def tell_sales(self) -> None:
        """Send the notices to sales that are due. While a night is at work it tells them itself, or the next look does."""
        from tasks.handover_acts import told

        house = self.current()
        policy = house.definitions.of(SalesPolicy).get("sales")
        if policy is not None:
            with suppress(WorkspaceBusy), run_lock(house.workspace.store):
                told(house, policy)

    def current(self) -> House:
        """The house with the definitions in force now."""
        with reading(self.house.engine) as connection:
            newest = newest_activation(connection)
        if self._definitions is None or newest != self._activation:
            self._activation, self._definitions = newest, self.house.definitions_at(newest)
        house = replace(self.house)
        house.definitions = self._definitions
        return house

    def night(self, house: House, at: dt.datetime) -> Night:
        """The night that a turn plays: today's, as far as it went."""
        return Night(today(house.workspace.company.zone), house.workspace, house.definitions)

    def _advanced(self, at: dt.datetime, rows: Collection[int], waited: Collection[str]) -> Mapping[str, int]:
        house = self.current()
        night = self.night(house, at)
        with Runner(house.lake, threads=1) as runner:
            arrived = bind_now(house, runner, night)
            people = {arrived.contacts[row] for row in rows if row in arrived.contacts} | set(waited)
            if not people:
                return {}
            bind_key(runner, house.address_key)
            moment = Moment(house, runner, night, at, arrived.published_at, arrived.live)
            opened = self._taken_over(moment, arrived, rows)
            return {**self.move(moment, people), **({"human_tasks": opened} if opened else {})}

    def _taken_over(self, moment: Moment, arrived: Inbox, rows: Collection[int]) -> int:
        """How many people a person talks to from now on, because they said so in a chat (R65): before journeys plan anything more for them."""
        policy = moment.house.definitions.of(SalesPolicy).get("sales")
        kinds = set(policy.chat_intents) if policy else set()
        said = {row.inbox_id for row in arrived.rows if row.kind in kinds} & set(rows)
        if not said:
            return 0
        from tasks.chat import open_tasks  # with it comes the whole stage; most turns need none of it

        people = {arrived.contacts[row] for row in said if row in arrived.contacts}
        return open_tasks(moment.house, moment.runner, moment.night, moment.at, people).tasks


def journeys(moment: Moment, people: Collection[str]) -> Mapping[str, int]:
    """Every journey of some contacts, as far as the facts take them."""
    advanced = advance(
        moment.house,
        moment.runner,
        moment.night,
        moment.at,
        people,
        published_at=moment.published_at,
        live=moment.live,
    )
    return {name: count for name, count in dataclasses.asdict(advanced.kept).items() if count}
