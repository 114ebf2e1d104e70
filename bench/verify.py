"""Whether two sets of tables say the same: every published table of Vesper beside the table written by hand, row by row.

What belongs here: the comparison and the few columns it leaves out, each with its reason. What does not: timing.
"""

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import sqlalchemy as sa

from tasks.sql import declared_tables
from warehouse.house import House
from warehouse.runner import Runner

OF_THE_LEDGER = frozenset({"out__handover", "mart__follow_up", "mart__rule_acceptance"})
"""Hand-overs as the ledger has them: who was given to whom, told when and by which clock, and counts of that. By hand there is no ledger, and nobody
is told. All of them are of the stage hand-over, whose CPU `night.py` states apart and keeps in the ratio."""
NOT_BY_HAND = OF_THE_LEDGER | {"dq__metric"}
"""Tables without a counterpart: those, and Vesper's own bookkeeping of its runs."""
LEFT_OUT = frozenset({"definition_hash", "version"})
"""Columns not compared. By hand there are no definitions to hash, and `version` is such a hash too: of the identity policy with Vesper's own version
(core__identity_night), of the survivorship policy (mart__cleaning_effect, where it is 1 for rules that are code)."""


def published(root: Path, business_on: dt.date) -> dict[str, list[Path]]:
    """The files of every table as of a night; of a table that is more than the rows of its files, a file written for this."""
    house = House.open(root)
    try:
        declared = declared_tables(house)
        with Runner(house.lake) as runner:
            return {name: _files(house, runner, declared[name], business_on) for name in house.lake.tables()}
    finally:
        house.close()


def _files(house: House, runner: Runner, declared: sa.Table, business_on: dt.date) -> list[Path]:
    snapshot = house.lake.as_of(declared.name, business_on)
    if snapshot is None or not (declared.info["patched"] or declared.info["derived"]):
        return house.lake.files(house.lake.parts(snapshot))
    runner.bind_snapshot(declared, snapshot)
    file = house.workspace.store / "compared" / f"{declared.name}.parquet"
    file.parent.mkdir(exist_ok=True)
    pq.write_table(runner.arrow(sa.select(declared)), file)
    return [file]


def differences(root: Path, business_on: dt.date, hand: Path) -> list[str]:
    """One sentence for each table that differs; none when the two agree row by row."""
    return compared(published(root, business_on), hand)


def compared(ours: dict[str, list[Path]], hand: Path) -> list[str]:
    """The same for files by table on the one side and a folder of tables on the other."""
    base = duckdb.connect()
    found = []
    for name in sorted(set(ours) - NOT_BY_HAND | {folder.name for folder in hand.iterdir()}):
        theirs = sorted((hand / name).glob("*.parquet"))
        if name not in ours or not (hand / name).is_dir():
            found.append(f"{name}: written by one side only")
        elif ours[name] and theirs:
            found += rows_apart(base, name, ours[name], theirs)
        elif ours[name] or theirs:
            found.append(f"{name}: rows on one side only")  # a table cut by days has no file where it has no row
    return found


def rows_apart(base: duckdb.DuckDBPyConnection, name: str, ours: list[Path], theirs: list[Path]) -> list[str]:
    """Rows that only one side has; a row that stands twice counts twice."""
    base.read_parquet([str(path) for path in ours]).create_view("ours", replace=True)
    base.read_parquet([str(path) for path in theirs]).create_view("theirs", replace=True)
    columns = [str(row[0]) for row in base.execute("describe ours").fetchall()]
    others = [str(row[0]) for row in base.execute("describe theirs").fetchall()]
    if columns != others:
        return [f"{name}: columns {columns} and {others}"]
    listed = ", ".join(f'"{column}"' for column in columns if column not in LEFT_OUT)
    apart = base.execute(
        f"select (select count(*) from (select {listed} from ours except all select {listed} from theirs)), "
        f"(select count(*) from (select {listed} from theirs except all select {listed} from ours))"
    ).fetchall()
    only_ours, only_theirs = apart[0]
    return [f"{name}: {only_ours} rows only in Vesper, {only_theirs} only by hand"] if only_ours or only_theirs else []


def key_figures(hand: Path) -> dict[str, float]:
    """The figures that everybody knows the grocer's year by."""
    (row,) = (
        duckdb.connect()
        .execute(
            f"select count(*), cast(sum(amount) as double), (select count(*) from '{hand}/mart__score/*.parquet'), "
            f"(select count(*) from '{hand}/mart__segment_member/*.parquet'), (select count(*) from '{hand}/out__message/*.parquet') "
            f"from '{hand}/core__order_line/*.parquet'"
        )
        .fetchall()
    )
    return dict(zip(("order_lines", "sales", "scores", "segment_members", "messages"), row, strict=True))
