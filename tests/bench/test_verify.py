"""The comparison on which the bench stands notices one row too many, a changed value and a missing table. (That nights are fast is no test.)"""

from pathlib import Path

import duckdb

from bench import verify
from bench.by_hand.__main__ import statements


def test_rows_apart_counts_each_row_that_one_side_alone_has(tmp_path: Path) -> None:
    base = duckdb.connect()
    ours, theirs, doubled = (tmp_path / f"{name}.parquet" for name in ("ours", "theirs", "doubled"))
    base.execute(f"copy (select range as n, 'a' as definition_hash from range(3)) to '{ours}' (format parquet)")
    base.execute(f"copy (select range as n, 'b' as definition_hash from range(3)) to '{theirs}' (format parquet)")
    base.execute(
        f"copy (select greatest(range, 1) as n, 'b' as definition_hash from range(4)) to '{doubled}' (format parquet)"
    )
    assert verify.rows_apart(base, "t", [ours], [theirs]) == []
    assert verify.rows_apart(base, "t", [ours], [doubled]) == ["t: 1 rows only in Vesper, 2 only by hand"]


def test_columns_count_too(tmp_path: Path) -> None:
    base = duckdb.connect()
    base.execute(f"copy (select 1 as a) to '{tmp_path}/a.parquet' (format parquet)")
    base.execute(f"copy (select 1 as b) to '{tmp_path}/b.parquet' (format parquet)")
    assert "columns" in verify.rows_apart(base, "t", [tmp_path / "a.parquet"], [tmp_path / "b.parquet"])[0]


def test_a_table_of_one_side_only_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "core__contact").mkdir()
    duckdb.execute(f"copy (select 1 as a) to '{tmp_path}/core__contact/all.parquet' (format parquet)")
    assert verify.compared({}, tmp_path) == ["core__contact: written by one side only"]
    assert verify.compared({"dq__metric": [tmp_path / "x"]}, tmp_path) == ["core__contact: written by one side only"]


def test_a_script_is_cut_into_its_orders() -> None:
    script = "-- Text.\n\n-- run\nselect 1;\n\n-- save core__x by a, b; months of a\nselect 2 as a, 3 as b;\n"
    assert list(statements(script)) == [
        ("run", "select 1"),
        ("save core__x by a, b; months of a", "select 2 as a, 3 as b"),
    ]


def test_a_table_cut_by_days_may_be_empty_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "core__merge_event").mkdir()
    assert verify.compared({"core__merge_event": []}, tmp_path) == []
