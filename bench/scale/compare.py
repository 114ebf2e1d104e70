"""Whether two sides made the same rows, table by table; and which files a night reads.

What belongs here: reading both sides of a night and comparing them. What does not: which sides there are.
"""

import datetime as dt
from pathlib import Path

from bench.scale.ours import TABLES
from bench.verify import LEFT_OUT
from vesper.marts import all_marts
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.part import PATCH, VOID
from warehouse.runner import Runner

FACTS = ("core__contact", "core__event", "core__order_day")


def facts(root: Path, on: dt.date, folder: Path) -> dict[str, list[str]]:
    """The Parquet files of the core tables of a night; a table that the lake keeps in layers is written into the folder as one file."""
    house = House.open(root)
    try:
        with Runner(house.lake) as runner:
            return {name: _files(runner, name, on, folder) for name in FACTS}
    finally:
        house.close()


def _files(runner: Runner, name: str, on: dt.date, folder: Path) -> list[str]:
    snapshot = runner.lake.as_of(name, on)
    parts = runner.lake.parts(snapshot)
    if not {PATCH, VOID} & {part.key for part in parts}:
        return [str(file) for file in runner.lake.files(parts)]
    whole = folder / f"{name}-{on}.parquet"
    runner.bind_snapshot(METADATA.tables[name], snapshot)
    runner.query(f"copy {name} to '{whole}' (format parquet)")
    return [str(whole)]


def apart_from(root: Path, on: dt.date, out: Path) -> list[str]:
    """One sentence for each table of a side that differs from Vesper's of that night; a row that stands twice counts twice."""
    house = House.open(root)
    try:
        with Runner(house.lake) as runner:
            for name in TABLES:
                runner.bind_snapshot(all_marts()[name].table, house.lake.as_of(name, on))
            return [said for name in TABLES for said in _apart(runner, name, on, out)]
    finally:
        house.close()


def _apart(runner: Runner, name: str, on: dt.date, out: Path) -> list[str]:
    theirs_has = {row[0] for row in runner.query(f"describe from read_parquet('{out / name}/*.parquet')").fetchall()}
    ours_has = {row[0]: row[1] for row in runner.query(f"describe {name}").fetchall()}
    columns = [column.name for column in all_marts()[name].table.c if column.name not in LEFT_OUT]
    listed = ", ".join(f'cast("{one}" as {ours_has[one]}) as "{one}"' for one in columns if one in theirs_has)
    ours = f"select {listed} from {name} where business_on = date '{on}'"
    theirs = f"select {listed} from read_parquet('{out / name}/*.parquet')"
    if _fingerprint(runner, ours) == _fingerprint(runner, theirs):
        return []
    query = "select count(*) from ({} except all {})"
    only = [
        int(runner.query(query.format(one, other)).fetchall()[0][0]) for one, other in ((ours, theirs), (theirs, ours))
    ]
    return [f"{name}: {only[0]} rows only in Vesper, {only[1]} only in {out.name}"]


def _fingerprint(runner: Runner, rows: str) -> tuple[object, ...]:
    """Number of rows and the sum of their hashes: the same for the same rows in any order, a row that stands twice counted twice."""
    row: tuple[object, ...] = runner.query(f"select count(*), sum(hash(rows)::hugeint) from ({rows}) rows").fetchall()[
        0
    ]
    return row
