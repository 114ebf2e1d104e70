"""`python -m bench.scale.data ROOT --contacts N --events N`: invented contacts, events and orders in a workspace, published as core tables of two nights.

What belongs here: the data and the workspace's files. What does not: measuring. Every column comes of its own salted string: DuckDB's hash with a
seed in its place gives columns that follow each other (design notes, engine), and `independence` looks whether any two do.

A person is active on a day in a session of three events; about one in a hundred is, on any day. Tonight's day is one more of the same, and
one contact in a thousand gets a phone or loses it.
"""

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from bench.scale.rules import KINDS, PROVINCES, definitions
from tasks.bench import Bench
from vesper.stage_report import StageReport
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.order import ORDER_DAY, ORDER_LINE
from warehouse.house import House
from warehouse.lake import Candidate
from warehouse.part import Part, Span, span_of
from warehouse.runner import Runner

FIRST, NEXT = dt.date(2026, 3, 15), dt.date(2026, 3, 16)
EVENTS_OF_A_SESSION = 3
ACTIVE = 0.01
"""Share of the contacts that are active on a day."""
BUYERS = 0.3
SKEW = 1.6
WORKSPACE = """production = false
[company]
name = "基准"
zone = "Asia/Shanghai"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2026-03-16
[definitions]
activate = "automatic"
[notices]
owner = "bench@example.com"
"""


def random(salt: str, number: str) -> str:
    """SQL: a number in 0..1 of its own for each salt and row."""
    return f"(hash('{salt}' || {number}) / 18446744073709551616.0)"


def days_of(contacts: int, events: int) -> list[dt.date]:
    """The days with events up to the first night: as many as it takes when one in a hundred is active on a day."""
    count = max(1, round(events / (contacts * ACTIVE * EVENTS_OF_A_SESSION)))
    return [FIRST - dt.timedelta(days=back) for back in range(count)][::-1]


def contact_sql(contacts: int, is_next: bool) -> str:
    """Contacts; in the next night one in a thousand has another phone."""
    number = "i"
    has_phone = f"{random('phone', number)} < 0.75"
    if is_next:
        has_phone = f"(({has_phone}) <> ({random('changed', number)} < 0.001))"
    provinces = ", ".join(f"'{name}'" for name in PROVINCES)
    place = f"1 + cast(floor(10 * pow({random('province', number)}, 1.5)) as integer)"
    known = {
        "name": ("'联系人' || i", 0.98),
        "email": ("'contact' || i || '@example.com'", 0.8),
        "city": (f"[{provinces}][{place}]", 0.85),
        "province": (f"[{provinces}][{place}]", 0.92),
        "company": ("'公司' || (i // 7)", 0.6),
        "job_title": ("'经理'", 0.5),
    }
    columns = {
        name: f"case when {random('has_' + name, number)} < {share} then {value} end"
        for name, (value, share) in known.items()
    }
    columns |= {
        "contact_id": "'c' || substr(md5('contact' || i), 1, 16)",
        "phone": f"case when {has_phone} then '+8613' || lpad(cast(i as varchar), 9, '0') end",
        "source_count": "1",
        "first_source": "'crm'",
        "first_seen_on": "date '2024-01-01'",
        "updated_at": "timestamp '2026-03-01'",
    }
    listed = ", ".join(f'{columns.get(c.name, "null")} as "{c.name}"' for c in CONTACT.c)
    return f"select {listed} from range({contacts}) t(i)"


def event_sql(contacts: int, span: Span, first_on: dt.date) -> str:
    """The events of a stretch of days. Who is active is the session's choice, what happens is the event's."""
    per_day = max(1, round(contacts * ACTIVE)) * EVENTS_OF_A_SESSION
    low, high = ((day - first_on).days * per_day for day in (span.first_on, span.last_on + dt.timedelta(days=1)))
    kind = f"100 * {random('kind', 'n')}"
    reached, cases = 0, []
    for name, share in KINDS.items():
        reached += share
        cases.append(f"when {kind} < {reached} then '{name}'")
    session = f"(n // {EVENTS_OF_A_SESSION})"
    who = f"cast(floor({contacts} * pow({random('who', session)}, {SKEW})) as bigint)"
    second = f"cast(floor(57600 * {random('second', 'n')}) as integer)"
    columns = {
        "event_id": "'web:' || lpad(cast(n as varchar), 10, '0')",
        "on": f"date '{first_on}' + cast(n // {per_day} as integer)",
        "contact_id": f"'c' || substr(md5('contact' || {who}), 1, 16)",
        "kind": f"case {' '.join(cases)} else 'mail_opened' end",
        "at": f"date '{first_on}' + cast(n // {per_day} as integer) + to_seconds({second})",
        "received_at": f"date '{first_on}' + cast(n // {per_day} as integer) + interval 12 hour",
        "source": "'web'",
        "is_machine": f"{random('machine', 'n')} < 0.03",
    }
    listed = ", ".join(f'{columns.get(c.name, "null")} as "{c.name}"' for c in EVENT.c)
    return f"select {listed} from range({low}, {high}) t(n)"


def order_sql(contacts: int, span: Span, first_on: dt.date) -> str:
    """Order days of a stretch of days: one order day in a thousand contacts a day, by three contacts in ten."""
    per_day = max(1, round(contacts * 0.0015))
    low, high = ((day - first_on).days * per_day for day in (span.first_on, span.last_on + dt.timedelta(days=1)))
    who = f"cast(floor({contacts * BUYERS} * pow({random('buyer', 'n')}, 1.3)) as bigint)"
    on = f"date '{first_on}' + cast(n // {per_day} as integer)"
    count = f"1 + cast(floor(1.2 * {random('orders', 'n')}) as integer)"
    second = f"cast(floor(30000 * {random('order_second', 'n')}) as integer)"
    rows = (
        f"select {on} as ordered_on, 'c' || substr(md5('contact' || {who}), 1, 16) as contact_id, {count} as order_count, 2 as line_count, "
        f"cast(10 + floor(19000 * {random('amount', 'n')}) / 100 as decimal(12, 2)) as amount, {on} + to_seconds({second}) as first_at "
        f"from range({low}, {high}) t(n)"
    )
    return (
        "select ordered_on, contact_id, sum(order_count) as order_count, sum(line_count) as line_count, sum(amount) as amount, "
        f"min(first_at) as first_at, max(first_at) as last_at from ({rows}) group by all"
    )


def spans_of(days: list[dt.date], business_on: dt.date) -> list[Span]:
    """The parts of a cut table; the first month holds no day from before the first event."""
    found = {span.key: span for span in (span_of(day, business_on) for day in days)}
    return [Span(span.key, max(span.first_on, days[0]), span.last_on) for span in found.values()]


class Maker:
    """Writes core tables through the lake, stretch by stretch, so that a hundred million events fit into memory."""

    def __init__(self, root: Path, contacts: int, events: int) -> None:
        self.house = House.open(root)
        self.contacts, self.days = contacts, days_of(contacts, events)

    def night(self, runner: Runner, on: dt.date) -> dict[str, int]:
        """Publish the core tables of a night."""
        bench = Bench(self.house, self.house.night(on), runner, StageReport("consolidate", on), f"bench-{on}")
        bench.fill(CONTACT, sa.select(self._made(runner, CONTACT, contact_sql(self.contacts, on == NEXT))))
        whole = list(bench.candidates.values())
        days = self.days + ([NEXT] if on == NEXT else [])
        for table, sql in ((EVENT, event_sql), (ORDER_DAY, order_sql)):
            before = {part.key: part for part in self.house.lake.parts(self.house.lake.before(table.name, on))}
            parts = [
                before.get(span.key) or self._write(runner, table, sql(self.contacts, span, self.days[0]), span.key)
                for span in spans_of(days, on)
            ]
            whole.append(Candidate(table.name, tuple(parts)))
        whole.append(Candidate(ORDER_LINE.name, ()))
        self.house.lake.publish(whole, on, f"bench-{on}")
        return {one.table_name: one.row_count for one in whole}

    def _write(self, runner: Runner, table: sa.Table, sql: str, key: str = "all") -> Part:
        return runner.write(sa.select(self._made(runner, table, sql)), table, key)

    def _made(self, runner: Runner, table: sa.Table, sql: str) -> sa.Table:
        runner.connection.execute(f"create or replace temp view made as {sql}")
        runner.bound["made"] = sql
        return sa.Table("made", sa.MetaData(), *[sa.Column(c.name, c.type) for c in table.c])


def independence(runner: Runner) -> float:
    """The largest correlation between any two drawn columns of a hundred thousand rows; RuntimeError above one in fifty."""
    salts = ("kind", "who", "second", "machine", "buyer", "amount", "province", "has_email", "phone")
    columns = ", ".join(f'{random(salt, "i")} as "{salt}"' for salt in salts)
    pairs = [f'abs(corr("{a}", "{b}"))' for n, a in enumerate(salts) for b in salts[n + 1 :]]
    found = runner.connection.execute(
        f"select greatest({', '.join(pairs)}) from (select {columns} from range(100000) t(i))"
    ).fetchall()
    if found[0][0] > 0.02:
        raise RuntimeError(f"the invented columns follow each other: correlation {found[0][0]:.3f}")
    return float(found[0][0])


def write_company(root: Path, segments: int) -> None:
    """The workspace's settings and definitions."""
    (root / "definitions").mkdir(parents=True)
    (root / "vesper.toml").write_text(WORKSPACE, encoding="utf-8")
    for key, content in definitions(segments):
        file = root / "definitions" / f"{key}.yml"
        file.parent.mkdir(exist_ok=True)
        words = {"name": key, "says": key, "owner": "bench@example.com"}
        file.write_text("\n".join(_yaml({**words, **content})), encoding="utf-8")


def _yaml(content: dict[str, object]) -> Iterator[str]:
    """JSON is YAML, but a date stands without quotes."""
    for name, value in content.items():
        yield f"{name}: {json.dumps(value, ensure_ascii=False)}".replace('"2026-01-01"', "2026-01-01").replace(
            '"2026-12-31"', "2026-12-31"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Invented core tables of two nights.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--segments", type=int, default=50)
    chosen = parser.parse_args()
    write_company(chosen.root, chosen.segments)
    maker = Maker(chosen.root, chosen.contacts, chosen.events)
    with Runner(maker.house.lake) as runner:
        correlation = independence(runner)
        rows = maker.night(runner, FIRST)
        maker.night(runner, NEXT)
    maker.house.close()
    print(json.dumps({"rows": rows, "largest_correlation": round(correlation, 4)}))


if __name__ == "__main__":
    main()
