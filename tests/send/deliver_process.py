"""A delivery as a process of its own, to be killed: `python -m tests.send.deliver_process ROOT SERVER PEOPLE`.

Plans on the first start, finds its plan again on the next, says `ready` when it begins to deliver and `done` when nothing is left.
"""

import sys
from pathlib import Path

from tests.send.company import campaign, definitions, delivered, messages, people, planned, workspace
from vesper.model.workspace import Mail
from warehouse.ledger.engine import open_ledger

CAMPAIGNS = tuple(campaign(id) for id in "abc")


def run(root: Path, server: str, count: int) -> None:
    """Three campaigns to everybody: the cap moves the third mail of each person to the next day."""
    persons = people(count)
    ledger = open_ledger(f"sqlite:///{root / '.vesper' / 'ledger.db'}")
    known = definitions(*CAMPAIGNS)
    if not messages(ledger):
        planned(ledger, known, root, persons)
    print("ready", flush=True)
    delivered(ledger, known, workspace(root, mail=Mail(server=server)), persons, days=3)
    print("done", flush=True)
    ledger.dispose()


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
