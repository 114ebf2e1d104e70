"""Nights of identity alone: a test states the cleaned source rows, and reads who is who afterwards.

What belongs here: a workspace without sources, its nights, tables as they stand. What does not: what is asked of them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.identity import resolve
from tasks.identity_evidence import Scored
from vesper.identity.membership import STEWARD_RULE
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.stage_report import StageReport
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import empty
from vesper.tables.identity import (
    CONTACT_ALIAS,
    IDENTITY_COMPONENT,
    IDENTITY_LINK,
    IDENTITY_NIGHT,
    IDENTITY_REVIEW,
    IDENTITY_VETO,
    MERGE_EVENT,
    SHARED_KEY,
)
from warehouse.house import House
from warehouse.runner import Runner

FIRST = dt.date(2018, 3, 1)
TABLES = (
    CONTACT_MEMBER,
    CONTACT_ALIAS,
    IDENTITY_LINK,
    IDENTITY_VETO,
    IDENTITY_COMPONENT,
    IDENTITY_REVIEW,
    MERGE_EVENT,
    IDENTITY_NIGHT,
    SHARED_KEY,
)
SETTINGS = """[company]
name = "好邻居超市"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2018-03-04
"""
POLICY = IdentityPolicy.model_validate(
    {
        "id": "identity",
        "says": "测试用。",
        "owner": "data@example.com",
        "keys": {
            "card": {"strength": "authority", "weight": 40_000},
            "unionid": {"strength": "authority", "weight": 60_000, "is_single": True},
            "crm_id": {"strength": "authority", "weight": 40_000},
            "phone": {"strength": "guarded", "columns": ["phone", "other_phone"]},
            "email": {"strength": "guarded", "columns": ["email_key"]},
        },
    }
)
Row = Mapping[str, Any]


def record(key: str, source: str = "crm", **fields: Any) -> Row:
    """A cleaned source row."""
    known = {
        "phone_status": "valid",
        "email_status": "valid",
        "region_status": "none",
        "trust": 50,
        "excluded_by": None,
    }
    at = dt.datetime(2018, 1, 1)
    base = {c.name: None for c in SOURCE_RECORD.c} | known | {"source": source, "record_key": key}
    named = {"name_key": fields.get("name"), "email_key": fields.get("email")}
    return base | {"registered_at": at, "received_at": at} | named | fields


@dataclass
class People:
    """A workspace whose source rows a test states night by night."""

    root: Path
    policy: IdentityPolicy = POLICY
    linkage: Linkage | None = None
    score: Scored | None = None
    reports: list[StageReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "vesper.toml").write_text(SETTINGS, encoding="utf-8")
        (self.root / "definitions").mkdir()
        self.house = House.open(self.root)

    def close(self) -> None:
        self.house.close()

    def night(
        self,
        number: int,
        rows: Iterable[Row],
        steward: Sequence[tuple[str, str, str]] = (),
        is_full: bool = False,
        keep: bool = True,
    ) -> dict[str, tuple[str, ...]]:
        """One night; the hashes of what it wrote, by table."""
        on = day(number)
        report = StageReport("consolidate", on)
        with Runner(self.house.lake, 1) as runner:
            bench = Bench(self.house, self.house.night(on), runner, report, "test", "night" if keep else "replay")
            stated = bench.bind_rows("records_tonight", SOURCE_RECORD, list(rows))
            bench.fill(SOURCE_RECORD, sa.select(stated))
            rules = [dict(zip(("kind", "record_a", "record_b"), rule, strict=True)) for rule in steward]
            runner.bind_arrow(
                STEWARD_RULE.name,
                pa.Table.from_pylist(rules, pa.schema([(c.name, pa.string()) for c in STEWARD_RULE.c])),
            )
            resolve(bench, self.policy, self.linkage, is_full, self.score)
            if keep:
                self.house.lake.publish(list(bench.candidates.values()), on, "test")
                self.reports.append(report)
            return {t.name: tuple(part.sha256 for part in bench.candidates[t.name].parts) for t in TABLES}

    def rows(self, table: sa.Table, number: int) -> list[dict[str, Any]]:
        """A table as of a night."""
        with Runner(self.house.lake, 1) as runner:
            snapshot = self.house.lake.as_of(table.name, day(number))
            runner.bind_snapshot(table, snapshot)
            return [row._asdict() for row in runner.rows(sa.select(table) if snapshot else empty(table))]

    def contact_of(self, number: int) -> dict[str, str]:
        """Contact by source row, `source:key`."""
        return {f"{row['source']}:{row['record_key']}": row["contact_id"] for row in self.rows(CONTACT_MEMBER, number)}


def day(number: int) -> dt.date:
    """The number-th night, from 0."""
    return FIRST + dt.timedelta(days=number)
