"""`python -m bench.sources [--json] [--rows N] [--sheet-rows N] [--no-bombs]`: what taking files in costs, what comes twice, what breaks.

What belongs here: which files are taken in, each step in a process of its own so that its CPU and its memory are its own, and what is made of the
figures. What does not: the workspace and its nights (`taking_in.py`), the hostile files (`hostile_files.py`). Making the files is not counted.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.workspaces import last_line

ROWS, SHEET_ROWS, SHEET_COLUMNS = 10_000_000, 50_000, 10
OVERLAP = NEW = 0.1
"""Shares of the file that its successor repeats, and adds."""
NIGHTS = ("first", "again", "successor")
COUNTS = ("received", "new", "changed", "unchanged", "superseded", "quarantined")
SPENT = ("cpu_s", "wall_s", "peak_mb")
Figures = dict[str, Any]


def prepare(folder: Path, asked: argparse.Namespace) -> Figures:
    """A workspace with three files: so many rows, the same again, and an overlapping successor. How many of their rows can be used."""
    from bench.taking_in import Company, write_rows

    company = Company(folder / "company")
    company.define(more_fields=True)
    overlap, added = int(asked.rows * OVERLAP), int(asked.rows * NEW)
    first, again, successor = (company.file(number) for number in range(len(NIGHTS)))
    usable = write_rows(first, 0, asked.rows)
    shutil.copyfile(first, again)
    both = write_rows(successor, asked.rows - overlap, overlap + added)
    usable_new = write_rows(folder / "added.csv", asked.rows, added)
    for number in range(len(NIGHTS)):
        company.arrive(number)
    size = round(first.stat().st_size / 1e6)
    return {"file_mb": size, "expected": expected(asked.rows, usable, overlap + added, both, usable_new)}


def expected(rows: int, usable: int, longer: int, both: int, usable_new: int) -> dict[str, dict[str, int]]:
    """What each night is to count, from how the files were made."""
    nothing = dict.fromkeys(COUNTS, 0)
    aside = {"received": rows, "quarantined": rows - usable}
    return {
        "first": nothing | aside | {"new": usable},
        "again": nothing | aside | {"unchanged": usable},
        "successor": nothing
        | {"received": longer, "quarantined": longer - both, "new": usable_new, "unchanged": both - usable_new},
    }


def take_in(folder: Path, number: int) -> Figures:
    """One night; then, not counted, the rows that stand and their keys."""
    from bench.taking_in import Company, night, standing

    company = Company(folder / "company")
    found = night(company, number)
    return {**found, "standing": standing(company, number)}


def sheet(folder: Path, asked: argparse.Namespace) -> Figures:
    """A workbook, read."""
    from bench.cleaning import sheet as read_sheet
    from bench.memory import peak_mb

    cpu_s = read_sheet(folder, asked.sheet_rows)
    return {"rows": asked.sheet_rows, "columns": SHEET_COLUMNS, "cpu_s": round(cpu_s, 2), "peak_mb": round(peak_mb())}


def hostile(folder: Path, asked: argparse.Namespace) -> Figures:
    """All hostile files, in one process."""
    from bench.hostile_files import all_taken_in
    from bench.memory import peak_mb

    return {"files": all_taken_in(folder, not asked.no_bombs), "peak_mb": round(peak_mb())}


STEPS: dict[str, Callable[[Path, argparse.Namespace], Figures]] = {
    "prepare": prepare,
    "first": lambda folder, _asked: take_in(folder, 0),
    "again": lambda folder, _asked: take_in(folder, 1),
    "successor": lambda folder, _asked: take_in(folder, 2),
    "sheet": sheet,
    "hostile": hostile,
}


def step(asked: argparse.Namespace, folder: Path, name: str) -> Figures:
    """One step in a process of its own. RuntimeError with what it said when it failed or died."""
    sizes = ["--rows", str(asked.rows), "--sheet-rows", str(asked.sheet_rows)]
    options = ["--no-bombs"] if asked.no_bombs else []
    return dict(json.loads(last_line("-m", "bench.sources", *sizes, *options, "--folder", str(folder), "--step", name)))


def measured(asked: argparse.Namespace, folder: Path) -> Figures:
    """All steps, one after the other."""
    made = step(asked, folder, "prepare")
    nights = {name: step(asked, folder, name) for name in NIGHTS}
    shutil.rmtree(folder / "company")
    known = 0
    for name, found in nights.items():
        known += made["expected"][name]["new"]
        counted = {each: found[each] for each in COUNTS}
        found["as_expected"] = counted == made["expected"][name]
        found["doubled"] = found["standing"]["rows"] - known
    taken = {"rows": asked.rows, "file_mb": made["file_mb"], **nights}
    nasty = step(asked, folder, "hostile")
    every = [*nights.values(), *nasty["files"]]
    is_right = all(one["as_expected"] for one in every) and not any(_doubled(found) for found in nights.values())
    return {"csv": taken, "sheet": step(asked, folder, "sheet"), "hostile": nasty, "as_expected": is_right}


def _doubled(found: Figures) -> bool:
    return bool(found["doubled"]) or found["standing"]["rows"] != found["standing"]["keys"]


def show(console: Console, result: Figures) -> None:
    """The figures for people."""
    taken = result["csv"]
    nights = Table("", *NIGHTS, title=f"{taken['rows']:,} rows, {taken['file_mb']:,} MB")
    for each in (*COUNTS, "doubled", *SPENT):
        nights.add_row(each, *[f"{taken[name][each]:,}" for name in NIGHTS])
    console.print(nights)
    page = result["sheet"]
    console.print(f"A workbook of {page['rows']:,} rows and {page['columns']} columns: {page['cpu_s']} CPU s.")
    nasty = Table(
        "hostile file", "outcome", "rows", "CPU s", "as expected", title=f"{result['hostile']['peak_mb']:,} MB"
    )
    for one in result["hostile"]["files"]:
        rows = ", ".join(f"{count} {name}" for name, count in one["rows"].items())
        nasty.add_row(one["file"], one["outcome"], rows, f"{one['cpu_s']:.2f}", "yes" if one["as_expected"] else "NO")
    console.print(nasty)


def main() -> None:
    parser = argparse.ArgumentParser(description="What taking files in costs, and what hostile files do.")
    parser.add_argument("--json", action="store_true", help="print nothing but one JSON object on standard output")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the csv")
    parser.add_argument("--sheet-rows", type=int, default=SHEET_ROWS, help="rows of the workbook")
    parser.add_argument("--no-bombs", action="store_true", help="leave out the workbooks that unpack to a gigabyte")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(STEPS[asked.step](asked.folder, asked)))
        return
    with tempfile.TemporaryDirectory(prefix="vesper-sources-") as folder:
        result = measured(asked, Path(folder))
    show(Console(stderr=asked.json), result)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
