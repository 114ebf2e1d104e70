"""One worker of the bench, to be killed: `python -m bench.send_crash.worker ROOT LEDGER SERVER PEOPLE CONNECTIONS LEASE [CHANNEL]`.

What belongs here: one run of `tasks.delivery.deliver` on a small company. What does not: planning, killing, counting (`workers.py`).
"""

import datetime as dt
import sys
from pathlib import Path

from bench.send_crash.wire import WIRES
from tasks.delivery import Letters, deliver, live
from vesper.clock import now
from warehouse.ledger.engine import connect


def main(root: str, ledger: str, server: str, count: str, connections: str, lease: str, channel: str = "email") -> None:
    """Send what is due, and end when nothing is."""
    wire = WIRES[channel]
    space, known = wire.company(Path(root), server)
    letters = Letters(space, known, wire.look(wire.people(int(count))))
    engine = connect(ledger)
    print("ready", flush=True)
    wait = dt.timedelta(seconds=float(lease))
    report = deliver(engine, space, known, letters, now(), live(), int(connections), wait)
    print(f"done {dict(report.outcomes)}", *report.problems, flush=True)
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
