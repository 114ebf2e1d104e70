"""Two nights of a large invented company: Vesper beside hand-written DuckDB SQL, Polars and pandas.

What belongs here: which processes run, whether they agree, and what is made of their figures. What does not: the sides themselves, and showing the
figures (`bench/night.py`). A side is a process of its own and writes its tables as Parquet, in the order of their keys, flushed to disk.
"""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

from bench.scale.compare import apart_from, facts
from bench.scale.data import FIRST, NEXT
from bench.scale.ours import LOADING, compute
from bench.workspaces import last_line

SIDES = ("by_hand", "in_polars", "in_pandas")
Figures = dict[str, Any]


def large(
    folder: Path,
    contacts: int,
    events: int,
    segments: int,
    sides: tuple[str, ...] = SIDES,
    growth: tuple[int, ...] = (),
) -> Figures:
    """All figures of one size, and Vesper's alone of others; RuntimeError when two sides differ in a row."""
    root, data = _company(folder / "company", contacts, events, segments)
    first = _ours(root, FIRST)
    others = {side: _other(side, root, FIRST, folder, segments) for side in sides}
    following = _ours(root, NEXT)
    hand = _other("by_hand", root, NEXT, folder, segments, folder / f"by_hand-{FIRST}") if "by_hand" in sides else None
    shutil.rmtree(folder)
    return {
        "contacts": contacts,
        "events": data["rows"]["core__event"],
        "segments": segments,
        "rows": first["rows"],
        "largest_correlation": data["largest_correlation"],
        **_ratios(first, following, others, hand),
        "vesper": {"first": _shown(first), "following": _shown(following)},
        "others": others,
        "by_hand_following": hand,
        "growth": [alone(folder, size, round(size * events / contacts), segments) for size in growth],
        "tables_equal": bool(sides),
    }


def _ratios(first: Figures, following: Figures, others: dict[str, Figures], hand: Figures | None) -> Figures:
    found: Figures = {"next_night_share": round(compute(following) / compute(first), 3)}
    if hand is not None:
        found["ratio_to_hand_written"] = round(compute(first) / others["by_hand"]["cpu_s"], 3)
        found["next_night_to_hand_written"] = round(compute(following) / hand["cpu_s"], 3)
    return found


def _company(root: Path, contacts: int, events: int, segments: int) -> tuple[Path, Figures]:
    root.mkdir(parents=True)
    sizes = ("--contacts", str(contacts), "--events", str(events), "--segments", str(segments))
    found: Figures = json.loads(last_line("-m", "bench.scale.data", str(root), *sizes))
    return root, found


def _ours(root: Path, on: dt.date) -> Figures:
    found: Figures = json.loads(last_line("-m", "bench.scale.ours", str(root), on.isoformat()))
    return found


def _other(side: str, root: Path, on: dt.date, folder: Path, segments: int, before: Path | None = None) -> Figures:
    """A side's night, compared with Vesper's."""
    files, out = folder / f"{side}-{on}.json", folder / f"{side}-{on}"
    files.write_text(json.dumps(facts(root, on, folder)), encoding="utf-8")
    more = ["--before", str(before)] if before else []
    said = last_line(
        "-m", f"bench.scale.{side}", str(files), on.isoformat(), str(out), "--segments", str(segments), *more
    )
    apart = apart_from(root, on, out)
    if apart:
        raise RuntimeError(f"{side} and Vesper do not agree:\n" + "\n".join(apart))
    found: Figures = json.loads(said)
    names = ("cpu_s", "wall_s", "peak_mb", "import_cpu_s")
    return {name: round(found[name], 2) for name in names} | {"by_table": _rounded(found.get("cpu_by_table", {}))}


def alone(folder: Path, contacts: int, events: int, segments: int) -> Figures:
    """Both nights of Vesper alone, compared with nobody's: by table and stage by stage."""
    root, _ = _company(folder / "alone", contacts, events, segments)
    first, following = _ours(root, FIRST), _ours(root, NEXT)
    shutil.rmtree(folder)
    return {
        "contacts": contacts,
        "events": events,
        "segments": segments,
        **_ratios(first, following, {}, None),
        "first": _shown(first),
        "following": _shown(following),
    }


def _shown(found: Figures) -> Figures:
    """The figures of a night of Vesper: CPU seconds, wall seconds, megabytes."""
    every = [(stage, kind, cpu) for stage, kinds in found["cpu_s"].items() for kind, cpu in kinds.items()]
    tables = {stage: sum(kinds.values()) - kinds["gate"] for stage, kinds in found["cpu_s"].items()}
    return {
        "compute_cpu_s": round(compute(found), 2),
        "gate_cpu_s": round(sum(cpu for _, kind, cpu in every if kind == "gate"), 2),
        "import_cpu_s": round(sum(cpu for _, kind, cpu in every if kind in LOADING), 2),
        "wall_s": round(found["wall_s"], 1),
        "peak_mb": _rounded(found["peak_mb"], 0),
        "touched": found["touched"],
        "by_stage": {
            stage: {"cpu_s": _rounded(took["cpu_s"]), "peak_mb": _rounded(took["peak_mb"], 0)}
            for stage, took in found["stages"].items()
        },
        "by_table": _rounded({name: cpu for name, cpu in tables.items() if cpu > 0.005}),
    }


def _rounded(figures: dict[str, float], digits: int = 2) -> dict[str, float]:
    return {name: round(figure, digits) for name, figure in figures.items()}
