"""`python -m bench.scale.by_hand FILES DATE OUT [--before DIR]`: the same tables in DuckDB SQL, as an engineer writes it for this one company.

What belongs here: one pass over events and one over order days into a row of figures per contact, and every table from those rows. What does not:
reading of definitions, a ledger, checks. FILES is a JSON object of the Parquet files by table; DIR holds the tables of the night before.
"""

import argparse
import datetime as dt
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.memory import peak_mb
from bench.scale.rules import (
    BASE,
    CEILING,
    EVER,
    FLOOR,
    MARKETS,
    MQL_AT,
    WINDOW_OF_RFM,
    Figure,
    Group,
    Orders,
    figures,
    scoring,
    segments,
    with_evidence,
)

imports = time.process_time()

import duckdb  # noqa: E402  (imports are measured apart, as on every side)

imported = time.process_time()

FORMAT = "format parquet, compression zstd, row_group_size 122880"
HASH = "0123456789abcdef"
ORDER_DAYS = (90, 365)


class Night:
    """One connection that makes a table after another and writes each in order."""

    def __init__(
        self,
        files: dict[str, list[str]],
        on: dt.date,
        out: Path,
        before: Path | None,
        groups: tuple[Group, ...],
        memory: str,
    ) -> None:
        self.on, self.out, self.before, self.groups = on, out, before, groups
        self.base = duckdb.connect()
        self.base.execute(
            f"set threads=2; set timezone='UTC'; set memory_limit='{memory}'; set temp_directory='{out / 'spill'}'"
        )
        for table, paths in files.items():
            self.base.execute(f"create view {table} as from read_parquet({paths})")
        self.rows: dict[str, int] = {}
        self.cpu: dict[str, float] = {}

    def since(self, days: int) -> str:
        return f"date '{self.on - dt.timedelta(days=days)}'"

    def spend(self, name: str, *statements: str) -> None:
        started = time.process_time()
        for statement in statements:
            self.base.execute(statement)
        self.cpu[name] = self.cpu.get(name, 0) + time.process_time() - started

    def save(self, table: str, order: str, select: str) -> None:
        """Write a table in the order of its key, whole and durable."""
        started = time.process_time()
        folder = self.out / table
        folder.mkdir(parents=True, exist_ok=True)
        (self.rows[table],) = self.base.execute(
            f"copy ({select} order by {order}) to '{folder / 'all.parquet'}' ({FORMAT})"
        ).fetchall()[0]
        for path in (folder / "all.parquet", folder):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        self.cpu[table] = self.cpu.get(table, 0) + time.process_time() - started

    def run(self) -> None:
        self.spend("figures", self.events(), self.activity(), self.orders(), self.people())
        tonight, stamp = f"date '{self.on}' as business_on", f"'{HASH}' as definition_hash"
        self.save("mart__activity", "contact_id", f"select {tonight}, *, {stamp} from activity")
        self.save("mart__visibility", "market_id", " union all ".join(self.visibility(tonight, stamp)))
        self.save("mart__visibility_gap", "market_id, field", " union all ".join(self.gaps(tonight, stamp)))
        self.save(
            "mart__score_reason",
            "contact_id, rule_id",
            f"select {tonight}, *, {stamp} from ({' union all '.join(self.reasons())})",
        )
        earlier = f"select contact_id, score as previous_score from '{self.before}/mart__score/*.parquet'"
        joined = f"left join ({earlier}) using (contact_id)" if self.before else ""
        score = f"""select {tonight}, contact_id, score, fit_score, engagement_score, score >= {MQL_AT} as is_mql,
            {"previous_score" if self.before else "null::integer"} as previous_score, {stamp} from scored {joined}"""
        self.save("mart__score", "contact_id", score)
        self.save("mart__segment_member", "segment_id, contact_id", self.members(tonight, stamp))
        self.save("mart__segment_change", "segment_id, contact_id", self.changes(tonight, stamp))

    def events(self) -> str:
        """One pass: every count, and first and last event where a reason shows them."""
        columns = []
        for figure in figures(self.groups):
            holds = _of(figure, self)
            columns.append(f"(count(*) filter ({holds}))::integer as {figure.name}")
            if figure in with_evidence():
                columns += [
                    f'min("at") filter ({holds}) as {figure.name}_first',
                    f'max("at") filter ({holds}) as {figure.name}_last',
                ]
        return f"""create temp table event_figures as select contact_id, {", ".join(columns)} from core__event
            where not is_machine and contact_id is not null and "on" <= date '{self.on}' group by contact_id"""

    def activity(self) -> str:
        lately = f"filter (ordered_on > {self.since(WINDOW_OF_RFM)})"
        return f"""create temp table activity as
            with so_far as (select *, sum(order_count) over (partition by contact_id order by ordered_on) as number from core__order_day
                where ordered_on <= date '{self.on}'),
            total as (select contact_id, sum(order_count)::integer as order_count, count(*)::integer as order_days, sum(amount)::decimal(12, 2) as amount,
                min(ordered_on) as first_order_on, min(ordered_on) filter (number >= 2) as second_order_on, max(ordered_on) as last_order_on,
                min(first_at) as first_at, max(last_at) as last_at, sum(order_count) {lately} as window_count, sum(amount) {lately} as window_amount
                from so_far group by contact_id),
            ranked as (select contact_id, ntile(5) over (order by last_order_on, contact_id)::integer as recency_rank,
                ntile(5) over (order by window_count, contact_id)::integer as frequency_rank,
                ntile(5) over (order by window_amount, contact_id)::integer as money_rank from total where window_count is not null)
            select total.* exclude (window_count, window_amount), ranked.* exclude (contact_id), case when recency_rank + frequency_rank >= 8 then 'high'
                when recency_rank + frequency_rank >= 5 then 'medium' else 'low' end as activity_level
            from total left join ranked using (contact_id)"""

    def orders(self) -> str:
        columns = []
        for days in ORDER_DAYS:
            lately = f"filter (ordered_on > {self.since(days)})"
            columns += [f"sum(order_count) {lately} as orders_{days}", f"sum(amount) {lately} as spent_{days}"]
            columns += [
                f"min(first_at) {lately} as orders_{days}_first",
                f"max(last_at) {lately} as orders_{days}_last",
            ]
        return f"""create temp table order_figures as select contact_id, {", ".join(columns)} from core__order_day
            where ordered_on <= date '{self.on}' and ordered_on > {self.since(max(ORDER_DAYS))} group by contact_id"""

    def people(self) -> str:
        """One row for each contact with all figures, scored. Whom no event or order names has counts of 0."""
        counts = [f"coalesce({figure.name}, 0) as {figure.name}" for figure in figures(self.groups)]
        edges = [f"{figure.name}_{edge}" for figure in with_evidence() for edge in ("first", "last")]
        sums = [f"coalesce({name}_{days}, 0) as {name}_{days}" for days in ORDER_DAYS for name in ("orders", "spent")]
        points = {
            kind: " + ".join(
                f"(case when {holds} then {points} else 0 end)"
                for rule in scoring()
                if rule.kind == kind
                for holds, points in rule.cases
            )
            for kind in ("fit", "engagement")
        }
        wide = f"""select contact_id, name, phone, email, city, province, company, job_title, {", ".join(counts + edges + sums)},
            orders_90_first, orders_90_last, date '{self.on}' - last_order_on as days_since_order, last_at as last_order_at, recency_rank, frequency_rank
            from core__contact left join event_figures using (contact_id) left join order_figures using (contact_id) left join activity using (contact_id)"""
        return f"""create temp table scored as with wide as ({wide}),
            sums as (select *, {points["fit"]} as fit_score, {points["engagement"]} as engagement_score from wide)
            select *, {BASE} + fit_score + engagement_score as raw_score, greatest({FLOOR}, least({CEILING}, raw_score)) as score from sums"""

    def visibility(self, tonight: str, stamp: str) -> Iterator[str]:
        for id, (_, holds, fields) in MARKETS.items():
            complete = " and ".join(f"{field} is not null" for field in fields)
            yield f"""select {tonight}, '{id}' as market_id, (count(*) filter ({complete}))::integer as complete_count, count(*)::integer as known_count,
                1000000000 as market_size, 'invented' as size_source, date '2026-01-01' as size_as_of_on,
                complete_count / 1000000000.0::double as visibility_ratio, 'below' as band, 0.85::double as target_ratio,
                date '2026-12-31' as target_due_on, {stamp} from scored where {holds}"""

    def gaps(self, tonight: str, stamp: str) -> Iterator[str]:
        for id, (_, holds, fields) in MARKETS.items():
            for field in fields:
                yield f"""select {tonight}, '{id}' as market_id, '{field}' as field, count({field})::integer as have_count,
                    (count(*) - count({field}))::integer as missing_count, have_count / nullif(count(*), 0)::double as have_ratio, {stamp}
                    from scored where {holds}"""

    def reasons(self) -> Iterator[str]:
        nothing = "0 as evidence_count, null::timestamp as first_at, null::timestamp as last_at"
        yield f"select contact_id, 'base' as rule_id, 'base' as kind, {BASE} as points, {nothing} from scored"
        for rule in scoring():
            shown = f"{rule.ones} as evidence_count, null::timestamp as first_at, null::timestamp as last_at"
            if isinstance(rule.evidence, Figure):
                shown = f"{rule.evidence.name}, {rule.evidence.name}_first, {rule.evidence.name}_last"
            if isinstance(rule.evidence, Orders):
                shown = f"orders_{rule.evidence.days}::integer, orders_{rule.evidence.days}_first, orders_{rule.evidence.days}_last"
            if rule.is_last_order:
                shown = "1, last_order_at, last_order_at"
            for holds, points in rule.cases:
                yield f"select contact_id, '{rule.id}', '{rule.kind}', {points}, {shown} from scored where {holds}"
        yield f"select contact_id, 'clamp', 'clamp', score - raw_score, {nothing} from scored where score <> raw_score"

    def members(self, tonight: str, stamp: str) -> str:
        flags = ", ".join(f"coalesce({group.predicate}, false) as segment_{group.id}" for group in self.groups)
        self.spend("flags", f"create temp table flags as select contact_id, {flags} from scored")
        rows = " union all ".join(
            f"select '{group.id}' as segment_id, contact_id from flags where segment_{group.id}"
            for group in self.groups
        )
        if not self.before:
            return f"select {tonight}, segment_id, contact_id, date '{self.on}' as entered_on, {stamp} from ({rows})"
        return f"""select {tonight}, segment_id, contact_id, coalesce(b.entered_on, date '{self.on}') as entered_on, {stamp} from ({rows})
            left join '{self.before}/mart__segment_member/*.parquet' b using (segment_id, contact_id)"""

    def changes(self, tonight: str, stamp: str) -> str:
        new = f"'{self.out}/mart__segment_member/*.parquet'"
        if not self.before:
            return f"select {tonight}, segment_id, contact_id, 'entered' as change, {stamp} from {new}"
        return f"""select {tonight}, segment_id, contact_id, case when o.contact_id is null then 'entered' else 'left' end as change, {stamp}
            from {new} n full join '{self.before}/mart__segment_member/*.parquet' o using (segment_id, contact_id)
            where n.contact_id is null or o.contact_id is null"""


def _of(figure: Figure, night: Night) -> str:
    window = "" if figure.days == EVER else f' and "on" > {night.since(figure.days)}'
    return f"kind = '{figure.kind}'{window}"


def main() -> None:
    parser = argparse.ArgumentParser(description="A night of a large company in hand-written SQL.")
    parser.add_argument("files", type=Path)
    parser.add_argument("on", type=dt.date.fromisoformat)
    parser.add_argument("out", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--segments", type=int, default=50)
    parser.add_argument("--memory", default="2GB")
    chosen = parser.parse_args()
    started = time.process_time(), time.monotonic()
    chosen.out.mkdir(parents=True, exist_ok=True)
    files = json.loads(chosen.files.read_text(encoding="utf-8"))
    night = Night(files, chosen.on, chosen.out, chosen.before, segments(chosen.segments), chosen.memory)
    night.run()
    spent = time.process_time() - started[0]
    print(
        json.dumps(
            {
                "cpu_s": spent,
                "cpu_by_table": night.cpu,
                "wall_s": time.monotonic() - started[1],
                "peak_mb": peak_mb(),
                "rows": night.rows,
                "import_cpu_s": imported - imports,
            }
        )
    )


if __name__ == "__main__":
    main()
