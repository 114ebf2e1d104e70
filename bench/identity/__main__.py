"""`python -m bench.identity RECORDS --truth COLUMN --settings FILE [--part A|B] [--json]`: Vesper and plain Splink on a labelled file.

What belongs here: the command, each side in a process of its own so that CPU and memory are its own. Both sides train on the file, without labels.
`--part` takes half of the persons: A where the first hexadecimal digit of the MD5 of the truth is below 8, B the rest. Settings are chosen on A
and reported on B.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.identity.file import opened, read, read_settings
from bench.identity.quality import aligned, quality
from bench.memory import peak_mb

SIDES = ("ours", "plain")


def ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """Vesper's figures, and the ceiling that blocking leaves to any decision."""
    from bench.identity.ours import clustered, linked, reached

    settings = read_settings(arguments.settings)
    linkage = settings.linkage_of(arguments.settings.stem)
    with opened() as runner:
        labelled = read(runner, arguments.records, arguments.truth, settings, linkage, arguments.part)
        started = time.process_time()
        links, unlike, must = linked(runner, labelled, linkage)
        labels = clustered(labelled, links, unlike, must, linkage)
        spent = {"cpu_s": round(time.process_time() - started, 1), "peak_mb": round(peak_mb())}
        figures = quality(*aligned(labels, labelled.truth))
        share, perfect = reached(labelled, links)
        ceiling = quality(*aligned(perfect, labelled.truth))
    reach = {"blocking_reach": round(share, 5), "blocking_ceiling": ceiling["f1"], "blocking_recall": ceiling["recall"]}
    return {"records": labelled.truth.num_rows, **figures, **reach, **spent, "pairs": links.num_rows}


def plain(arguments: argparse.Namespace) -> dict[str, Any]:
    """Splink's figures."""
    from bench.identity.plain import best

    settings = read_settings(arguments.settings)
    linkage = settings.linkage_of(arguments.settings.stem)
    with opened() as runner:
        labelled = read(runner, arguments.records, arguments.truth, settings, linkage, arguments.part)
        started = time.process_time()
        figures = best(runner, labelled, settings.plain)
    return {**figures, "cpu_s": round(time.process_time() - started, 1), "peak_mb": round(peak_mb())}


def in_own_process(side: str) -> dict[str, Any]:
    """One side's figures, from a process of its own."""
    command = [sys.executable, "-m", "bench.identity", *sys.argv[1:], "--side", side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Identity resolution on a labelled file, beside plain Splink.")
    parser.add_argument("records", type=Path, help="csv or parquet")
    parser.add_argument("--truth", required=True, help="column that says which rows are one person")
    parser.add_argument("--settings", type=Path, required=True, help="a file of bench/identity_settings")
    parser.add_argument("--part", choices=("A", "B"), help="half of the persons")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(ours(arguments) if arguments.side == "ours" else plain(arguments)))
        return
    result = {**in_own_process("ours"), "plain": in_own_process("plain"), "part": arguments.part}
    result |= {"file": arguments.records.name, "settings": arguments.settings.name}
    Console(stderr=arguments.json).print(result)
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
