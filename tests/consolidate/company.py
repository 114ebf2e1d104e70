"""A company of four small sources whose files a test writes, and its nights of the consolidate stage, gate and publish included.

What belongs here: sources, files with their arrival, nights, tables as they stand. What does not: what is asked of them.
"""

import csv
import datetime as dt
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.bench import Bench
from tasks.consolidate import consolidate, fill
from tests.night.looking import rows
from vesper.clock import instant
from vesper.stage_report import StageReport
from warehouse.house import House
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

ZONE = "Asia/Shanghai"
FIRST = dt.date(2018, 3, 1)

SETTINGS = """[company]
name = "好邻居超市"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2018-03-04
[definitions]
activate = "automatic"
"""
BASE = """says: 测试用。
owner: data@example.com
system: csv
path: "{id}/{{on}}.csv"
encoding: utf-8
cadence: {{every: irregular}}
late: warn
rows: {{min: 0, max: 1000, drop_ratio: 0}}
max_quarantine_ratio: 1.0
"""
SOURCES = {
    "crm_member": """feeds: contact
trust: 80
key: [member_id]
fields:
  member_id: {column: member_id, type: text, required: true}
  card: {column: card, type: text}
  name: {column: name, type: text}
  phone: {column: phone, type: text}
  email: {column: email, type: text}
  region: {column: region, type: text}
  registered_at: {column: registered_at, type: instant, required: true}
""",
    "app_signup": """feeds: contact
event_kind: app_signed_up
trust: 60
key: [member_id]
fields:
  member_id: {column: member_id, type: text, required: true}
  name: {column: name, type: text}
  phone: {column: phone, type: text}
  email: {column: email, type: text}
  registered_at: {column: registered_at, type: instant, required: true}
""",
    "shop_order": """feeds: order_line
trust: 90
key: [order_id, product_code]
fields:
  order_id: {column: order_id, type: text, required: true}
  product_code: {column: product_code, type: text, required: true}
  card: {column: card, type: text}
  quantity: {column: quantity, type: integer, required: true}
  amount: {column: amount, type: money, required: true}
  ordered_at: {column: ordered_at, type: instant, required: true}
""",
    "shop_product": """feeds: product
trust: 90
key: [product_code]
fields:
  product_code: {column: product_code, type: text, required: true}
  category: {column: category, type: text}
""",
    "shop_redemption": """feeds: event
event_kind: coupon_redeemed
trust: 90
key: [card, coupon_code]
fields:
  card: {column: card, type: text, required: true}
  coupon_code: {column: coupon_code, type: text, required: true}
  at: {column: at, type: date, required: true}
""",
}
COLUMNS = {
    "crm_member": ("member_id", "card", "name", "phone", "email", "region", "registered_at"),
    "app_signup": ("member_id", "name", "phone", "email", "registered_at"),
    "shop_order": ("order_id", "product_code", "card", "quantity", "amount", "ordered_at"),
    "shop_product": ("product_code", "category"),
    "shop_redemption": ("card", "coupon_code", "at"),
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class File:
    """One file of a source: the day it is about and the day by whose evening it has arrived."""

    source: str
    on: dt.date
    arrives: dt.date
    rows: tuple[Row, ...]


class Company:
    """A workspace of its own. One product is always known, so that the catalogue is never empty."""

    def __init__(self, root: Path, *sources: str) -> None:
        self.root = root
        folder = root / "definitions" / "sources"
        folder.mkdir(parents=True)
        (root / "vesper.toml").write_text(SETTINGS, encoding="utf-8")
        for id in sources or SOURCES:
            (folder / f"{id}.yml").write_text(BASE.format(id=id) + SOURCES[id], encoding="utf-8")
        self.land(File("shop_product", FIRST, FIRST, ({"product_code": "P0", "category": "COFFEE"},)))

    def land(self, *files: File) -> None:
        for file in files:
            path = self.root / ".vesper" / "landing" / file.source / f"{file.on}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            out = io.StringIO()
            writer = csv.DictWriter(out, COLUMNS[file.source], restval="")
            writer.writeheader()
            writer.writerows(file.rows)
            path.write_text(out.getvalue(), encoding="utf-8")
            at = (
                instant(file.arrives, dt.time(12), ZONE).replace(tzinfo=dt.UTC).timestamp() + file.on.toordinal() % 1000
            )
            os.utime(path, (at, at))

    def night(self, on: dt.date) -> StageReport:
        """The whole stage, as it runs."""
        return consolidate(self.root, on)

    def quick_night(self, on: dt.date) -> StageReport:
        """Everything but the gate, which takes most of the time and changes no row: for histories of many nights."""
        house = House.open(self.root)
        report = StageReport("consolidate", on)
        with Runner(house.lake) as runner:
            bind_key(runner, house.address_key)
            bench = Bench(house, house.night(on), runner, report, "quick")
            fill(bench)
            house.lake.publish(list(bench.candidates.values()), on, "quick", bench.alongside)
        house.close()
        assert all(balance.holds for balance in report.balances)
        return report

    def rows(self, table: str, on: dt.date | None = None) -> list[dict[str, Any]]:
        return rows(self.root, table, on)

    def contact_of(self) -> dict[str, str]:
        """Contact by source row, `source:key`."""
        return {f"{row['source']}:{row['record_key']}": row["contact_id"] for row in self.rows("core__contact_member")}


def member(key: str, **fields: Any) -> Row:
    return {"member_id": key, "registered_at": "2017-05-01 09:00:00", **fields}


def members(on: dt.date, *found: Row, source: str = "crm_member", arrives: dt.date | None = None) -> File:
    return File(source, on, arrives or on, found)


def day(number: int) -> dt.date:
    """The number-th night, from 0."""
    return FIRST + dt.timedelta(days=number)


def balances(report: StageReport, source: str) -> dict[str, int]:
    (balance,) = [one for one in report.balances if one.name == f"consolidate {source}"]
    assert balance.holds
    return {"received": balance.total, **balance.parts}


def quarantined(company: Company) -> Iterable[tuple[str, str]]:
    return sorted((row["source"], row["rule_id"]) for row in company.rows("dq__quarantine"))
