"""One journey taken through one turn, in memory: rounds of moves and actions until nobody moves any more.

What belongs here: running the Selects of `vesper/journey/` in their order, and gathering what came of them. What does not: what they decide, and
keeping it (`warehouse/ledger/journey.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import sqlalchemy as sa

from vesper.clock import at
from vesper.journey import acting, applying, entering, moving
from vesper.journey.turn import (
    ACT,
    ACTED,
    ACTIVE,
    JOURNEY_ENDED,
    MOVE,
    PEOPLE,
    STANDING,
    STOCK,
    WAY,
    Turn,
    Version,
)
from vesper.model.coupon import Coupons
from vesper.model.journey import JourneyStep
from vesper.model.outreach import RUNNING
from vesper.send import plan
from vesper.tables.journey import RAW_COUPON
from warehouse.ledger.journey import Turned

ROUNDS_PER_STEP = 8
"""A circle of waits goes on in the next turn after so many times round."""
ENTERED = "journey_entered"
Stock = Callable[[str, int], pa.Table]
"""Pool and a number -> so many of its codes that nobody has, fewer where there are fewer: pool_id, code."""


class Desk(Protocol):
    """What runs Selects: a runner that binds by itself what a Select reads."""

    def materialize(self, select: Any, name: str) -> sa.Table: ...

    def rows(self, select: Any) -> list[Any]: ...

    def arrow(self, select: Any) -> pa.Table: ...

    def bind_arrow(self, name: str, rows: pa.Table) -> None: ...


@dataclass
class Played:
    """What came of a journey's turn: what is to be kept, and figures for people."""

    turned: Turned
    entered: int = 0
    over_max_people: int = 0
    decisions: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class JourneyTurn:
    """One journey with the versions that people are on; the first is the one in force."""

    desk: Desk
    turn: Turn
    versions: tuple[Version, ...]
    pools: Mapping[str, Coupons]
    stock: Stock
    only: bool = False
    """Whether only the contacts of PEOPLE are looked at."""
    played: Played = field(init=False)

    def __post_init__(self) -> None:
        self.played = Played(Turned(self.journey_id))
        self.frozen = frozenset(one.hash for one in self.versions if moving.is_frozen(one, self.turn))

    @property
    def journey_id(self) -> str:
        return self.current.journey.id

    @property
    def current(self) -> Version:
        return self.versions[0]

    def play(self) -> Played:
        """Everybody as far as the facts take them. Changes nothing but tables in memory."""
        self._start()
        self._enter()
        for _ in range(ROUNDS_PER_STEP * (1 + max(len(one.journey.steps) for one in self.versions))):
            if not self._round():
                break
        self._end()
        return self.played

    def _start(self) -> None:
        some = sa.select(PEOPLE.c.contact_id) if self.only else None
        self.desk.materialize(applying.standing_at_start(self.journey_id, some), STANDING.name)
        self.desk.materialize(applying.way_at_start(self.journey_id), WAY.name)
        lapsed = entering.lapsed(self.current, self.turn)
        if lapsed is not None:
            self.played.turned.lapsed = self.desk.arrow(lapsed)

    def _enter(self) -> int:
        """Let in who may enter now; returns how many did."""
        if self.current.journey.state not in RUNNING or entering.is_unknown(self.current, self.turn):
            return 0
        self.desk.materialize(entering.entrants(self.current, self.turn, self.only), ENTERED)
        entered = sa.Table(ENTERED, sa.MetaData(), sa.Column("contact_id", sa.String), *_entered_columns())
        count = int(self.desk.rows(sa.select(sa.func.count()).select_from(entered))[0][0])
        if not count:
            return 0
        before = int(self.desk.rows(entering.entered_before(self.journey_id))[0][0])
        if before + count > self.current.journey.max_people:
            self.played.over_max_people = count
            return 0
        first = self.current.journey.steps[0]
        within = first.within.timedelta
        self.desk.materialize(applying.way_with(entered, first.id, within, self.turn), WAY.name)
        self.desk.materialize(applying.standing_with(entered, self.current.hash, first.id, self.turn), STANDING.name)
        self.played.entered += count
        return count

    def _round(self) -> bool:
        """One move or one action for everybody; False when nobody has any."""
        occupied = self._occupied()
        running = [one for one in self.versions if occupied.get(one.hash) and one.hash not in self.frozen]
        if not running:
            return False
        selects = [moving.moves(one, self.turn, occupied[one.hash]) for one in running]
        self.desk.materialize(sa.union_all(*selects) if len(selects) > 1 else selects[0], MOVE.name)
        verbs = {
            row[0]: row[1] for row in self.desk.rows(sa.select(MOVE.c.verb, sa.func.count()).group_by(MOVE.c.verb))
        }
        if not verbs:
            return False
        if set(verbs) != {ACT}:
            self.desk.materialize(applying.way_next(self.turn), WAY.name)
            self.desk.materialize(applying.standing_next(), STANDING.name)
            if self.current.journey.reentry != "never":
                self._enter()
        if ACT in verbs:
            self._act(running, occupied)
        return True

    def _occupied(self) -> dict[str, set[str]]:
        """Steps that somebody stands at, by version."""
        s = STANDING.c
        found: dict[str, set[str]] = {}
        for row in self.desk.rows(sa.select(s.definition_hash, s.step_id).where(s.state == ACTIVE).distinct()):
            found.setdefault(row[0], set()).add(row[1])
        return found

    def _act(self, running: Iterable[Version], occupied: Mapping[str, set[str]]) -> None:
        """Do every action that is due, all of a step at once."""
        done = [
            self._done(one, step)
            for one in running
            for step in one.journey.steps
            if step.id in occupied[one.hash] and step.kind in ("send", "give", "task")
        ]
        self.desk.bind_arrow(ACTED.name, pa.concat_tables([_outcomes(table) for table in done if table is not None]))
        self.desk.materialize(applying.standing_acted(), STANDING.name)

    def _done(self, version: Version, step: JourneyStep) -> pa.Table:
        turned = self.played.turned
        if step.send is not None:
            planned_at = None if self.turn.is_night else self.turn.planned_at
            people = acting.at_step(version, step)
            rows = self.desk.arrow(plan(acting.sending(version, step), people, self.turn.night, planned_at))
            rows = rows.append_column("outcome", rows["decision"])
            turned.plans.append(rows)
        elif step.give is not None:
            rows = self._given(version, step)
        else:
            rows = self.desk.arrow(acting.tasks(version, step, self.turn))
            turned.tasks.append(rows)
        self._count(step.id, rows["outcome"])
        return rows

    def _given(self, version: Version, step: JourneyStep) -> pa.Table:
        """Give codes; those given here are taken for the rest of the turn."""
        assert step.give is not None
        pool = self.pools[step.give.pool]
        count = int(
            self.desk.rows(sa.select(sa.func.count()).select_from(acting.at_step(version, step).subquery()))[0][0]
        )
        known = self.desk.arrow(sa.select(RAW_COUPON))
        in_turn = sum(table.num_rows for table in self.played.turned.gifts)
        self.desk.bind_arrow(STOCK.name, self.stock(pool.id, count + in_turn))
        rows = self.desk.arrow(acting.gifts(version, step, pool, self.turn))
        given = rows.filter(pa.compute.is_valid(rows["code"]))
        self.played.turned.gifts.append(given)
        self.desk.bind_arrow(
            RAW_COUPON.name, pa.concat_tables([known, given.select(known.column_names)], promote_options="permissive")
        )
        return rows

    def _count(self, step_id: str, outcomes: Any) -> None:
        counts = self.played.decisions.setdefault(step_id, {})
        for pair in outcomes.value_counts().to_pylist():
            counts[pair["values"]] = counts.get(pair["values"], 0) + pair["counts"]

    def _end(self) -> None:
        """What is to be kept. Who left before their last step gets nothing that was decided in this very turn."""
        turned, s, w = self.played.turned, STANDING.c, WAY.c
        due = moving.due_at_of(self.versions, self.turn.night.zone)
        still = sa.and_(s.state == ACTIVE, due > at(self.turn.at))
        rows = sa.select(STANDING, sa.cast(sa.case((still, due), else_=sa.null()), sa.DateTime).label("due_at"))
        # A wait that is over and that this turn could not end is the night's: no tick is woken by it again.
        is_put_off = s.due_before <= at(self.turn.at)
        moved = sa.or_(s.number != s.number_before, s.state != ACTIVE, is_put_off)
        turned.entered = self.desk.arrow(rows.where(s.number_before.is_(None)))
        turned.moved = self.desk.arrow(rows.where(s.number_before.is_not(None), moved))
        turned.ended = self.desk.arrow(acting.ended())
        same = sa.and_(s.contact_id == w.contact_id, s.occurrence == w.occurrence)
        way = sa.select(WAY).join_from(WAY, STANDING, same)
        turned.come = self.desk.arrow(way.where(w.number > sa.func.coalesce(s.number_before, 0)))
        turned.left = self.desk.arrow(way.where(w.number == s.number_before, w.left_at.is_not(None)))
        turned.take_back(JOURNEY_ENDED)


def _entered_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("occurrence", sa.Integer),
        sa.Column("entered_at", sa.DateTime),
        sa.Column("inbox_id", sa.Integer),
    ]


def _outcomes(rows: pa.Table) -> pa.Table:
    schema = pa.schema([("contact_id", pa.string()), ("occurrence", pa.int32()), ("outcome", pa.string())])
    return rows.select(["contact_id", "occurrence", "outcome"]).cast(schema)
