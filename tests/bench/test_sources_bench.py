"""The bench of sources counts what it made: nothing lost, nothing doubled, no hostile file that ends the process. (That it is fast is no test.)"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.taking_in import BLOCK, is_broken, rows


@pytest.mark.slow
@pytest.mark.requirement("R1", "R10")
def test_a_small_run_loses_nothing_doubles_nothing_and_lives(repository: Path) -> None:
    """Without the workbooks that unpack to a gigabyte: tests/connectors/test_workbook.py has small ones."""
    sizes = ["--rows", "20000", "--sheet-rows", "500", "--no-bombs"]
    command = [sys.executable, "-m", "bench.sources", *sizes, "--json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    first, again, successor = (found["csv"][name] for name in ("first", "again", "successor"))
    assert first["received"] == first["new"] + first["quarantined"] == 20_000
    assert first["quarantined"] > 0
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, first["new"])
    assert successor["received"] == successor["new"] + successor["unchanged"] + successor["quarantined"] == 4_000
    assert successor["standing"]["rows"] == successor["standing"]["keys"] == first["new"] + successor["new"]
    assert [one["file"] for one in found["hostile"]["files"] if not one["as_expected"]] == []
    assert found["as_expected"]


def test_a_row_is_the_same_in_whichever_block_it_comes() -> None:
    assert rows(BLOCK - 5, 10).equals(rows(BLOCK - 100, 200).slice(95, 10))
    aside = [one for one, broken in enumerate(is_broken(0, 5_000).to_pylist()) if broken]
    made = rows(0, 5_000).to_pylist()
    odd = [one for one, row in enumerate(made) if row["编号"] is None or row["注册时间"].startswith("2017-02-30")]
    assert aside == odd != []
