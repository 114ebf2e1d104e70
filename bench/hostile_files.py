"""Files that would break a careless reader, and what becomes of each: one sentence, rows set aside, or the two rows that were always there.

What belongs here: writing such files, and the word for what a night made of them. What does not: the nights (`taking_in.py`). One process and one
workspace take them all in, one after the other, with a good file after each: a process that dies on one gives no word for the next.
"""

import os
import random
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

from bench.taking_in import Company, night
from vesper.check import check
from vesper.stage_report import StageFailed

REFUSED, QUARANTINED, READ, CRASHED = "refused", "quarantined", "read", "crashed"
MEGABYTE = 1 << 20
CELL, BOMB = 100 * MEGABYTE, 1100 * MEGABYTE
HEADER = ("编号", "姓名", "手机")
KNOWN = (("1", "王芳", "13800138000"), ("2", "李雷", "13900139000"))
GOOD = "".join(",".join(cells) + "\n" for cells in (HEADER, *KNOWN))
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
FAR_APART = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


@dataclass(frozen=True)
class Hostile:
    """One trick: how it is written where the day's file lands, and what is to become of it. `rows` are the counts that are not 0."""

    name: str
    write: Callable[[Path], object]
    outcome: str
    rows: dict[str, int] = field(default_factory=dict)
    system: str = "csv"
    path: str | None = None
    """Where the definition says that the files lie, if that is the trick."""


def text(content: str) -> Callable[[Path], object]:
    """A file of this text."""
    return lambda path: path.write_text(content, encoding="utf-8")


def bytes_of(content: bytes) -> Callable[[Path], object]:
    """A file of these bytes."""
    return lambda path: path.write_bytes(content)


def cell(size: int) -> Callable[[Path], object]:
    """The known rows, and one with a name of so many bytes."""
    return lambda path: path.write_text(f"{GOOD}3,{'x' * size},1\n", encoding="utf-8")


def workbook(path: Path, with_formulas: bool = False) -> None:
    """The known rows; their names as formulas with the value that was last worked out, if asked for."""
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADER)
        for number, cells in enumerate(KNOWN, 1):
            page.write_row(number, 0, cells)
            if with_formulas:
                page.write_formula(number, 1, '=HYPERLINK("http://x.example","点")', None, cells[1])


def formulas(path: Path) -> None:
    """A workbook whose names are formulas."""
    workbook(path, with_formulas=True)


def with_sheet(path: Path, blocks: list[bytes]) -> None:
    """A workbook whose sheet is these blocks."""
    small = path.with_name("small.tmp")
    workbook(small)
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for part in old.infolist():
            with new.open(part.filename, "w") as file:
                for block in blocks if part.filename == SHEET else [old.read(part)]:
                    file.write(block)
    small.unlink()


def bomb(path: Path) -> None:
    """A few megabytes that unpack to more than a gigabyte."""
    with_sheet(path, [HEAD, *[b"\0" * MEGABYTE] * (BOMB // MEGABYTE), TAIL])


def lying_bomb(path: Path) -> None:
    """The same, and its directory says that it is 100 bytes, whose sum is right."""
    bomb(path)
    data = bytearray(path.read_bytes())
    real = (len(HEAD) + BOMB + len(TAIL)).to_bytes(4, "little")
    said = (100).to_bytes(4, "little")
    said_sum = zlib.crc32((HEAD + b"\0" * 100)[:100]).to_bytes(4, "little")
    place = data.find(real)
    while place >= 0:
        data[place : place + 4], data[place - 8 : place - 4] = said, said_sum
        place = data.find(real)
    path.write_bytes(data)


def far_apart(path: Path) -> None:
    """Two cells in opposite corners: laid out, 17 thousand million cells."""
    with_sheet(path, [HEAD, FAR_APART, TAIL])


def noise(path: Path) -> None:
    """Bytes without meaning, under the name of a workbook."""
    path.write_bytes(random.Random(1).randbytes(MEGABYTE))


def link_out(path: Path) -> None:
    """A link to a readable file beside the workspace."""
    secret = path.parents[3] / "secret.csv"
    secret.write_text(GOOD, encoding="utf-8")
    path.symlink_to(secret)


def odd_neighbours(path: Path) -> None:
    """The good file among things whose names look like its own, and a pipe that would block whoever opens it."""
    path.write_text(GOOD, encoding="utf-8")
    for name in (f"{path.name}\n", f"{path.name}'; drop table x", f"x{path.name}", f"..{path.name}", "٢٠١٨-٠٣-٠١.csv"):
        (path.parent / name).write_text("not a source", encoding="utf-8")
    os.mkfifo(path.parent / f"{path.name}.pipe")


def nothing(path: Path) -> None:
    """The trick is in the definition."""


BOTH_KNOWN = {"unchanged": 2}
ONE_ASIDE = {"unchanged": 2, "quarantined": 1}
BOMBS = (
    Hostile("xlsx that unpacks to 1.1 GB", bomb, REFUSED, system="excel"),
    Hostile("xlsx that unpacks to 1.1 GB and says 100 bytes", lying_bomb, REFUSED, system="excel"),
)
"""Seconds of work, half of it to make them."""
HOSTILE = (
    Hostile("xlsx that spans 17 thousand million cells", far_apart, REFUSED, system="excel"),
    Hostile("xlsx that is none", noise, REFUSED, system="excel"),
    Hostile("csv with a cell of 50 MB", cell(CELL // 2), QUARANTINED, ONE_ASIDE),
    # A file of more than 64 MB is copied to disk block by block, and a row that is longer than a block stops it.
    Hostile("csv with a cell of 100 MB", cell(CELL), REFUSED),
    Hostile("csv with a quotation mark that is never closed", text(f'{GOOD}3,"王,1\n'), REFUSED),
    Hostile("csv with a NUL byte in a cell", text(f"{GOOD}3,王\0芳,1\n"), QUARANTINED, ONE_ASIDE),
    Hostile("csv of nothing but NUL bytes", bytes_of(b"\0" * 4096), REFUSED),
    Hostile("csv with a column twice", text(GOOD.replace("姓名", "手机")), REFUSED),
    Hostile("xlsx with formulas", formulas, READ, BOTH_KNOWN, system="excel"),
    Hostile("csv with formulas", text(f"{GOOD}3,=HYPERLINK(1),@SUM(A1)\n"), READ, {"unchanged": 2, "new": 1}),
    Hostile("link that leads out of landing", link_out, REFUSED),
    Hostile("definition that leads out of landing", nothing, REFUSED, path="../../{on}.csv"),
    Hostile("odd names and a pipe beside a good file", odd_neighbours, READ, BOTH_KNOWN),
)


def all_taken_in(folder: Path, with_bombs: bool = True) -> list[dict[str, Any]]:
    """What became of each file, in a workspace that knows the two good rows."""
    every = (*BOMBS, *HOSTILE) if with_bombs else HOSTILE
    company = Company(folder / "company")
    if _good_night(company, 0).get("new") != len(KNOWN):
        raise RuntimeError("the good file was not read")
    return [_taken_in(company, one, 2 * place) for place, one in enumerate(every, 1)]


def _taken_in(company: Company, one: Hostile, number: int) -> dict[str, Any]:
    """The word for one file, and whether all is as it should be: its rows, and those of a good file on the night after."""
    company.define(one.system, one.path)
    one.write(company.file(number, "xlsx" if one.system == "excel" else "csv"))
    company.arrive(number)
    started = time.process_time()
    outcome, rows, said = _word(company, number)
    cpu_s = round(time.process_time() - started, 2)
    after = _good_night(company, number + 1)
    lives = after.get("unchanged") == len(KNOWN) and after.get("received") == len(KNOWN)
    is_right = lives and outcome == one.outcome and rows == one.rows
    found = {"file": one.name, "outcome": outcome, "rows": rows, "said": said, "cpu_s": cpu_s}
    return {**found, "reads_on": lives, "as_expected": is_right}


def _word(company: Company, number: int) -> tuple[str, dict[str, int], str]:
    """What a night made of the day's file, its rows by outcome, and the sentence when it was refused."""
    wrong = check(company.root)
    if wrong:
        return REFUSED, {}, wrong[0].what
    try:
        found = night(company, number)
    except StageFailed as failed:
        return REFUSED, {}, str(failed)
    except Exception as error:  # whatever else it is, it is an answer to what this bench asks
        return CRASHED, {}, type(error).__name__
    rows = {name: found[name] for name in ("new", "changed", "unchanged", "superseded", "quarantined") if found[name]}
    return QUARANTINED if rows.get("quarantined") else READ, rows, ""


def _good_night(company: Company, number: int) -> dict[str, Any]:
    """The good file after everything else was taken out of the folder."""
    company.define()
    for path in company.landing.glob("*"):
        path.unlink()
    company.file(number).write_text(GOOD, encoding="utf-8")
    company.arrive(number)
    return night(company, number)
