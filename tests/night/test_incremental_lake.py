"""Nights that make touched contacts only, through the lake: the same rows as nights that make everybody's.

What belongs here: the score and segment stages' marts on a real lake, night after night. What does not: random histories (test_incremental.py).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

import tasks.incremental
from tasks.bench import Bench
from tasks.marts import fill_marts
from tests.conditions.world import Event, Facts, Order, contact_rows, day_rows, event_rows, line_rows, night
from tests.score.nights import LEADS, LIFECYCLE_A, SCALE, rule, segment
from vesper.marts import all_marts
from vesper.marts.activity import ACTIVITY, activity
from vesper.marts.score import SCORE
from vesper.model.definition import Definition
from vesper.stage_report import StageReport
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.order import ORDER_DAY, ORDER_LINE
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.runs import RunStart, end_run, pin_inputs, start_run
from warehouse.runner import Runner

FIRST = dt.date(2017, 12, 20)
STAGES = ("score", "segment")
ALWAYS = {"is_machine": False, "source": "app"}
SETTINGS = (
    '[company]\nname = "杂货店"\nzone = "America/New_York"\n[clock]\nmode = "simulated"\nsimulated_on = 2018-01-01\n'
)
REDEEMED = {"events": {"kind": "coupon_redeemed", "at_least": 1, "within": "7d"}}
RULES = (
    rule("redeemed", REDEEMED, 20),
    rule("east", {"attribute": {"field": "province", "in": ["上海"]}}, 10, "fit"),
    rule("ever", {"events": {"kind": "coupon_redeemed", "at_least": 2}}, 3),
    rule("silent", {"events": {"kind": "app_signup", "at_most": 0, "within": "30d"}}, -5),
)
SEGMENTS = (
    segment("dormant", {"last_order": {"at_least_days_ago": 10}}),
    segment("hot", {"all": [{"score": {"at_least": 80}}, {"not": {"segment": {"id": "dormant"}}}]}),
    segment("lately", {"any": [{"orders": {"at_least": 2, "within": "7d"}}, REDEEMED]}),
)


def after(days: int) -> dt.date:
    return FIRST + dt.timedelta(days=days)


def facts_of(day: int) -> Facts:
    """What is known on a day: forty contacts, of whom few do anything on any day, and one of whom moves house on the third."""
    contacts = {f"c{n:02}": {"province": "上海" if n % 4 == 0 or (n == 5 and day >= 3) else "江苏"} for n in range(40)}
    orders = [Order(f"c{n:02}", after(-n), (Decimal(n + 1),)) for n in range(20)]
    orders += [Order("c07", after(n)) for n in range(1, day + 1)]
    events = [Event(f"c{n:02}", "coupon_redeemed", after(-n)) for n in range(12)]
    events += [Event("c30", "app_signup", after(n)) for n in (1, 4) if n <= day]
    events += [Event("c30", kind, after(-60 - n)) for kind in ("coupon_redeemed", "app_signup") for n in range(3)]
    if day >= 4:
        events.append(Event("c31", "coupon_redeemed", after(1)))  # late: it happened three days before it arrived
        contacts.pop("c39")
    return Facts(contacts, tuple(orders), tuple(events))


class Nights:
    """A lake, and the two stages on it."""

    def __init__(self, root: Path) -> None:
        self.facts = facts_of
        root.mkdir()
        (root / "vesper.toml").write_text(SETTINGS, encoding="utf-8")
        (root / "definitions").mkdir()
        self.house = House.open(root)
        self.touched: dict[tuple[int, str], int | None] = {}

    def consolidate(self, day: int) -> None:
        """Publish the facts of a day and who is how active."""
        known = self.facts(day)
        with self._bench("consolidate", day, ()) as bench:
            self._fill(bench, CONTACT, contact_rows(known))
            for table, rows in (
                (ORDER_LINE, line_rows(known)),
                (ORDER_DAY, day_rows(known)),
                (EVENT, event_rows(known)),
            ):
                self._fill(bench, table, rows)
            bench.fill(ACTIVITY, activity(bench.night))
            self._publish(bench)

    def run(self, day: int, *definitions: Definition) -> None:
        """One night of both stages, published."""
        self.consolidate(day)
        for stage in STAGES:
            with self._bench(stage, day, definitions) as bench:
                fill_marts(bench)
                self.touched[day, stage] = bench.report.facts.get("touched")
                assert self._rows(bench, stage) == self._everybody(stage, day, definitions)
                self._publish(bench)

    def scores(self) -> dict[str, int]:
        """The scores in force, by contact."""
        with Runner(self.house.lake) as runner:
            runner.bind_snapshot(SCORE, self.house.lake.in_force(SCORE.name))
            return {row.contact_id: row.score for row in runner.rows(sa.select(SCORE.c.contact_id, SCORE.c.score))}

    def _everybody(self, stage: str, day: int, definitions: tuple[Definition, ...]) -> dict[str, list[Any]]:
        """The same night for everybody, unpublished."""
        with self._bench(stage, day, definitions) as bench:
            fill_marts(bench, everybody=True)
            return self._rows(bench, stage)

    def _rows(self, bench: Bench, stage: str) -> dict[str, list[Any]]:
        tables = [mart.table for mart in all_marts().values() if mart.stage == stage and mart.is_by_contact]
        return {
            table.name: bench.runner.rows(sa.select(table).order_by(*[table.c[name] for name in table.info["grain"]]))
            for table in tables
        }

    def _bench(self, stage: str, day: int, definitions: tuple[Definition, ...]) -> Any:
        return opened(self.house, stage, after(day), definitions)

    def _fill(self, bench: Bench, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        whole = [{**dict.fromkeys(table.c.keys()), **row} for row in rows]
        bench.runner.bind_arrow("made", pa.Table.from_pylist(whole, schema=arrow_schema(table)))
        made = sa.select(sa.Table("made", sa.MetaData(), *[sa.Column(c.name, c.type) for c in table.c]))
        if table.info["cut"]:
            before = {row[table.info["cut"]] for row in rows}
            bench.fill_days(table, made, before)
        else:
            bench.fill(table, made)
        bench.runner.forget("made")

    def _publish(self, bench: Bench) -> None:
        inputs, id = bench.inputs, bench.run_id
        steps = [lambda one: pin_inputs(one, id, inputs), lambda one: end_run(one, id, "published")]
        self.house.lake.publish(list(bench.candidates.values()), bench.business_on, id, steps)


class opened:
    """A bench that is not gated."""

    def __init__(self, house: House, stage: str, on: dt.date, definitions: tuple[Definition, ...]) -> None:
        tonight = replace(night(*definitions, on=on), workspace=house.workspace)
        self.runner = Runner(house.lake)
        start = RunStart(stage, on, tonight.definitions.fingerprint, False)
        run_id = start_run(house.engine, start)
        self.bench = Bench(house, tonight, self.runner, StageReport(stage, on), run_id)

    def __enter__(self) -> Bench:
        return self.bench

    def __exit__(self, *_: object) -> None:
        self.runner.connection.close()


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    monkeypatch.setattr(tasks.incremental, "MOST", 0.9)
    monkeypatch.setattr(tasks.incremental, "FEWEST", 0)
    made = Nights(tmp_path / "company")
    yield made
    made.house.close()


@pytest.mark.requirement("R35")
@pytest.mark.requirement("R62")
def test_nights_of_touched_contacts_give_everybodys_rows(nights: Nights) -> None:
    policies = (LIFECYCLE_A, SCALE, LEADS)
    for day in (0, 1, 3, 4):
        nights.run(day, *policies, *RULES, *SEGMENTS)
    nights.run(5, *policies, *RULES[:2], *SEGMENTS)
    nights.run(6, *policies, *RULES[:2], *SEGMENTS)
    assert nights.touched[0, "score"] is None, "the first night has nothing to stand on"
    assert all(nights.touched[day, stage] for day in (1, 3, 4, 6) for stage in STAGES)
    assert nights.touched[5, "score"] is None, "a rule was withdrawn, so every score is made anew"


@pytest.mark.requirement("R62")
def test_a_stage_that_missed_a_night_makes_everybodys_rows(nights: Nights) -> None:
    definitions = (LIFECYCLE_A, SCALE, LEADS, *RULES, *SEGMENTS)
    nights.run(0, *definitions)
    nights.consolidate(1)
    nights.run(2, *definitions)
    assert nights.touched[2, "score"] is None, "what it read then is not what the night before means now"


@pytest.mark.requirement("R109")
def test_an_incident_touches_those_who_answered(nights: Nights) -> None:
    """From the third night on the redemptions of two contacts are answers to a campaign that went wrong: their scores fall, and no others."""

    def with_incident(day: int) -> Facts:
        events = [
            replace(one, excluded_by="incident 1") if day >= 2 and one.contact_id in ("c02", "c03") else one
            for one in facts_of(1).events
        ]
        return replace(facts_of(1), events=tuple(events))

    nights.facts = with_incident
    lately = rule("lately", {"events": {"kind": "coupon_redeemed", "at_least": 1, "within": "60d"}}, 20)
    scores = []
    for day in (1, 2):
        nights.run(day, LIFECYCLE_A, SCALE, LEADS, lately, *SEGMENTS)
        scores.append(nights.scores())
    assert {id for id in scores[0] if scores[0][id] != scores[1][id]} == {"c02", "c03"}
    assert 2 <= (nights.touched[2, "score"] or 0) < 40
