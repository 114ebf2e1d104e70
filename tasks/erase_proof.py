"""The proof of an erasure: every file of the workspace searched for the person afterwards.

What belongs here: the search, file by file, by two ways that do not share an assumption: by what columns mean, and by any text that names
the person wherever it stands. What does not: mending. What is found is listed by file, never shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tasks.erase_landing import Found, search
from tasks.erase_person import folder_of
from tasks.sql import declared_tables
from vesper.erasure import Cut, Person, cut_of, pattern_of, telling, told_in
from vesper.model.source import Source
from warehouse.house import House
from warehouse.rewrite import retained, touched_files
from warehouse.runner import Runner
from warehouse.secret import FILE as KEY_FILE

BLOCK = 1 << 24
LONGEST = 1 << 10
UNSEARCHED = frozenset({KEY_FILE, "run.lock"})


@dataclass(frozen=True)
class Proof:
    """How many files were searched, and those in which something was found."""

    searched: int
    residue: list[str]


def prove(house: House, runner: Runner, person: Person) -> Proof:
    """Search the lake by column and by text, the landing files by row and by bytes, and everything else of the store by bytes."""
    sources = house.definitions_at(None).of(Source)
    lake = [path for parts in retained(house.lake).values() for path in parts]
    landed = _files(house.workspace.landing)
    others = [*landed, *beside(house)]
    residue = [f"lake/{name}" for name in _in_lake(house, runner, person, sources)]
    for found in search(house, runner, person, list(sources.values())):
        residue.append(_landing_name(found, house.workspace.landing) if isinstance(found, Found) else str(found))
    words = telling(person)
    if words:
        pattern = re.compile(pattern_of(words).encode())
        residue += [path.relative_to(house.workspace.store).as_posix() for path in others if _says(path, pattern)]
    return Proof(len(lake) + len(others), sorted(set(residue)))


def _in_lake(house: House, runner: Runner, person: Person, sources: dict[str, Source]) -> Iterator[str]:
    tables = declared_tables(house)

    def meant(name: str, table: sa.Table) -> Cut | None:
        return cut_of(name, table, person, sources)

    def told(name: str, table: sa.Table) -> Cut | None:
        return told_in(table, person)

    for name, parts in retained(house.lake).items():
        files = [house.lake.folder / path for path in parts]
        for way in (meant, told):
            yield from (f"{name}/{file}" for file in touched_files(runner, name, files, tables.get(name), way))


def _landing_name(found: Found, folder: Path) -> str:
    return f"landing/{found.path.relative_to(folder).as_posix()}"


def beside(house: House) -> Iterator[Path]:
    """Every file of the store outside lake and landing, but the key, the lock, and the marks of the person that this very search reads."""
    store = house.workspace.store
    elsewhere = (house.lake.folder, house.workspace.landing, folder_of(store))
    for path in _files(store):
        if path.name not in UNSEARCHED and not any(path.is_relative_to(folder) for folder in elsewhere):
            yield path


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _says(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether a file's bytes name the person; blocks overlap, so that nothing hides on a seam."""
    with path.open("rb") as file:
        rest = b""
        while block := file.read(BLOCK):
            if pattern.search(rest + block):
                return True
            rest = block[-LONGEST:]
    return False
