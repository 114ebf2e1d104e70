"""Nights of one source in a process of its own, for a test to kill: `python -m tests.sources.kill_process ROOT FIRST LAST`.

It says each night before it begins it, and stays on the line `done` at the end.
"""

import sys
from pathlib import Path

from tests.sources.night_of import OneSource, csv_source, day


def main() -> None:
    company = OneSource(Path(sys.argv[1]), csv_source())
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        print(f"night {number}", flush=True)
        company.night(day(number))
    print("done", flush=True)


if __name__ == "__main__":
    main()
