"""A night's hand-over as a process of its own, to be killed: `python -m tests.handover.night_process ROOT MAIL_SERVER PEOPLE`.

Says `ready` when it begins, and `done` when nothing is left.
"""

import sys
from pathlib import Path

from tests.handover.world import SETTINGS, Company, policy, representative

TEAM = 30


def run(root: Path, server: str, count: int) -> None:
    """Everybody is ready; each of thirty representatives gets a mail of their own."""
    root.mkdir(parents=True, exist_ok=True)
    team = {f"r{n:02}": representative("安", email=f"r{n:02}@example.com") for n in range(TEAM)}
    company = Company(root, policy(team=team), SETTINGS + f'\n[mail]\nserver = "{server}"\n')
    print("ready", flush=True)
    company.night({f"c{n:03}": 80 + n % 20 for n in range(count)})
    print("done", flush=True)
    company.house.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
