"""An erasure as a process of its own, to be killed: `python -m tests.ops.erase_process ROOT WHO`; without WHO it finishes what was left."""

import sys
from pathlib import Path

from tasks.erase import erase, finish_erasures
from warehouse.house import House
from warehouse.lock import run_lock


def finish(root: Path) -> list[str]:
    """What every stage does when it takes the run lock."""
    house = House.open(root)
    try:
        with run_lock(house.workspace.store):
            house.tidy()
            return finish_erasures(house)
    finally:
        house.close()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        erase(Path(sys.argv[1]), sys.argv[2], "anna", "本人要求删除")
    else:
        finish(Path(sys.argv[1]))
