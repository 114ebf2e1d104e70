"""A company of one source, and nights that only take in: files judged, merged and published, nothing made of them.

What belongs here: the workspace, its files, its nights, the raw table as it stands. What does not: what is asked of them.
"""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tasks.bench import Bench, Mode
from tasks.take_in import TakenIn, take_in
from vesper.clock import instant, now
from vesper.model.source import Source
from vesper.stage_report import StageReport
from vesper.tables.quality import QUARANTINE
from vesper.tables.raw import raw_name
from warehouse.house import House
from warehouse.ledger.receipts import record_receipts
from warehouse.runner import Runner

FIRST = dt.date(2018, 3, 1)
HEAD = """says: 测试用。
owner: data@example.com
feeds: contact
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 20000000, drop_ratio: 0}
max_quarantine_ratio: 1.0
key: [member_id]
fields:
  member_id: {column: 编号, type: text, required: true}
  name: {column: 姓名, type: text}
  phone: {column: 手机, type: text}
"""
SETTINGS = """[company]
name = "好邻居超市"
language = "en"
zone = "{zone}"
[clock]
mode = "{mode}"
{simulated}
[definitions]
activate = "automatic"
"""


@dataclass
class Night:
    """What a night did: its report, what it quarantined by rule, and the raw table after it."""

    report: StageReport
    taken: TakenIn
    quarantine: list[dict[str, Any]] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[str, int]:
        """The balance of the rows; empty where no file was taken in."""
        found = [one for one in self.report.balances if one.name.startswith("consolidate ")]
        assert all(one.holds for one in found)
        return {"received": found[0].total, **found[0].parts} if found else {}


class OneSource:
    """A workspace with one source, by the text of its definition."""

    def __init__(
        self, root: Path, text: str, id: str = "crm_lead", live: bool = False, zone: str = "Asia/Shanghai"
    ) -> None:
        self.root, self.id, self.zone = root, id, zone
        folder = root / "definitions" / "sources"
        folder.mkdir(parents=True, exist_ok=True)
        simulated = "" if live else f"simulated_on = {FIRST}"
        settings = SETTINGS.format(zone=zone, mode="live" if live else "simulated", simulated=simulated)
        (root / "vesper.toml").write_text(settings, encoding="utf-8")
        self.define(text)

    def define(self, text: str) -> None:
        (self.root / "definitions" / "sources" / f"{self.id}.yml").write_text(text, encoding="utf-8")

    def path(self, on: dt.date, ending: str = "csv") -> Path:
        return self.root / ".vesper" / "landing" / self.id / f"{on}.{ending}"

    def land(self, on: dt.date, data: bytes | str, ending: str = "csv", arrives: dt.date | None = None) -> Path:
        """A file of a day that arrived by the evening of a day."""
        path = self.path(on, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return self.arrived(path, arrives or on)

    def arrived(self, path: Path, on: dt.date) -> Path:
        at = instant(on, dt.time(12), self.zone).replace(tzinfo=dt.UTC).timestamp()
        os.utime(path, (at, at))
        return path

    def today(self) -> dt.date:
        house = House.open(self.root)
        try:
            return house.business_on()
        finally:
            house.close()

    def night(self, on: dt.date, mode: Mode = "night") -> Night:
        """Take in and publish. Raises StageFailed."""
        house = House.open(self.root)
        report = StageReport("consolidate", on)
        try:
            with Runner(house.lake) as runner:
                bench = Bench(house, house.night(on), runner, report, "quick", mode)
                taken = take_in(bench, bench.night.definitions.of(Source)[self.id])
                night = Night(report, taken)
                if taken.quarantine is not None:
                    night.quarantine = [row._asdict() for row in bench.rows(taken.quarantine)]
                bench.alongside.append(lambda connection: record_receipts(connection, taken.receipts))
                if mode == "night":
                    house.lake.publish(list(bench.candidates.values()), on, "quick", bench.alongside)
                return night
        finally:
            house.close()

    def rows(self, on: dt.date | None = None) -> list[dict[str, Any]]:
        """The raw table, in the order of its key."""
        house = House.open(self.root)
        try:
            source = house.definitions.of(Source)[self.id]
            with Runner(house.lake) as runner:
                bench = Bench(house, house.night(on or dt.date(2100, 1, 1)), runner, StageReport("x", FIRST), "read")
                from vesper.tables.raw import raw_table

                table = bench.declare(raw_table(source))
                return [row._asdict() for row in bench.rows(sa.select(table).order_by(*table.primary_key, table.c[0]))]
        finally:
            house.close()


def csv_source(**settings: str) -> str:
    """A source of CSV files named 编号, 姓名, 手机."""
    lines = {"system": "csv", "path": '"crm_lead/{on}.csv"', **settings}
    return "".join(f"{name}: {value}\n" for name, value in lines.items()) + HEAD


def csv_text(rows: Mapping[str, tuple[str, str]]) -> str:
    return "编号,姓名,手机\n" + "".join(f"{key},{name},{phone}\n" for key, (name, phone) in rows.items())


def day(number: int) -> dt.date:
    """The number-th night, from 0."""
    return FIRST + dt.timedelta(days=number)


def zone_at(hour: int) -> str:
    """A zone in which it is this hour now, or the hour after."""
    offset = (hour - now().hour + 12) % 24 - 12
    name = f"Etc/GMT{-offset:+d}" if offset else "UTC"
    assert dt.datetime.now(ZoneInfo(name)).hour in (hour, (hour + 1) % 24)
    return name


__all__ = ["QUARANTINE", "Night", "OneSource", "csv_source", "csv_text", "day", "raw_name", "zone_at"]
