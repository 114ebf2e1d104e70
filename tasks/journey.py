"""Journeys advanced: everybody on one as far as the facts take them, new people let in, and what they are to get planned.

What belongs here: one call for the night, the tick and simulated time; reading the ledger before and keeping the turn after. What does not: the
rounds of one journey (`journey_turn.py`), sending what was planned (`tasks/delivery.py`).

The night calls `advance(house, runner, night)`: facts up to the cut-off, messages planned at 21:00. The tick calls it with `at`, with the contacts
that something happened to or whose wait is over (`warehouse.ledger.journey.due`), and with `core__event` bound by `bind_events`.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
import sqlalchemy as sa

from tasks.coupon import CouponsUnreadable, redeem_from_events, stock_pools
from tasks.journey_turn import JourneyTurn, Played
from vesper.journey.turn import PEOPLE, Turn, Version
from vesper.language import Translate
from vesper.load import parse
from vesper.marts import reads
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.model.coupon import Coupons
from vesper.model.journey import Journey
from vesper.model.outreach import RUNNING
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.ledger.coupon import free_codes, left
from warehouse.ledger.experiment_copy import COPIES as EXPERIMENT_COPIES
from warehouse.ledger.handover import tasks_as_arrow
from warehouse.ledger.journey import Kept, Overtaken, keep, versions_in_use
from warehouse.ledger.journey_copies import copies
from warehouse.ledger.outbox import messages_as_arrow, suppressions_as_arrow
from warehouse.ledger.send_stop import paused
from warehouse.runner import Runner

TRIES = 6
ROLLED_OUT = (
    "state",
    "pilot",
    "partial",
    "holdout",
    "max_people",
    "approved_people",
    "deviation",
    "starts_on",
    "ends_on",
    "priority",
)
PUBLISHED_EVENT = "core__event__published"
COPIES = {
    RAW_MESSAGE.name: messages_as_arrow,
    RAW_SUPPRESSION.name: suppressions_as_arrow,
    RAW_HUMAN_TASK.name: tasks_as_arrow,
    **EXPERIMENT_COPIES,
}


@dataclass
class Advanced:
    """What a turn came to, for the page of the stage and for the tick."""

    kept: Kept = field(default_factory=Kept)
    entered: dict[str, int] = field(default_factory=dict)
    over_max_people: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """Journey -> step -> what its action came to -> people."""
    low: dict[str, int] = field(default_factory=dict)
    """Pools with few codes left."""
    unreadable: list[CouponsUnreadable] = field(default_factory=list)
    """Files of codes that bring nothing."""
    tries: int = 1

    def facts(self) -> list[dict[str, Any]]:
        """One row for each journey and step at which something was decided."""
        return [
            {"journey_id": journey, "step_id": step, **dict(sorted(counts.items()))}
            for journey, steps in sorted(self.decisions.items())
            for step, counts in steps.items()
        ]

    def warnings(self, _: Translate) -> list[str]:
        """What somebody should look at."""
        said = [
            _("{journey}: {count} people would enter, which is more than max_people allows; nobody was let in.").format(
                journey=journey, count=count
            )
            for journey, count in sorted(self.over_max_people.items())
        ]
        said += [
            _("{pool}: {count} coupons are left.").format(pool=pool, count=count)
            for pool, count in sorted(self.low.items())
        ]
        return said + [one.said(_) for one in self.unreadable]


class LakeDesk:
    """A runner that binds what a Select reads: published tables as of the night, copies of the ledger as they stand."""

    def __init__(self, house: House, runner: Runner, night: Night, read: Callable[..., None] | None = None) -> None:
        self.house = house
        self.runner = runner
        self.night = night
        self.read = read or self._read

    def materialize(self, select: Any, name: str) -> sa.Table:
        """Keep a Select's rows under a name."""
        self.read(select)
        return self.runner.materialize(select, name)

    def rows(self, select: Any) -> list[Any]:
        """All rows."""
        self.read(select)
        return self.runner.rows(select)

    def arrow(self, select: Any) -> pa.Table:
        """All rows as Arrow."""
        self.read(select)
        return self.runner.arrow(select)

    def bind_arrow(self, name: str, rows: pa.Table) -> None:
        """Make rows readable under a name."""
        self.runner.bind_arrow(name, rows)

    def _read(self, *selects: Any) -> None:
        for name in sorted(frozenset[str]().union(*[reads(select) for select in selects]) - self.runner.bound.keys()):
            if name in COPIES:
                self.runner.bind_arrow(name, COPIES[name](self.house.engine))
                continue
            snapshot = self.house.lake.as_of(name, self.night.business_on)
            self.runner.bind_snapshot(METADATA.tables[name], snapshot)


def advance(
    house: House,
    runner: Runner,
    night: Night,
    at: dt.datetime | None = None,
    people: Collection[str] | None = None,
    *,
    published_at: dt.datetime | None = None,
    live: Iterable[str] = (),
    read: Callable[..., None] | None = None,
) -> Advanced:
    """Take every journey through one turn and keep it; the same turn again changes nothing.

    Args:
        at: the instant of a tick; a night's own turn where it is missing.
        people: the contacts that a tick looks at; everybody where it is missing.
        published_at: with `at`: up to when the published facts go. Steps that ask for what a nightly source brings wait for the night.
        live: kinds of event that are known up to `at`, because the inbox brings them.
        read: binds what Selects read, where the caller pins its inputs (`Bench.read`).
    """
    turn = Turn.of_night(night) if at is None else Turn.of_tick(night, at, published_at, live)
    return play(house, LakeDesk(house, runner, night, read), turn, people)


def play(house: House, desk: Any, turn: Turn, people: Collection[str] | None = None) -> Advanced:
    """The same on a desk and a turn: what `advance` and simulated time share."""
    journeys = turn.night.definitions.of(Journey)
    if not journeys and not versions_in_use(house.engine):
        return Advanced()
    with_versions = _versions(house, turn.night)
    pools = turn.night.definitions.of(Coupons)
    unreadable = stock_pools(house, pools.values(), only_new=people is not None)
    redeem_from_events(house.engine, desk, pools.values(), turn, people)
    for number in range(1, TRIES + 1):
        for name, rows in copies(house.engine, people, of_active=True).items():
            desk.bind_arrow(name, rows)
        if people is not None:
            desk.bind_arrow(PEOPLE.name, pa.table({"contact_id": pa.array(sorted(people), pa.string())}))
        played = _played(house, desk, turn, with_versions, people is not None)
        try:
            kept = keep(house.engine, [one.turned for one in played], turn.night.business_on, turn.planned_at)
        except Overtaken:
            if number == TRIES:
                raise
            continue
        done = _advanced(house, played, kept, pools if people is None else {}, number)
        done.unreadable = unreadable
        return done
    raise AssertionError("unreachable")


def bind_events(house: House, runner: Runner, night: Night, arrived: pa.Table) -> None:
    """Let `core__event` be what is published and what the inbox holds since: rows in its columns, event_id beginning with `inbox:`."""
    published = EVENT.to_metadata(sa.MetaData(), name=PUBLISHED_EVENT)
    runner.bind_snapshot(published, house.lake.as_of(EVENT.name, night.business_on))
    arrivals = EVENT.to_metadata(sa.MetaData(), name="core__event__arrived")
    runner.bind_arrow(arrivals.name, arrived)
    runner.bind_select(sa.union_all(sa.select(published), sa.select(arrivals)), EVENT.name)


def _versions(house: House, night: Night) -> list[tuple[Version, ...]]:
    """The versions of each journey that somebody is on or may enter; first the one in force. Stopped and drafted ones stand still."""
    found, in_use = [], versions_in_use(house.engine)
    stopped = paused(house.engine)
    for id, journey in night.definitions.of(Journey).items():
        if journey.state not in RUNNING:
            continue
        current = Version(journey, night.definitions.hashes[f"journeys/{id}"], id in stopped)
        texts = {hash: text for hash, text in in_use.get(id, {}).items() if hash != current.hash}
        older = [_older(current, cast(Journey, parse("journeys", id, text)), hash) for hash, text in texts.items()]
        found.append((current, *older))
    return found


def _older(current: Version, journey: Journey, hash: str) -> Version:
    """A version that people are still on. Its steps are its own; how far the journey is rolled out, and until when, is said by the one in force."""
    now = {name: getattr(current.journey, name) for name in ROLLED_OUT}
    return Version(journey.model_copy(update=now), hash, current.is_paused)


def _played(house: House, desk: Any, turn: Turn, versions: list[tuple[Version, ...]], only: bool) -> list[Played]:
    pools = turn.night.definitions.of(Coupons)

    def stock(pool_id: str, count: int) -> pa.Table:
        return free_codes(house.engine, pool_id, count)

    return [JourneyTurn(desk, turn, each, pools, stock, only).play() for each in versions]


def _advanced(house: House, played: Iterable[Played], kept: Kept, pools: Mapping[str, Coupons], tries: int) -> Advanced:
    done = Advanced(kept, tries=tries)
    for one in played:
        journey = one.turned.journey_id
        done.entered |= {journey: one.entered} if one.entered else {}
        done.over_max_people |= {journey: one.over_max_people} if one.over_max_people else {}
        done.decisions |= {journey: one.decisions} if one.decisions else {}
    stock = left(house.engine) if pools else {}
    done.low = {id: stock.get(id, 0) for id, pool in pools.items() if stock.get(id, 0) <= pool.warn_below}
    return done


__all__ = ["Advanced", "LakeDesk", "advance", "bind_events", "play"]
