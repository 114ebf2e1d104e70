"""A company with one source of contacts: its workspace, its invented rows, and nights that only take its files in.

What belongs here: the workspace, rows by their number (the same number always gives the same row), one night and its counts. What does not: which
files are taken in (`sources.py`, `hostile_files.py`).
"""

import datetime as dt
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import sqlalchemy as sa

from bench.memory import peak_mb
from tasks.bench import Bench
from tasks.take_in import take_in
from vesper.clock import instant
from vesper.model.source import Source
from vesper.stage_report import StageReport
from vesper.tables.raw import raw_table
from warehouse.house import House
from warehouse.ledger.receipts import record_receipts
from warehouse.runner import Runner

ZONE, ID = "Asia/Shanghai", "crm_lead"
FIRST = dt.date(2018, 3, 1)
SETTINGS = f"""[company]
name = "好邻居超市"
language = "en"
zone = "{ZONE}"
[clock]
mode = "simulated"
simulated_on = {FIRST}
[definitions]
activate = "automatic"
"""
CONTRACT = """says: Contacts that the shops collect
owner: data@example.com
feeds: contact
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 100000000, drop_ratio: 0}
max_quarantine_ratio: 0.5
key: [member_id]
fields:
  member_id: {column: 编号, type: text, required: true}
  name: {column: 姓名, type: text}
  phone: {column: 手机, type: text}
"""
MORE_FIELDS = """  email: {column: 邮箱, type: text}
  company: {column: 公司, type: text}
  city: {column: 城市, type: text}
  registered_at: {column: 注册时间, type: instant}
"""
BLOCK = 250_000
SEED = np.uint64(20_180_301)
SURNAMES = np.array(list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"))
GIVEN = np.array(list("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂"))
DOMAINS = np.array(["qq.com", "163.com", "126.com", "foxmail.com", "example.com.cn"])
FIRMS = np.array(["东方", "长江", "泰山", "黄河", "金蝶", "远大", "华联", "新城"])
CITIES = np.array(["上海", "北京", "深圳", "杭州", "成都", "武汉", "沈阳", "乌鲁木齐"])
BROKEN = 500
"""One row in so many has no number, and one in so many registered on a day that does not exist: both are set aside."""


@dataclass(frozen=True)
class Company:
    """A workspace with one source."""

    root: Path

    def define(self, system: str = "csv", path: str | None = None, more_fields: bool = False) -> None:
        """Write the settings and the source's contract; a path of its own is for those that should be refused."""
        folder = self.root / "definitions" / "sources"
        folder.mkdir(parents=True, exist_ok=True)
        (self.root / "vesper.toml").write_text(SETTINGS, encoding="utf-8")
        ending = "xlsx" if system == "excel" else system
        place = f'system: {system}\npath: "{path or f"{ID}/{{on}}.{ending}"}"\n'
        text = place + CONTRACT + (MORE_FIELDS if more_fields else "")
        (folder / f"{ID}.yml").write_text(text, encoding="utf-8")

    @property
    def landing(self) -> Path:
        """The folder into which the source's files come."""
        return self.root / ".vesper" / "landing" / ID

    def file(self, number: int, ending: str = "csv") -> Path:
        """Where the file of the number-th day lands, from 0."""
        self.landing.mkdir(parents=True, exist_ok=True)
        return self.landing / f"{day(number)}.{ending}"

    def arrive(self, number: int) -> None:
        """All files of a day come at noon."""
        at = instant(day(number), dt.time(12), ZONE).replace(tzinfo=dt.UTC).timestamp()
        for path in self.landing.glob(f"*{day(number)}*"):
            os.utime(path, (at, at), follow_symlinks=False)


def day(number: int) -> dt.date:
    """The number-th night, from 0."""
    return FIRST + dt.timedelta(days=number)


def night(company: Company, number: int) -> dict[str, Any]:
    """Take in what came and publish it: CPU seconds, wall clock, peak memory of this process in MB, and the rows by outcome.

    Raises:
        StageFailed: a file was refused; nothing of it was published.
    """
    house = House.open(company.root)
    report = StageReport("consolidate", day(number))
    started = time.process_time(), time.monotonic()
    try:
        with Runner(house.lake) as runner:
            bench = Bench(house, house.night(day(number)), runner, report, "bench")
            taken = take_in(bench, bench.night.definitions.of(Source)[ID])
            bench.alongside.append(lambda connection: record_receipts(connection, taken.receipts))
            house.lake.publish(list(bench.candidates.values()), day(number), "bench", bench.alongside)
    finally:
        house.close()
    spent = {"cpu_s": round(time.process_time() - started[0], 2), "wall_s": round(time.monotonic() - started[1], 2)}
    return {**counts(report), **spent, "peak_mb": round(peak_mb())}


def counts(report: StageReport) -> dict[str, int]:
    """The rows of the batch by outcome; empty when no file came. RuntimeError when they do not add up."""
    found = [one for one in report.balances if one.name == f"consolidate {ID}"]
    if not found:
        return {}
    if not found[0].holds:
        raise RuntimeError(f"{found[0].total} rows came, and {dict(found[0].parts)} became of them")
    return {"received": found[0].total, **found[0].parts}


def standing(company: Company, number: int) -> dict[str, int]:
    """Rows of the published raw table, and how many keys they have."""
    house = House.open(company.root)
    try:
        raw = raw_table(house.definitions.of(Source)[ID])
        with Runner(house.lake) as runner:
            runner.bind_snapshot(raw, house.lake.as_of(raw.name, day(number)))
            keys = sa.func.count(sa.distinct(raw.c.member_id))
            (found,) = runner.rows(sa.select(sa.func.count().label("rows"), keys.label("keys")).select_from(raw))
            return {"rows": int(found.rows), "keys": int(found.keys)}
    finally:
        house.close()


def write_rows(path: Path, first: int, count: int) -> int:
    """A CSV of so many rows from a number on, about 100 bytes each; how many of them can be used."""
    usable = 0
    with arrow_csv.CSVWriter(path, rows(first, 0).schema) as writer:
        for start in range(first, first + count, BLOCK):
            block = rows(start, min(BLOCK, first + count - start))
            usable += block.num_rows - int(pc.sum(is_broken(start, block.num_rows)).as_py() or 0)
            writer.write_table(block)
    return usable


def is_broken(first: int, count: int) -> pa.Array:
    """Which of these rows are to be set aside."""
    drawn = _drawn(first, count, 0) % BROKEN
    return pa.array(drawn < 2)


def rows(first: int, count: int) -> pa.Table:
    """Invented contacts by their number."""
    drawn = [_drawn(first, count, place) for place in range(6)]
    number = np.arange(first, first + count)
    fault = drawn[0] % BROKEN
    key = pa.array(number, mask=fault == 0).cast(pa.string())
    second = pa.array(10_000_000 + drawn[2] % 90_000_000).cast(pa.string())
    at = pa.array((1_262_304_000 + drawn[5] % 252_000_000).astype("int64"), pa.timestamp("s"))
    columns: Mapping[str, Any] = {
        "编号": pc.binary_join_element_wise("M", pc.utf8_lpad(key, 9, "0"), ""),
        "姓名": _joined(_of(SURNAMES, drawn[1]), _of(GIVEN, drawn[1] // 64), _of(GIVEN, drawn[1] // 4096)),
        "手机": _joined("13", pa.array(drawn[3] % 10).cast(pa.string()), second),
        "邮箱": _joined("user", pa.array(number).cast(pa.string()), "@", _of(DOMAINS, drawn[3] // 64)),
        "公司": _joined(_of(FIRMS, drawn[4]), pa.array(drawn[4] // 64 % 5000).cast(pa.string()), "科技有限公司"),
        "城市": _of(CITIES, drawn[4] // 1_048_576),
        "注册时间": pc.if_else(pa.array(fault == 1), "2017-02-30 10:00:00", pc.strftime(at, "%Y-%m-%d %H:%M:%S")),
    }
    return pa.table(columns)


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _of(words: Any, drawn: Any) -> pa.Array:
    return pa.array(words).take(pa.array(drawn % len(words)))


def _drawn(first: int, count: int, place: int) -> Any:
    """Numbers that look drawn, from a row's number, a column's place and the seed (the finalizer of SplitMix64)."""
    mixed = np.arange(first, first + count, dtype=np.uint64) * np.uint64(8) + np.uint64(place) + SEED
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)
