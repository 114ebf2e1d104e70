"""A company that takes in what vendors export, through presets alone: each source is two lines.

What belongs here: the workspace, its files, and a bench whose sources are taken in. What does not: what is asked of them.
"""

import csv
import datetime as dt
import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.take_in import TakenIn, take_in
from vesper.consolidate import incident
from vesper.model.source import Source
from vesper.stage_report import StageReport
from vesper.tables.campaign import EVENT
from warehouse.house import House
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

ON = dt.date(2026, 3, 2)
ARRIVED = dt.datetime(2026, 3, 2, 4, tzinfo=dt.UTC)
SETTINGS = """[company]
name = "甲公司"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2026-03-02
[definitions]
activate = "automatic"
"""
ARCHIVE = "vendor_export_schemas/vendor_export_schemas.tgz"


def preset_of(name: str) -> str:
    """The preset for a file of the reference archive: `hubspot/contact_data.csv` -> hubspot_contact."""
    vendor, stem = Path(name).parts[-2], Path(name).stem.removesuffix("_data")
    return f"{vendor}_{stem.removeprefix(f'{vendor}_').removeprefix('sf_')}"


def exports(reference_data: Path) -> dict[str, bytes]:
    """Every CSV of the reference archive by its preset."""
    with tarfile.open(reference_data / ARCHIVE) as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".csv")]
        return {preset_of(member.name): _content(archive, member) for member in members}


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def csv_of(rows: Sequence[Mapping[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def company(root: Path, files: Mapping[str, bytes], more: Mapping[str, str] | None = None) -> Path:
    """A workspace with one source for each preset, its file landed.

    Args:
        files: content by preset.
        more: further lines of a source's file, by preset.
    """
    (root / "definitions" / "sources").mkdir(parents=True)
    (root / "vesper.toml").write_text(SETTINGS, encoding="utf-8")
    for preset, content in files.items():
        stated = f"preset: {preset}\nowner: crm@example.com\n" + (more or {}).get(preset, "")
        (root / "definitions" / "sources" / f"{preset}.yml").write_text(stated, encoding="utf-8")
        path = root / ".vesper" / "landing" / preset / f"{ON}.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (ARRIVED.timestamp(),) * 2)
    return root


@contextmanager
def taken_in(root: Path) -> Iterator[tuple[Bench, dict[str, TakenIn]]]:
    """A bench of the consolidate stage after every source was taken in."""
    house = House.open(root)
    with Runner(house.lake) as runner:
        bind_key(runner, house.address_key)
        bench = Bench(house, house.night(ON), runner, StageReport("consolidate", ON), "test")
        yield bench, {id: take_in(bench, source) for id, source in bench.night.definitions.of(Source).items()}
    house.close()


def without_incidents(*happened: sa.Select[Any]) -> sa.Select[Any]:
    """Events as they are before any campaign went wrong."""
    every = sa.union_all(*happened).subquery("every")
    nothing = sa.cast(sa.null(), sa.String).label(incident.MARK)
    return sa.select(*[every.c[c.name] for c in EVENT.c if c.name != incident.MARK], nothing)
