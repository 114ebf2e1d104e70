"""`python -m bench.by_hand LANDING OUT`: the grocer's night of 2018-01-01 without Vesper. Its last line is a JSON object with CPU by script.

What belongs here: running the scripts, writing their tables. What does not: SQL (the scripts), what SQL cannot do (`beyond_sql.py`).
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.memory import peak_mb

started_cpu, started = time.process_time(), time.monotonic()

import duckdb  # noqa: E402  (the imports are measured apart, as they are on the other side)

from bench.by_hand.beyond_sql import COLUMNS, READERS, WORDS, columns_of, components, crm, hotline  # noqa: E402

imported_cpu = time.process_time()

FORMAT = "format parquet, compression zstd, row_group_size 122880"
SCRIPTS = sorted(Path(__file__).parent.glob("*.sql"))


class Writer:
    """One DuckDB connection that runs scripts and writes what they save, made durable as a warehouse must be."""

    def __init__(self, landing: Path, out: Path) -> None:
        self.out = out
        self.rows: dict[str, int] = {}
        self.base = duckdb.connect()
        self.base.execute("set threads = 2; set timezone = 'UTC'; set autoinstall_known_extensions = false")
        self.base.execute("set variable landing = ?", [str(landing)])
        self.base.execute("set variable tonight = date '2018-01-01'")
        self.base.execute("set variable cutoff = timestamp '2018-01-02 01:00:00'")  # 20:00 in the eastern United States
        self.base.register("crm_file", crm(landing / "crm_member"))
        self.base.register("hotline_file", hotline(landing / "hotline_lead"))
        for name, pattern in WORDS.items():
            self.base.execute(f"set variable {name} = ?", [pattern])

    def run(self, script: str) -> None:
        """All statements of a script, in order."""
        for order, sql in statements(script):
            verb, _, rest = order.partition(" ")
            if verb == "run":
                self.base.execute(sql)
            elif verb == "read":
                self.read(sql, rest)
            elif verb == "components":
                records, links = [self.base.sql(each).to_arrow_table() for each in sql.split(";")]
                self.base.register(rest, components(records, links))
            else:
                self.save(sql, *rest.partition(" by ")[::2])

    def read(self, sql: str, kind: str) -> None:
        """Keep what Python reads in each distinct value, beside the value as it was written."""
        values = [value for (value,) in self.base.execute(sql).fetchall()]
        self.base.register(f"read_{kind}", columns_of(values, READERS[kind], COLUMNS[kind]))

    def save(self, sql: str, table: str, order: str) -> None:
        """Keep a table for the statements that follow, and write it in order: whole, or a file for each month of a day (none without rows)."""
        (self.out / table).mkdir(parents=True, exist_ok=True)
        order, _, cut = order.partition("; months of ")
        keys = ", ".join(f'"{name.strip()}"' for name in order.split(","))
        self.base.execute(f"create table {table} as {sql}")
        if not cut:
            self.rows[table] = self.write(f"from {table} order by {keys}", table, "all")
            return
        day = f'"{cut}"'
        months = self.base.execute(f"select distinct date_trunc('month', {day}) from {table} order by 1").fetchall()
        self.rows[table] = sum(
            self.write(
                f"from {table} where {day} >= '{on}' and {day} < '{on}'::date + interval 1 month order by {keys}",
                table,
                f"{on:%Y-%m}",
            )
            for (on,) in months
        )

    def write(self, rows: str, table: str, name: str) -> int:
        folder = self.out / table
        draft = folder / f".{name}"
        counted = self.base.execute(f"copy ({rows}) to '{draft}' ({FORMAT})").fetchone()
        flush(draft)
        draft.replace(folder / f"{name}.parquet")
        flush(folder)
        return int(counted[0]) if counted else 0


def statements(script: str) -> Iterator[tuple[str, str]]:
    """(order, SQL) of each statement. An order is a comment: `run`, `save TABLE by KEYS`, `read KIND`, or `components TABLE`."""
    order, lines = "", list[str]()
    for line in [*script.splitlines(), "-- run"]:
        if line.startswith(("-- run", "-- save ", "-- read ", "-- components ")):
            sql = "\n".join(lines).strip().rstrip(";")
            if order and sql:
                yield order, sql
            order, lines = line.removeprefix("-- "), []
        elif not line.startswith("--"):
            lines.append(line)


def flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def main() -> None:
    parser = argparse.ArgumentParser(description="The grocer's night without Vesper.")
    parser.add_argument("landing", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    cpu = {}
    before = time.process_time()
    writer = Writer(chosen.landing, chosen.out)
    cpu["0_open"] = time.process_time() - before
    for script in SCRIPTS:
        before = time.process_time()
        writer.run(script.read_text(encoding="utf-8"))
        cpu[script.stem] = time.process_time() - before
    found = {
        "import_cpu_s": imported_cpu - started_cpu,
        "cpu_s": cpu,
        "wall_s": time.monotonic() - started,
        "peak_mb": peak_mb(),
        "rows": writer.rows,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
