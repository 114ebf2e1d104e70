"""Sending between nights: what is due now, by the workspace's own clock, to contacts as they stand now.

What belongs here: one run in this process, and several processes side by side. What does not: the run itself (`delivery.py`).
"""

import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

from tasks.delivery import DeliveryReport, Letters, deliver, live
from tasks.inbox import bind_now
from tasks.recommended import recommending_now
from tasks.rollout import versions
from vesper.clock import now
from vesper.language import translator
from vesper.recipient import recipients_of
from vesper.tables.company import COMPANY
from warehouse.house import House
from warehouse.ledger.coupon import held_by
from warehouse.ledger.link import keep_links
from warehouse.runner import Runner


def deliver_now(house: House, connections: int | None = None, ending: threading.Event | None = None) -> DeliveryReport:
    """Send what is due now on the live clock. Several processes may do so at once: the ledger gives each message to one of them."""
    with Runner(house.lake) as runner:
        night = house.night(house.business_on())
        bind_now(house, runner, night)  # people as they stand now: a form of today has an address
        runner.bind_snapshot(COMPANY, house.lake.in_force(COMPANY.name))
        letters = Letters(
            house.workspace,
            house.definitions,
            lambda ids: runner.rows(recipients_of(ids)),
            versions(house.engine),
            partial(held_by, house.engine),
            partial(keep_links, house.engine),
            recommending_now(house, runner, night),
        )
        wanted = connections or house.workspace.mail.connections
        return deliver(house.engine, house.workspace, house.definitions, letters, now(), live(), wanted, ending=ending)


def deliver_side_by_side(root: Path, workers: int, connections: int | None = None) -> list[int]:
    """Send what is due now with several processes of several connections each; returns their exit codes."""
    command = [sys.executable, "-m", "tasks.send_now", str(root), str(connections or 0)]
    started = [subprocess.Popen(command) for _ in range(workers)]
    return [process.wait() for process in started]


def main(root: str, connections: str = "0") -> None:
    """One worker process: sends what is due and says what became of it. SIGTERM and Ctrl-C let it finish the mails on its wires."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    house = House.open(Path(root))
    try:
        report = deliver_now(house, int(connections) or None, ending)
        _ = translator(house.workspace.company.language)
        counts = ", ".join(f"{name} {count}" for name, count in sorted(report.outcomes.items())) or "0"
        print("\n".join([_("Messages: {counts}").format(counts=counts), *report.warnings(_)]), flush=True)
    finally:
        house.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
