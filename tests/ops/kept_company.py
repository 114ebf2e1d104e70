"""A company of one source that keeps its quarantine from night to night, and asks for rows to be judged again.

What belongs here: its definitions before and after somebody mended them, its nights, what waits. What does not: what is asked of them.
"""

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

from tasks import quarantine
from tasks.bench import Bench, Mode
from tasks.take_in import take_in
from tests.sources.night_of import Night, OneSource, csv_source, day
from vesper.model.source import Source
from vesper.stage_report import StageReport
from vesper.tables.declare import empty
from vesper.tables.quality import QUARANTINE
from warehouse.house import House
from warehouse.ledger.receipts import record_receipts
from warehouse.runner import Runner

NARROW = csv_source(missing_columns="warn").replace(
    "name: {column: 姓名, type: text}",
    "name: {column: 姓名, type: category, allowed: [王芳, 李雷], unknown: quarantine}",
)
WIDE = NARROW.replace("李雷]", "李雷, 韩梅梅]")
EVENTS = """says: 测试用。
owner: data@example.com
system: csv
path: "crm_lead/{on}.csv"
feeds: event
event_kind: coupon_redeemed
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 1000, drop_ratio: 0}
max_quarantine_ratio: 1.0
key: [card, coupon_code]
fields:
  card: {column: 编号, type: text, required: true}
  coupon_code: {column: 姓名, type: category, allowed: [王芳, 李雷], unknown: quarantine, required: true}
  at: {column: 手机, type: date, required: true}
"""
RULE = "category:name"
Rows = Sequence[tuple[str, str]]


class Kept(OneSource):
    """A company of one source that keeps its quarantine from night to night."""

    def __init__(self, root: Path, text: str = NARROW) -> None:
        super().__init__(root, text)
        self.replayed: dict[str, str] = {}

    def rows_of(self, number: int, rows: Rows, third: str = "1", arrives: int | None = None) -> Path:
        text = "编号,姓名,手机\n" + "".join(f"{key},{name},{third}\n" for key, name in rows)
        path = self.land(day(number), text, arrives=day(number if arrives is None else arrives))
        at = path.stat().st_mtime + number
        os.utime(path, (at, at))
        return path

    def night(self, on: dt.date, mode: Mode = "night") -> Night:
        house = House.open(self.root)
        report = StageReport("consolidate", on)
        try:
            with Runner(house.lake) as runner:
                bench = Bench(house, house.night(on), runner, report, "quick", mode)
                taken = take_in(bench, bench.night.definitions.of(Source)[self.id])
                night = Night(report, taken)
                set_aside = empty(QUARANTINE) if taken.quarantine is None else taken.quarantine
                bench.keep_night(QUARANTINE, set_aside)
                bench.alongside.append(lambda connection: record_receipts(connection, taken.receipts))
                if mode == "night":
                    house.lake.publish(list(bench.candidates.values()), on, "quick", bench.alongside)
                for name, candidate in bench.candidates.items():
                    published = {part.key: part.sha256 for part in house.lake.parts(bench.snapshot(name))}
                    self.replayed[name] = str(published == {part.key: part.sha256 for part in candidate.parts})
                return night
        finally:
            house.close()

    def ask(self, rule: str | None = None, on: int = 0) -> str:
        """Ask on the day of a night."""
        settings = self.root / "vesper.toml"
        lines = settings.read_text(encoding="utf-8").splitlines()
        told = [f"simulated_on = {day(on)}" if line.startswith("simulated_on") else line for line in lines]
        settings.write_text("\n".join(told), encoding="utf-8")
        return quarantine.replay(self.root, self.id, rule, "anna", "映射已补")

    def values(self) -> dict[str, str | None]:
        return {row["member_id"]: row["name"] for row in self.rows()}

    def waiting(self) -> list[tuple[str, str, int, int]]:
        """Rule, file's day, rows, and number of the night that set them aside."""
        found = quarantine.waiting_rows(self.root)
        return [
            (row["rule"], row["file"].removesuffix(".csv")[-2:], row["row_count"], (row["since_on"] - day(0)).days)
            for row in found
        ]
