"""`python -m bench.night [--json] [--runs N] [--households N]`: what the grocer's night costs, beside the same tables written by hand in SQL.
`python -m bench.night --contacts N --events N --segments N [--json]`: measure, score and segment of a large invented company instead (`scale/`).
`python -m bench.night --contacts 10000000 --events 100000000 --stages-only --json`: the same two nights of Vesper alone, stage by stage.

What belongs here: which nights run, in processes of their own, and what is made of the figures. What does not: counting inside a process
(`one_night.py`), the other side (`by_hand/`), the comparison of tables (`verify.py`). Figures and how to read them: docs/benchmarks.md.
"""

import argparse
import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.scale.night import SIDES, alone, large
from bench.verify import NOT_BY_HAND, differences, key_figures
from bench.workspaces import copied, grocer, last_line

NIGHT = dt.date(2018, 1, 1)
NIGHT_BEFORE = NIGHT - dt.timedelta(days=1)
SIZES = (600, 1200)
COMPUTE = ("duckdb", "python")
Figures = dict[str, Any]


def night(root: Path, on: dt.date = NIGHT) -> Figures:
    """One night of Vesper in a workspace."""
    sends = ["--may-send"] if on == NIGHT else []
    found: Figures = json.loads(last_line("-m", "bench.one_night", str(root), on.isoformat(), *sends))
    if found["prefect"]:
        raise RuntimeError("a night without a server imported Prefect")
    return found


def by_hand(root: Path, out: Path) -> Figures:
    """The same tables without Vesper."""
    found: Figures = json.loads(last_line("-m", "bench.by_hand", str(root / ".vesper" / "landing"), str(out)))
    return found


def spent(found: Figures, *kinds: str) -> float:
    """CPU seconds of some kinds over all stages."""
    return float(sum(stage[kind] for stage in found["cpu_s"].values() for kind in kinds))


def least(runs: list[Figures]) -> Figures:
    """The run that cost least: what other work on the machine adds is not the program's."""
    return min(
        runs,
        key=lambda run: (
            spent(run, *COMPUTE) if isinstance(next(iter(run["cpu_s"].values())), dict) else sum(run["cpu_s"].values())
        ),
    )


def measured(folder: Path, households: int | None, runs: int) -> Figures:
    """First load, next night and the other side, in fresh workspaces; RuntimeError when the two sides' tables differ."""
    landed = grocer(folder / "landed", households)
    first, hand, following = [], [], []
    for number in range(runs):
        root, out = copied(landed, folder / f"first{number}"), folder / f"hand{number}"
        first.append(night(root))
        hand.append(by_hand(root, out))
        apart = differences(root, NIGHT, out)
        if apart:
            raise RuntimeError("the tables written by hand are not Vesper's:\n" + "\n".join(apart))
        figures = key_figures(out)
        shutil.rmtree(root)
        root = copied(landed, folder / f"following{number}")
        night(root, NIGHT_BEFORE)
        following.append(night(root))
        shutil.rmtree(root)
    return {
        "first": least(first),
        "following": least(following),
        "hand": least(hand),
        "key_figures": figures,
        "pairs": [
            round(spent(one, *COMPUTE) / sum(other["cpu_s"].values()), 3)
            for one, other in zip(first, hand, strict=True)
        ],
    }


def grown(folder: Path, households: int | None, first: Figures) -> list[Figures]:
    """CPU of a first load by number of households, whole and by stage."""
    most = households or 2469
    runs = [(size, night(grocer(folder / f"of{size}", size))) for size in SIZES if size < most]
    return [
        {
            "households": size,
            "compute_cpu_s": round(spent(run, *COMPUTE), 2),
            "gate_cpu_s": round(spent(run, "gate"), 2),
            **{stage: round(sum(kinds[kind] for kind in COMPUTE), 2) for stage, kinds in run["cpu_s"].items()},
        }
        for size, run in [*runs, (most, first)]
    ]


def summary(found: Figures, growth: list[Figures]) -> Figures:
    """The one JSON object of the command. Seconds are CPU seconds, but for `wall_s`."""
    first, following, hand = found["first"], found["following"], found["hand"]
    compute, hand_cpu = spent(first, *COMPUTE), sum(hand["cpu_s"].values())
    handover = sum(first["cpu_s"]["handover"][kind] for kind in COMPUTE)
    return {
        "ratio_to_hand_written": round(compute / hand_cpu, 3),
        "ratio_of_each_pair": found["pairs"],
        "ratio_without_handover": round((compute - handover) / hand_cpu, 3),
        "ratio_with_gate": round((compute + spent(first, "gate")) / hand_cpu, 3),
        "ratio_with_gate_mail_and_page": round((compute + spent(first, "gate", "mail", "page")) / hand_cpu, 3),
        "cpu_s": {"first": _rounded(first), "following": _rounded(following), "by_hand": _rounded(hand)},
        "compute_cpu_s": round(compute, 2),
        "handover_cpu_s": round(handover, 2),
        "not_by_hand": sorted(NOT_BY_HAND),
        "gate_cpu_s": round(spent(first, "gate"), 2),
        "by_hand_cpu_s": round(hand_cpu, 2),
        "import_cpu_s": {
            "vesper": round(spent(first, "imports"), 2),
            "great_expectations": round(spent(first, "gx_import"), 2),
            "by_hand": round(hand["import_cpu_s"], 2),
        },
        "wall_s": {
            "first": round(first["wall_s"], 1),
            "following": round(following["wall_s"], 1),
            "by_hand": round(hand["wall_s"], 1),
        },
        "peak_mb": {
            "first": round(first["peak_mb"]),
            "following": round(following["peak_mb"]),
            "by_hand": round(hand["peak_mb"]),
        },
        "next_night_share": round(spent(following, *COMPUTE) / compute, 3),
        "checks": first["checks"],
        "growth": growth,
        "key_figures": found["key_figures"],
        "tables_equal": True,
    }


def _rounded(found: Figures) -> Figures:
    return {
        stage: {kind: round(cpu, 2) for kind, cpu in kinds.items()} if isinstance(kinds, dict) else round(kinds, 2)
        for stage, kinds in found["cpu_s"].items()
    }


def show(console: Console, result: Figures) -> None:
    """The figures for people."""
    for title, name in (("First load", "first"), ("The next night", "following")):
        _show_night(console, title, result["cpu_s"][name])
    grown = Table(
        "households",
        "compute",
        "gate",
        *list(result["growth"][0])[3:],
        title="How cost grows, CPU seconds of a first load",
    )
    for row in result["growth"]:
        grown.add_row(*[str(cell) for cell in row.values()])
    console.print(grown)
    console.print(
        f"By hand {result['by_hand_cpu_s']} s; Vesper's compute {result['compute_cpu_s']} s is {result['ratio_to_hand_written']} x, "
        f"with the gate {result['ratio_with_gate']} x. The next night costs {result['next_night_share']:.0%} of the first load."
    )


def _show_night(console: Console, title: str, cpu: Figures) -> None:
    kinds = list(next(iter(cpu.values())))
    table = Table("stage", *kinds, title=f"{title}, CPU seconds")
    for stage, row in cpu.items():
        table.add_row(stage, *[f"{row[kind]:.2f}" for kind in kinds])
    table.add_row("all", *[f"{sum(row[kind] for row in cpu.values()):.2f}" for kind in kinds])
    console.print(table)


def show_large(chosen: argparse.Namespace) -> None:
    """Run the large company, and print what came of it."""
    events = chosen.events or 20 * chosen.contacts
    sides, growth = tuple(chosen.sides), tuple(chosen.growth)
    with tempfile.TemporaryDirectory(prefix="vesper-bench-") as name:
        folder = Path(name) / "large"
        if chosen.stages_only:
            result = alone(folder, chosen.contacts, events, chosen.segments)
        else:
            result = large(folder, chosen.contacts, events, chosen.segments, sides, growth)
    if chosen.json:
        print(json.dumps(result))
    else:
        Console().print_json(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the grocer's night costs, beside the same tables by hand.")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--runs", type=int, default=1, help="repeat, and take the run that cost least")
    parser.add_argument("--households", type=int, help="a small grocer instead of all 2,469 households")
    parser.add_argument("--contacts", type=int, help="a large invented company instead of the grocer")
    parser.add_argument("--events", type=int, help="its events; 20 for each contact where it is missing")
    parser.add_argument("--segments", type=int, default=50, help="its segments")
    parser.add_argument("--sides", nargs="*", default=SIDES, choices=SIDES, help="whom it is compared with")
    parser.add_argument("--stages-only", action="store_true", help="Vesper alone, stage by stage: CPU and peak memory")
    parser.add_argument("--growth", nargs="*", type=int, default=[], help="further numbers of contacts, Vesper alone")
    chosen = parser.parse_args()
    if chosen.contacts:
        show_large(chosen)
        return
    with tempfile.TemporaryDirectory(prefix="vesper-bench-") as name:
        folder = Path(name)
        found = measured(folder, chosen.households, chosen.runs)
        result = summary(found, grown(folder, chosen.households, found["first"]))
    show(Console(stderr=chosen.json), result)
    if chosen.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
