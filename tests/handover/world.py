"""A small company that hands over: its policy, its people, its ledger, and nights of it on a simulated clock, run by the stage's own parts.

What belongs here: the company and its nights. What does not: what must come of them. No gate runs here: the nights of the grocer have it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.handover import bind_sales, hand_over, tell
from tasks.marts import fill_marts
from vesper.definition_set import DefinitionSet
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.stage_report import StageReport
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.sales import LEAD_OUTCOME
from warehouse.arrow_schema import arrow_schema
from warehouse.house import House
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE
from warehouse.runner import Runner

MONDAY = dt.date(2026, 3, 2)
ZONE = "Asia/Shanghai"
HANDED_AT = dt.datetime(2026, 3, 2, 13)
CONSULT = "chat_intent"

SETTINGS = """[company]
name = "精测仪器"
zone = "Asia/Shanghai"
language = "zh_CN"

[clock]
mode = "simulated"
simulated_on = 2026-03-02
"""


def policy(**changes: Any) -> SalesPolicy:
    """Two representatives who take everybody, mail alone; a change replaces a key."""
    fields: dict[str, Any] = {
        "id": "sales",
        "says": "移交",
        "owner": "sales",
        "chat_intents": (CONSULT,),
        "manager": "boss@example.com",
        "team": {"an": representative("安"), "bo": representative("博")},
        "reject_reasons": {"no_budget": "没有预算", "wrong_person": "找错人"},
    }
    return SalesPolicy.model_validate(fields | changes)


def representative(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "email": f"{len(name)}{ord(name[0])}@example.com", **changes}


@dataclass(frozen=True)
class Person:
    """A contact on one night. `is_mql` follows the score where it is not said."""

    score: int
    province: str | None = "上海"
    city: str | None = "上海"
    name: str | None = "王小明"
    is_mql: bool | None = None


@dataclass(frozen=True)
class Intent:
    """A chat event."""

    contact_id: str
    at: dt.datetime
    kind: str = CONSULT
    is_machine: bool = False


@dataclass(frozen=True)
class Said:
    """An answer of sales."""

    contact_id: str
    outcome: str
    at: dt.datetime
    handover_id: str | None = None
    reason_code: str | None = None


@dataclass
class Company:
    """The company over its nights. `tables` keeps what the last night made, by table."""

    root: Path
    policy: SalesPolicy = field(default_factory=policy)
    settings: str = SETTINGS
    house: House = field(init=False)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    report: StageReport = field(init=False)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "vesper.toml").write_text(self.settings, encoding="utf-8")
        self.house = House.open(self.root)

    def night(
        self,
        people: Mapping[str, Person | int],
        on: dt.date = MONDAY,
        intents: Sequence[Intent] = (),
        said: Sequence[Said] = (),
        merged: Mapping[str, str] | None = None,
        tells: bool = True,
        marts: bool = False,
    ) -> list[Any]:
        """One night of the stage without its gate; returns the ledger's hand-overs."""
        persons = {id: one if isinstance(one, Person) else Person(one) for id, one in people.items()}
        with self.bench(on) as bench:
            for table, rows in _facts(persons, on, intents, said, merged or {}).items():
                bench.runner.bind_arrow(table.name, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
            bind_sales(bench)
            hand_over(bench, self.policy)
            if tells:
                tell(bench, self.policy)
            bind_sales(bench)
            if marts:
                fill_marts(bench)
                self.tables = {name: bench.records(sa.select(bench.table(name))) for name in bench.candidates}
            self.report = bench.report
            assert all(balance.holds for balance in bench.report.balances), bench.report.balances
        return self.handovers()

    @contextmanager
    def bench(self, on: dt.date) -> Iterator[Bench]:
        """The workbench of one night; tables that nobody binds read as empty."""
        known = DefinitionSet({SalesPolicy: {"sales": self.policy}}, {"policy/sales": repr(self.policy)})
        night = Night(on, self.house.workspace, known)
        with Runner(self.house.lake, 1) as runner:
            yield Bench(self.house, night, runner, StageReport("handover", on), "test")

    def handovers(self) -> list[Any]:
        return self.rows(sa.select(HANDOVER).order_by(HANDOVER.c.contact_id, HANDOVER.c.episode))

    def tasks(self) -> list[Any]:
        return self.rows(sa.select(HUMAN_TASK).order_by(HUMAN_TASK.c.contact_id, HUMAN_TASK.c.number))

    def notices(self) -> list[Any]:
        return self.rows(sa.select(NOTICE).order_by(NOTICE.c.recipient, NOTICE.c.kind, NOTICE.c.handover_id))

    def rows(self, select: sa.Select[Any]) -> list[Any]:
        with self.house.engine.connect() as connection:
            return list(connection.execute(select))

    def mails(self) -> list[Path]:
        return sorted((self.root / ".vesper" / "notices").glob("*.eml"))


def _facts(
    persons: Mapping[str, Person],
    on: dt.date,
    intents: Sequence[Intent],
    said: Sequence[Said],
    merged: Mapping[str, str],
) -> dict[sa.Table, list[dict[str, Any]]]:
    return {
        CONTACT: [_contact(id, one) for id, one in persons.items()],
        SCORE: [_score(id, one, on) for id, one in persons.items()],
        SCORE_REASON: [
            {"business_on": on, "contact_id": id, "rule_id": rule, "points": points, "evidence_count": 1}
            for id, one in persons.items()
            for rule, points in (("base", 60), ("form_clicks", one.score - 60))
        ],
        EVENT: [_event(number, one) for number, one in enumerate(intents)],
        LEAD_OUTCOME: [_outcome(number, one) for number, one in enumerate(said)],
        CONTACT_ALIAS: [{"old_id": old, "contact_id": new, "on": on, "founder": old} for old, new in merged.items()],
    }


def _contact(id: str, one: Person) -> dict[str, Any]:
    return {"contact_id": id, "name": one.name, "province": one.province, "city": one.city, "phone": "+8613800138000"}


def _score(id: str, one: Person, on: dt.date) -> dict[str, Any]:
    is_mql = one.score >= 80 if one.is_mql is None else one.is_mql
    return {"business_on": on, "contact_id": id, "score": one.score, "is_mql": is_mql, "mql_preset": "score"}


def _event(number: int, one: Intent) -> dict[str, Any]:
    on = (one.at + dt.timedelta(hours=8)).date()
    told = {"contact_id": one.contact_id, "kind": one.kind, "at": one.at, "is_machine": one.is_machine}
    return {"event_id": f"e{number}", "on": on, "received_at": one.at, "source": "chat", **told}


def _outcome(number: int, one: Said) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("contact_id", "outcome", "at", "handover_id", "reason_code")}
    return {**told, "source": "crm", "record_key": f"{number:03}", "on": one.at.date()}
