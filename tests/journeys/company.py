"""A small company with journeys: its people and facts in memory, a real ledger, and turns over both through the code of the night and the tick."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.journey import Advanced, play
from tests.conditions.world import Event, Facts, Tables
from vesper.address import ADDRESS_KEY, AddressKey
from vesper.clock import instant
from vesper.definition_set import DefinitionSet
from vesper.journey.turn import Turn
from vesper.load import parse
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.lead import LEAD
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.journey import Journey
from vesper.model.kinds import model_of
from vesper.model.workspace import Company as CompanySettings
from vesper.model.workspace import Workspace
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONSENT
from vesper.tables.identity import CONTACT_ALIAS
from warehouse.house import House
from warehouse.lake import Lake
from warehouse.ledger.definitions import activate, hash_of
from warehouse.ledger.engine import reading
from warehouse.ledger.handover import tasks_as_arrow
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK
from warehouse.ledger.outbox import messages_as_arrow, suppressions_as_arrow
from warehouse.ledger.schema import MESSAGE, REFUSAL
from warehouse.sql_text import sql_text

ZONE = "Asia/Shanghai"
DAY_1 = dt.date(2018, 1, 2)
KEY = "the key of a small company with journeys, of 64 characters or so"
FREQUENCY = """
says: 频次
owner: marketing
caps: {all_channels: {touches: 2, within: 24h}}
"""
CONTENT = """
says: 内容
owner: marketing
messages:
  zh_CN:
    subject: 你好
    text: "您好，退订：{{ unsubscribe_url }}"
"""
HEAD = """
says: 旅程
owner: marketing
series: S1
state: full
brief:
  persona: 看了商品的人
  message: 试试看
  cta: {what: 到店, benefit: 立减 10 元}
  stages: [prospect]
  timing: 浏览之后
  goal: 5% 核销
purpose: marketing
max_people: 100000
starts_on: 2018-01-01
ends_on: 2019-12-31
examples: [{expect: []}]
"""
Row = dict[str, Any]


class TableDesk:
    """What runs a turn's Selects over tables in memory."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.connection = tables.connection

    def materialize(self, select: Any, name: str) -> sa.Table:
        self.connection.execute(f'create or replace temp table "{name}" as {sql_text(select)}')
        return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in select.selected_columns])

    def rows(self, select: Any) -> list[Any]:
        return self.connection.execute(sql_text(select)).fetchall()

    def arrow(self, select: Any) -> pa.Table:
        return self.connection.sql(sql_text(select)).to_arrow_table()

    def bind_arrow(self, name: str, rows: pa.Table) -> None:
        if name in self.tables.made:
            self.connection.execute(f'drop table "{name}"')
            self.tables.made.remove(name)
        self.connection.register(name, rows)


@dataclass
class Company:
    """Facts, definitions and a ledger. `turn` and `night` go on from what the ledger says."""

    tables: Tables
    engine: sa.Engine
    root: Path
    texts: dict[str, str] = field(default_factory=dict)
    zone: str = ZONE
    facts: Facts = field(default_factory=lambda: Facts({}))
    consenting: Collection[str] | None = None
    stages: Mapping[str, str] | None = None
    aliases: dict[str, str | None] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    event_rows: list[Row] | None = None
    desk: type[TableDesk] = TableDesk
    models: dict[tuple[str, str], Any] = field(default_factory=dict)

    def define(self, **texts: str) -> None:
        """Put definitions in force, each `kind__id`; they are kept in the ledger as a night keeps them."""
        with self.engine.begin() as connection:
            for name, text in texts.items():
                key = name.replace("__", "/", 1)
                self.texts[key] = text
                activate(connection, key, text, "test")

    @property
    def definitions(self) -> DefinitionSet:
        items: dict[type, dict[str, Any]] = {}
        for key, text in {"policy/frequency": FREQUENCY, **self.texts}.items():
            kind, id = key.split("/")
            items.setdefault(model_of(kind, id), {})[id] = self.models.get((kind, id)) or parse(kind, id, text)
        return DefinitionSet(items, {key: hash_of(text) for key, text in self.texts.items()})

    def night_of(self, on: dt.date) -> Night:
        return Night(on, self.house.workspace, self.definitions, self.held)

    @property
    def house(self) -> House:
        workspace = Workspace(root=self.root, company=CompanySettings(name="好邻居", zone=self.zone))
        return House(workspace, self.engine, Lake(self.root / ".vesper" / "lake", self.engine))

    def know(self, contacts: Iterable[str], events: Iterable[Event] = (), **changes: Any) -> None:
        """These people and facts and no others."""
        people = {id: {"email": f"{id}@example.com"} for id in contacts}
        self.facts = Facts(changes.pop("attributes", None) or people, events=tuple(events), **changes)

    def night(self, on: dt.date) -> Advanced:
        """The turn of a night."""
        return self._play(Turn.of_night(self.night_of(on)), None)

    def tick(self, at: dt.datetime, people: Collection[str] | None = None, **known: Any) -> Advanced:
        """A turn between nights."""
        on = (at + dt.timedelta(hours=8)).date()
        return self._play(Turn.of_tick(self.night_of(on), at, **known), people)

    def _play(self, turn: Turn, people: Collection[str] | None) -> Advanced:
        self._put(turn.night)
        return play(self.house, self.desk(self.tables), turn, people)

    def _put(self, night: Night) -> None:
        put = self.tables.put
        self.tables.put_facts(self.facts, night)
        if self.event_rows is not None:
            put(EVENT, self.event_rows)
        ids = sorted(self.facts.contacts)
        agreed = ids if self.consenting is None else self.consenting
        said = {"channel": "email", "purpose": "marketing", "is_granted": True, "source": "crm"}
        put(CONSENT, [{"contact_id": id, **said} for id in agreed])
        stages = dict.fromkeys(ids, "prospect") if self.stages is None else self.stages
        since = {"entered_at": dt.datetime(2017, 1, 1), "rule_id": "x", "business_on": night.business_on}
        put(LIFECYCLE, [{"contact_id": id, "stage": stage, **since} for id, stage in stages.items()])
        members = [(name, id) for id, names in self.facts.segments.items() for name in names]
        put(
            SEGMENT_MEMBER,
            [{"segment_id": name, "contact_id": id, "entered_on": night.business_on} for name, id in members],
        )
        put(SCORE, [])
        put(LEAD, [])
        put(CONTACT_ALIAS, [{"old_id": old, "contact_id": new} for old, new in self.aliases.items()])
        desk = TableDesk(self.tables)
        copied = {
            RAW_MESSAGE: messages_as_arrow,
            RAW_SUPPRESSION: suppressions_as_arrow,
            RAW_HUMAN_TASK: tasks_as_arrow,
        }
        for table, copy in copied.items():
            desk.bind_arrow(table.name, copy(self.engine))
        inner, outer = AddressKey(KEY.encode()).pads
        desk.bind_arrow(ADDRESS_KEY.name, pa.table({"inner_pad": [inner], "outer_pad": [outer]}))

    # what came of it

    def entries(self) -> list[Row]:
        return self._all(JOURNEY_ENTRY)

    def visits(self) -> list[Row]:
        return self._all(JOURNEY_VISIT)

    def messages(self) -> list[Row]:
        return self._all(MESSAGE)

    def refusals(self) -> list[Row]:
        return self._all(REFUSAL)

    def coupons(self) -> list[Row]:
        return [row for row in self._all(COUPON) if row["contact_id"]]

    def tasks(self) -> list[Row]:
        return self._all(NURTURE_TASK)

    def way(self, contact_id: str = "c1", occurrence: int = 1) -> list[tuple[str, dt.datetime]]:
        """The steps that somebody came to, each with the wall-clock time."""
        mine = [row for row in self.visits() if (row["contact_id"], row["occurrence"]) == (contact_id, occurrence)]
        return [(row["step_id"], row["at"] + dt.timedelta(hours=8)) for row in mine]

    def _all(self, table: sa.Table) -> list[Row]:
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            return [dict(row) for row in rows]


def on_day(number: int, clock: str = "10:00", zone: str = ZONE) -> dt.datetime:
    """The instant (UTC) of a time of day; day 1 is the first."""
    return instant(DAY_1 + dt.timedelta(days=number - 1), dt.time.fromisoformat(clock), zone)


def happened(kind: str, day: int, clock: str = "10:00", contact_id: str = "c1", **more: Any) -> Event:
    """One thing that somebody did."""
    return Event(contact_id, kind, DAY_1 + dt.timedelta(days=day - 1), moment=on_day(day, clock), **more)


def journey(*steps: str, entry: str = "{event: {kind: page_viewed}}", **more: str) -> str:
    """The text of a journey: steps as flow mappings without owner and limit, further keys as text."""
    lines = [
        f"  - {{owner: anna, {step}}}" if "within" in step else f"  - {{owner: anna, within: 40d, {step}}}"
        for step in steps
    ]
    head = HEAD
    for key, value in more.items():
        head = "\n".join(line for line in head.splitlines() if not line.startswith(f"{key}:")) + f"\n{key}: {value}\n"
    return head + f"entry: {entry}\nsteps:\n" + "\n".join(lines) + "\n"


def model(text: str, id: str = "j1") -> Journey:
    """A journey's model."""
    found = parse("journeys", id, text)
    assert isinstance(found, Journey)
    return found


def states(company: Company) -> list[Sequence[Any]]:
    """(contact_id, occurrence, state, reason) of every entry."""
    return [(row["contact_id"], row["occurrence"], row["state"], row["reason"]) for row in company.entries()]
