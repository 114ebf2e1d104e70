"""The gate on real Parquet files with planted faults. Great Expectations is imported once for all of them."""

import datetime as dt
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from data_quality.gate import Candidate, run_gate
from data_quality.verdict import failure_sentence, failures
from vesper.stage_report import CheckResult
from vesper.tables.declare import DATE, INTEGER, MONEY, TEXT, column, table

ORDERS = table(
    "core__test_order",
    column("ordered_on", DATE, "Day", required=True, between=(dt.date(2017, 1, 1), dt.date(2017, 12, 31))),
    column("order_id", TEXT, "Order", required=True),
    column("quantity", INTEGER, "Units", between=(0, 100), severity="warning"),
    column("amount", MONEY, "Paid", required=True, between=(0, 1000)),
    column("kind", TEXT, "Kind", among=("店内", "线上")),
    grain=("ordered_on", "order_id"),
    owner="数据组",
    says="Orders for the gate.",
    cut="ordered_on",
    minimum_rows=3,
    metadata=sa.MetaData(),
)
DAY = dt.date(2017, 6, 1)
GOOD: dict[str, list[Any]] = {
    "ordered_on": [DAY] * 4,
    "order_id": ["o1", "o2", "o3", "o4"],
    "quantity": [1, 2, None, 4],
    "amount": [1, 2, 3, 4],
    "kind": ["店内", "线上", "店内", None],
}
pytestmark = pytest.mark.requirement("R103")


def written(folder: Path, name: str = "it's", **changes: Any) -> Path:
    """A Parquet file of the good rows with some columns replaced; None leaves a column out."""
    columns = {key: values for key, values in {**GOOD, **changes}.items() if values is not None}
    file = folder / f"{name}.parquet"
    pq.write_table(pa.table(columns), file)
    return file


def broken(results: list[CheckResult]) -> list[tuple[str, str | None, str, int | None]]:
    return [(each.check, each.column, each.severity, each.unexpected) for each in results if not each.passed]


def test_good_files_pass_every_check(tmp_path: Path) -> None:
    results = run_gate([Candidate(ORDERS, [written(tmp_path)])])
    assert broken(results) == []
    assert [(each.check, each.column) for each in results] == [
        ("columns", None),
        ("row_count", None),
        ("unique", "ordered_on, order_id"),
        ("required", "ordered_on"),
        ("between", "ordered_on"),
        ("required", "order_id"),
        ("between", "quantity"),
        ("required", "amount"),
        ("between", "amount"),
        ("among", "kind"),
    ]
    assert failure_sentence(results, "数据组") is None


FAULTS: list[tuple[dict[str, Any], list[tuple[str, str | None, str, int | None]]]] = [
    ({"order_id": ["o1", None, "o3", None]}, [("required", "order_id", "critical", 2)]),
    ({"order_id": ["o1", "o1", "o3", "o4"]}, [("unique", "ordered_on, order_id", "critical", 2)]),
    ({"quantity": [1, 101, -1, 4]}, [("between", "quantity", "warning", 2)]),
    ({"amount": [1, 2, 3, 1001]}, [("between", "amount", "critical", 1)]),
    ({"ordered_on": [DAY, DAY, DAY, dt.date(2018, 1, 1)]}, [("between", "ordered_on", "critical", 1)]),
    ({"kind": ["店内", "电话", "网店", None]}, [("among", "kind", "critical", 2)]),
]


@pytest.mark.parametrize(("changes", "expected"), FAULTS, ids=[repr(expected[0][:2]) for _, expected in FAULTS])
def test_a_planted_fault_is_found_with_its_rows(tmp_path: Path, changes: dict[str, Any], expected: Any) -> None:
    results = run_gate([Candidate(ORDERS, [written(tmp_path, **changes)])])
    assert broken(results) == expected
    assert (failure_sentence(results, "数据组") is None) is (expected[0][2] == "warning")


def test_a_missing_column_is_named_and_a_check_that_cannot_run_is_critical(tmp_path: Path) -> None:
    results = run_gate([Candidate(ORDERS, [written(tmp_path, quantity=None, units=[1, 2, 3, 4])])])
    columns, quantity = failures(results)
    assert (columns.check, columns.observed) == ("columns", "-quantity; +units")
    assert (quantity.check, quantity.column, quantity.severity) == ("between", "quantity", "critical")
    assert quantity.error


def test_an_error_never_shows_a_value_of_a_row(tmp_path: Path) -> None:
    results = run_gate([Candidate(ORDERS, [written(tmp_path, quantity=["张三", "1", "2", "3"])])])
    (failed,) = failures(results)
    assert failed.column == "quantity" and failed.error and failed.severity == "critical"
    assert "张三" not in str(results)


def test_too_few_rows_and_none_at_all_fail_by_minimum_rows(tmp_path: Path) -> None:
    pq.write_table(pq.read_table(written(tmp_path)).slice(0, 2), tmp_path / "two.parquet")
    for files, count in (([tmp_path / "two.parquet"], "2"), ([], "0")):
        (failed,) = failures(run_gate([Candidate(ORDERS, files)]))
        assert (failed.check, failed.observed) == ("row_count", count)


def test_new_parts_of_a_cut_table_may_be_small_and_are_read_together(tmp_path: Path) -> None:
    files = [written(tmp_path, "a"), written(tmp_path, "b", order_id=["o5", "o6", "o7", "o1"])]
    results = run_gate([Candidate(ORDERS, files, "new")])
    assert broken(results) == [("unique", "ordered_on, order_id", "critical", 2)]
    assert run_gate([Candidate(ORDERS, [], "new")]) and broken(run_gate([Candidate(ORDERS, [], "new")])) == []


def test_a_table_that_declares_nothing_is_not_published() -> None:
    bare = table("core__test_bare", column("n", INTEGER, "N"), grain=(), owner="d", says="s", metadata=sa.MetaData())
    (only,) = run_gate([Candidate(bare, [])])
    assert (only.passed, only.severity, only.check) == (False, "critical", "declared")
    assert "core__test_bare" in (failure_sentence([only], "d") or "")


def test_a_changed_declaration_under_the_same_name_has_its_own_suite(tmp_path: Path) -> None:
    def declared(required: bool) -> sa.Table:
        columns = [column("n", INTEGER, "N", required=True), column("m", INTEGER, "M", required=required)]
        return table("core__test_twice", *columns, grain=("n",), owner="d", says="s", metadata=sa.MetaData())

    file = tmp_path / "n.parquet"
    pq.write_table(pa.table({"n": pa.array([1, 2], pa.int32()), "m": pa.array([None, 1], pa.int32())}), file)
    assert broken(run_gate([Candidate(declared(False), [file])])) == []
    assert broken(run_gate([Candidate(declared(True), [file])])) == [("required", "m", "critical", 1)]


def test_files_are_looked_at_anew_each_time(tmp_path: Path) -> None:
    good, bad = written(tmp_path, "good"), written(tmp_path, "bad", amount=[1, 2, 3, None])
    seen = [len(broken(run_gate([Candidate(ORDERS, [file])]))) for file in (good, bad, good)]
    assert seen == [0, 1, 0]


def test_the_engine_is_given_up_so_others_may_open_duckdb(tmp_path: Path) -> None:
    run_gate([Candidate(ORDERS, [written(tmp_path)])])
    for name in (":memory:", ":memory:gate"):
        with duckdb.connect(name, config={"threads": 1}) as connection:
            assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone() == (0,)


def test_the_gate_is_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run_gate([Candidate(ORDERS, [written(tmp_path, quantity=["张三", "1", "2", "3"])])])
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_importing_the_room_does_not_import_great_expectations(repository: Path) -> None:
    rooms = "data_quality.gate, data_quality.verdict, data_quality.metrics, data_quality.split, data_quality.coverage"
    code = f"import sys, {rooms}; sys.exit(any(m in sys.modules for m in ('great_expectations', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=repository, check=False).returncode == 0
