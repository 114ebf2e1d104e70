"""`python -m bench.identity_growth --records 1000000 --delta 10000 [--json]`: identity of a large base, and of the night on which it grows.

What belongs here: invented people (people.py) in a workspace of their own, a whole night of identity with a stored model, the night that follows as an
incremental one and as a full rebuild, and plain Splink on the same cleaned rows. What does not: labelled files (bench/identity). Each step is a process
of its own, so that its CPU and its memory are its own; cleaning and training are done before and not counted.
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from rich.console import Console

from bench.identity.cleaning import cleaned
from bench.identity.file import identity_policy, opened, read, read_settings
from bench.identity.quality import aligned, quality
from bench.memory import peak_mb
from bench.people import people
from tasks.bench import Bench
from tasks.identity import resolve
from tasks.night import rare_collections
from vesper.identity.keys import record_id
from vesper.model.linkage import Linkage
from vesper.stage_report import StageReport
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from warehouse.house import House
from warehouse.linkage import train
from warehouse.runner import Runner

SETTINGS = Path(__file__).parent / "identity_settings" / "people.yml"
FIRST, SECOND = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
NEW, GONE = 0.8, 0.1
"""Shares of the delta; the rest are rows that get a phone."""
TRAINED_ON, SEED, OTHER_SEED = 100_000, 20_260_301, 7
WORKSPACE = """[company]
name = "基准"
language = "en"
[clock]
mode = "simulated"
simulated_on = 2026-03-02
"""
Figures = dict[str, Any]


def prepare(folder: Path, records: int, delta: int) -> Figures:
    """The workspace with the cleaned rows of both nights, and a model trained on other people."""
    (folder / "definitions").mkdir(parents=True)
    (folder / "vesper.toml").write_text(WORKSPACE, encoding="utf-8")
    came, went = int(delta * NEW), int(delta * GONE)
    every = people(records + came, SEED)
    place = pa.array(range(every.num_rows))
    changes = pc.and_(pc.greater_equal(place, went), pc.less(place, delta - came))
    phone = pc.if_else(changes, pa.scalar(None, pa.string()), every["phone"])
    before = every.set_column(every.schema.get_field_index("phone"), "phone", phone).slice(0, records)
    grown = every.slice(went)
    for table, on in ((before, FIRST), (grown, SECOND)):
        pq.write_table(table, folder / f"{on}.parquet")
        _keep_records(folder, folder / f"{on}.parquet", on)
    pq.write_table(people(TRAINED_ON, OTHER_SEED), folder / "others.parquet")
    (folder / "linkage.json").write_text(_trained(folder / "others.parquet").model_dump_json(), encoding="utf-8")
    return {}


def _keep_records(folder: Path, file: Path, on: dt.date) -> None:
    """Clean a file's rows and publish them as the source records of a night."""
    settings = read_settings(SETTINGS)
    house = House.open(folder)
    with Runner(house.lake) as runner:
        raw = sa.Table(
            "raw_people", sa.MetaData(), *[sa.Column(name, sa.String) for name in pq.read_schema(file).names]
        )
        runner.bind_parquet(raw, [file], str(on))
        bench = Bench(house, house.night(on), runner, StageReport("consolidate", on), "bench")
        rows = cleaned(runner, raw, {"key": settings.key, **settings.columns})
        bench.fill(SOURCE_RECORD, sa.select(rows))
        house.lake.publish(list(bench.candidates.values()), on, "bench")
    house.close()


def _trained(file: Path) -> Linkage:
    settings = read_settings(SETTINGS)
    linkage = settings.linkage_of("people")
    with opened() as runner:
        return train(runner, read(runner, file, "truth", settings, linkage, None).records, linkage)


def night(folder: Path, on: dt.date, is_full: bool, keep: bool) -> Figures:
    """Identity of one night, measured; what it wrote, by table."""
    linkage = Linkage.model_validate_json((folder / "linkage.json").read_text(encoding="utf-8"))
    house = House.open(folder)
    with Runner(house.lake) as runner:
        bench = Bench(
            house, house.night(on), runner, StageReport("consolidate", on), "bench", "night" if keep else "replay"
        )
        started = time.process_time(), time.monotonic()
        with rare_collections():  # as a night does
            resolve(bench, identity_policy(), linkage, is_full)
        spent = {"cpu_s": round(time.process_time() - started[0], 1), "wall_s": round(time.monotonic() - started[1], 1)}
        written = {name: [part.sha256 for part in one.parts] for name, one in sorted(bench.candidates.items())}
        if keep:
            house.lake.publish(list(bench.candidates.values()), on, "bench")
    house.close()
    return {**spent, "peak_mb": round(peak_mb()), "written": written}


def truthful(folder: Path, on: dt.date) -> Figures:
    """How good the contacts of a night are."""
    house = House.open(folder)
    with Runner(house.lake) as runner:
        runner.bind_snapshot(CONTACT_MEMBER, house.lake.as_of(CONTACT_MEMBER.name, on))
        member = sa.select(record_id(CONTACT_MEMBER).label("record"), CONTACT_MEMBER.c.contact_id.label("label"))
        found = runner.arrow(member)
    house.close()
    raw = pq.read_table(folder / f"{on}.parquet", columns=["unique_id", "truth"])
    record = pc.binary_join_element_wise("file", raw["unique_id"].cast(pa.string()), ":")
    figures = quality(*aligned(found, pa.table({"record": record, "truth": raw["truth"]})))
    return {**figures, "wrongly_placed_ratio": round(figures["wrongly_placed"] / raw.num_rows, 5)}


def plain(folder: Path, on: dt.date) -> Figures:
    """Splink on the same cleaned rows, trained on them, at the best threshold by the labels."""
    from bench.identity.plain import best

    settings = read_settings(SETTINGS)
    with opened() as runner:
        labelled = read(runner, folder / f"{on}.parquet", "truth", settings, settings.linkage_of("people"), None)
        started = time.process_time()
        figures = best(runner, labelled, settings.plain)
    spent = {"cpu_s": round(time.process_time() - started, 1), "peak_mb": round(peak_mb())}
    return {**figures, **spent, "wrongly_placed_ratio": round(figures["wrongly_placed"] / labelled.truth.num_rows, 5)}


def _step(arguments: argparse.Namespace, name: str) -> Figures:
    """One step in a process of its own."""
    counts = ["--records", str(arguments.records), "--delta", str(arguments.delta)]
    command = [
        sys.executable,
        "-m",
        "bench.identity_growth",
        *counts,
        "--folder",
        str(arguments.folder),
        "--step",
        name,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(arguments: argparse.Namespace) -> Figures:
    """All steps, one after the other."""
    _step(arguments, "prepare")
    whole = _step(arguments, "whole")
    whole = {**_step(arguments, "truthful"), **whole}
    grown, rebuilt = _step(arguments, "grown"), _step(arguments, "rebuilt")
    after = grown.pop("written")
    differing = [name for name, parts in rebuilt.pop("written").items() if after[name] != parts]
    del whole["written"]
    found = {
        "records": arguments.records,
        "delta": arguments.delta,
        **whole,
        "delta_night": grown,
        "full_rebuild": rebuilt,
    }
    found |= {"is_same_as_rebuild": not differing, "differing_tables": differing}
    return found if arguments.no_plain else {**found, "plain": _step(arguments, "plain")}


STEPS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "prepare": lambda asked: prepare(asked.folder, asked.records, asked.delta),
    "whole": lambda asked: night(asked.folder, FIRST, is_full=True, keep=True),
    "truthful": lambda asked: truthful(asked.folder, FIRST),
    "grown": lambda asked: night(asked.folder, SECOND, is_full=False, keep=True),
    "rebuilt": lambda asked: night(asked.folder, SECOND, is_full=True, keep=False),
    "plain": lambda asked: plain(asked.folder, FIRST),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Identity of a large base, and of the night on which it grows.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--delta", type=int, default=10_000)
    parser.add_argument("--no-plain", action="store_true", help="leave plain Splink out")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(STEPS[arguments.step](arguments)))
        return
    with tempfile.TemporaryDirectory(prefix="vesper-growth-") as folder:
        arguments.folder = Path(folder) / "workspace"
        result = measured(arguments)
    Console(stderr=arguments.json).print(result)
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
