"""One worker of the bench, to be killed: `python -m bench.send_crash.worker ROOT LEDGER SERVER PEOPLE CONNECTIONS LEASE`.

What belongs here: one run of `tasks.delivery.deliver` on a small company. What does not: planning, killing, counting (`workers.py`).
"""

import datetime as dt
import sys
from pathlib import Path

from tasks.delivery import Letters, deliver, live
from tests.send.company import campaign, definitions, frequency, looking_up, people, workspace
from vesper.clock import now
from vesper.definition_set import DefinitionSet
from vesper.model.workspace import Clock, Mail, Workspace
from warehouse.ledger.engine import connect

PLANNED_ON = now().date() - dt.timedelta(days=2)


def company(root: Path, server: str) -> tuple[Workspace, DefinitionSet]:
    """A live workspace whose one campaign may send at any hour."""
    known = definitions(
        campaign(starts_on=PLANNED_ON, ends_on=PLANNED_ON + dt.timedelta(days=30), max_people=10**9),
        policy=frequency(windows={}, quiet_hours=None),
    )
    return workspace(root, clock=Clock(), mail=Mail(server=server)), known


def main(root: str, ledger: str, server: str, count: str, connections: str, lease: str) -> None:
    """Send what is due, and end when nothing is."""
    space, known = company(Path(root), server)
    letters = Letters(space, known, looking_up(people(int(count))))
    engine = connect(ledger)
    print("ready", flush=True)
    wait = dt.timedelta(seconds=float(lease))
    report = deliver(engine, space, known, letters, now(), live(), int(connections), wait)
    print(f"done {dict(report.outcomes)}", *report.problems, flush=True)
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
