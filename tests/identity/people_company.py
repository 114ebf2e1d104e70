"""A company of three contact sources full of invented people, whose identity policy names a linkage, and its real nights.

What belongs here: definitions, files, nights, a full rebuild beside a night. What does not: what is asked of them.
"""

import csv
import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.people import people
from tasks.bench import Bench
from tasks.consolidate import consolidate
from tasks.identity import resolve
from tasks.steward import bind_rules
from tests.night.looking import manifest, rows
from vesper.clock import instant
from vesper.load import parse
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.presets import preset_text
from vesper.stage_report import StageReport
from warehouse.house import House
from warehouse.runner import Runner

FIRST = dt.date(2018, 3, 1)
SEED = 11
SETTINGS = """[company]
name = "仪器公司"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2018-03-04
[definitions]
activate = "{activate}"
"""
SOURCE = """says: 测试用。
owner: data@example.com
system: csv
path: "{id}/{{on}}.csv"
encoding: utf-8
cadence: {{every: irregular}}
late: warn
rows: {{min: 0, max: 100000, drop_ratio: 0}}
max_quarantine_ratio: 1.0
feeds: contact
trust: {trust}
key: [member_id]
fields:
  member_id: {{column: id, type: text, required: true}}
  crm_id: {{column: crm_id, type: text}}
  unionid: {{column: unionid, type: text}}
  name: {{column: name, type: text}}
  phone: {{column: phone, type: text}}
  email: {{column: email, type: text}}
  company: {{column: company, type: text}}
  city: {{column: city, type: text}}
  registered_at: {{column: registered_at, type: instant, required: true}}
"""
PRODUCT = """says: 测试用。
owner: data@example.com
system: csv
path: "shop_product/{on}.csv"
encoding: utf-8
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 1000, drop_ratio: 0}
feeds: product
trust: 90
key: [product_code]
fields:
  product_code: {column: id, type: text, required: true}
"""
SOURCES = {"crm_lead": 80, "web_form": 60, "hotline_call": 40}
ORIGIN = {"crm": "crm_lead", "web_form": "web_form", "event": "web_form", "wechat": "web_form"}
COLUMNS = ("id", "crm_id", "unionid", "name", "phone", "email", "company", "city", "registered_at")
IDENTITY = "identity_"
Row = Mapping[str, Any]


class PeopleCompany:
    """A workspace whose policy/identity.yml is the shipped one with a linkage; without one, the shipped one itself."""

    def __init__(self, root: Path, linkage: str | None = "contact", activate: str = "automatic") -> None:
        self.root = root
        self.settings(activate)
        for id, trust in SOURCES.items():
            self.define(f"sources/{id}", SOURCE.format(id=id, trust=trust))
        self.define("sources/shop_product", PRODUCT)
        self.land(FIRST, "shop_product", [{"id": "P0"}])  # the gate lets no empty catalogue pass
        if linkage:
            self.name(linkage)

    def settings(self, activate: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "vesper.toml").write_text(SETTINGS.format(activate=activate), encoding="utf-8")

    def define(self, key: str, text: str) -> None:
        file = self.root / "definitions" / f"{key}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def name(self, linkage: str) -> None:
        """Name a linkage in the identity policy."""
        shipped = preset_text("policy", "identity") or ""
        assert shipped.endswith("linkage:\n")
        self.define("policy/identity", shipped.rstrip() + f" {linkage}\n")

    def land(self, on: dt.date, source: str, found: Iterable[Row]) -> None:
        path = self.root / ".vesper" / "landing" / source / f"{on}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows({"registered_at": "2017-05-01 09:00:00", **row} for row in found)
        at = instant(on, dt.time(12), "Asia/Shanghai").replace(tzinfo=dt.UTC).timestamp()
        os.utime(path, (at, at))

    def land_people(self, on: dt.date, found: Iterable[Row]) -> None:
        """Land invented people, each in the file of the source it came from."""
        by_source: dict[str, list[Row]] = {source: [] for source in SOURCES}
        for row in found:
            by_source[ORIGIN.get(row["source"], "hotline_call")].append({**row, "id": row["unique_id"]})
        for source, some in by_source.items():
            self.land(on, source, some)

    def night(self, on: dt.date) -> StageReport:
        """The whole stage, gate and publish included."""
        return consolidate(self.root, on)

    def rebuilt(self, on: dt.date) -> dict[str, dict[str, str]]:
        """Identity of a published night resolved anew from every row, as hash by part by table. Publishes nothing."""
        house = House.open(self.root)
        report = StageReport("consolidate", on)
        with Runner(house.lake) as runner:
            bench = Bench(house, house.night(on), runner, report, "rebuilt", "replay")
            bind_rules(bench)
            policy = house.definitions.one(IdentityPolicy, "identity")
            resolve(bench, policy, house.definitions.one(Linkage, policy.linkage or ""), is_full=True)
            found = {
                name: {part.key: part.sha256 for part in candidate.parts}
                for name, candidate in bench.candidates.items()
            }
        house.close()
        return found

    def published(self, on: dt.date) -> dict[str, dict[str, str]]:
        """Hash by part by table, as of a night."""
        return manifest(self.root, on)

    def rows(self, table: str, on: dt.date | None = None) -> list[dict[str, Any]]:
        return rows(self.root, table, on)

    def contact_of(self, on: dt.date | None = None) -> dict[str, str]:
        """Contact by source row, `source:key`."""
        return {
            row["source"] + ":" + row["record_key"]: row["contact_id"] for row in self.rows("core__contact_member", on)
        }


def crowd(count: int) -> list[Row]:
    """Invented people in a fixed order; `truth` says who is who."""
    return list(people(count, SEED).to_pylist())


def day(number: int) -> dt.date:
    """The number-th night, from 0."""
    return FIRST + dt.timedelta(days=number)


def shipped() -> Linkage:
    """The linkage that ships."""
    found = parse("linkage", "contact", preset_text("linkage", "contact") or "")
    assert isinstance(found, Linkage)
    return found
