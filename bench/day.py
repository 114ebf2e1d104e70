"""`python -m bench.day [--each 4] [--json]`: a day for real, of S1's coupon and S3's tables 2 and 3, and what the simulated engine says of it.

What belongs here: the order of the day, and comparing. What does not: the company (`day_company.py`), what people do (`day_people.py`), the
simulated day (`day_simulated.py`).

Real are: the clock, the night before on a lake of its own (it lets in the readers of large companies and who ordered three times), the tick as a
process, the web app as a process, a mail server as a third, every mail, the inbox, the ledger. Compressed are the journeys' own waits: three
and seven days are one minute, by their definitions; a day of 24 hours is not waited for. Nothing is patched.

Compared are, for every person: entry and end of each journey, every step with its instant and outcome, messages, coupons, tasks. Beside that the
server's mails are counted: each accepted message once, and no person with more marketing than the cap.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from rich.console import Console

from bench.day_company import made
from bench.day_people import SCANNED, Town, everybody
from bench.day_simulated import Happened, simulated
from bench.loopback import mail_server
from tasks.sql import run_sql
from tests.intake.conftest import free_port
from vesper.clock import now
from vesper.load import read_workspace
from warehouse.ledger.engine import connect, reading
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INBOX

REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS, LOOK_SECONDS, CAP = 300, 0.5, 2
E, V, T, C, M = JOURNEY_ENTRY.c, JOURNEY_VISIT.c, NURTURE_TASK.c, COUPON.c, MESSAGE.c
COMPARED = {
    "entries": sa.select(E.journey_id, E.contact_id, E.occurrence, E.entered_at, E.state, E.reason, E.step_id),
    "steps": sa.select(V.journey_id, V.contact_id, V.occurrence, V.number, V.step_id, V.at, V.outcome),
    "messages": sa.select(M.message_id, M.campaign_id, M.contact_id, M.step_id, M.purpose, M.content_id),
    "tasks": sa.select(T.task_id, T.journey_id, T.contact_id, T.kind, T.owner, T.is_open),
    "coupons": sa.select(C.pool_id, C.contact_id, C.reference).where(C.contact_id.is_not(None)),
}
"""What is compared, row by row. Codes are left out: they are made of the company's own key."""
WAYS = {
    "coupon_after_view: done at reminder",
    "coupon_after_view: goal at three_days",
    *[f"paper_after_form: done at {step}" for step in ("call", "case_study", "once_more")],
    "paper_after_form: exited at two_clicks",
    *[f"large_reader_demo: done at {step}" for step in ("is_closed", "invitation")],
    *[f"upgrade_offer: done at {step}" for step in ("has_clicked", "trial")],
}
"""How journeys must have ended for somebody, or the day showed too little."""


def rows_of(engine: sa.Engine) -> dict[str, Counter[tuple[Any, ...]]]:
    """Everything that is compared, as a ledger holds it."""
    with reading(engine) as connection:
        return {name: Counter(tuple(row) for row in connection.execute(chosen)) for name, chosen in COMPARED.items()}


@contextlib.contextmanager
def running(root: Path, port: int) -> Iterator[None]:
    """The tick and the web app of a workspace, as processes."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((root / "day.log").open("wb"))
        for module in ("intake.serve", "intake.tick"):
            command = [sys.executable, "-m", module, str(root)]
            process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY))
            stack.callback(process.terminate)
        until(partial(answers, port), "the web app never answered", root)
        yield


def answers(port: int) -> bool:
    """Whether the web app is there."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=2).ok
    except requests.ConnectionError:
        return False


def until(is_so: Callable[[], bool], otherwise: str, root: Path) -> None:
    """Wait for something that must come. Raises TimeoutError with the end of the log."""
    over_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > over_at:
            raise TimeoutError(f"{otherwise}\n{(root / 'day.log').read_text(encoding='utf-8')[-2000:]}")
        time.sleep(LOOK_SECONDS)


def is_over(engine: sa.Engine) -> bool:
    """Whether nobody is on a journey, nothing waits in the inbox, and every message that may go has gone."""
    waits = sa.select(sa.literal(1)).where(M.state.in_(("planned", "claimed", "sending")), M.not_before <= now())
    active = sa.select(sa.literal(1)).where(E.state == "active")
    arrived = sa.select(sa.literal(1)).where(INBOX.c.handled_at.is_(None))
    with reading(engine) as connection:
        return not any(connection.execute(one.limit(1)).first() for one in (waits, active, arrived))


def contacts(root: Path, engine: sa.Engine) -> dict[str, str]:
    """Contact ids by mail address: those of the night, and those that forms brought since."""
    known = dict(run_sql(root, "select email, contact_id from core__contact where email is not null")[1])
    with reading(engine) as connection:
        rows = connection.execute(sa.select(INBOX.c.payload, INBOX.c.contact_id).where(INBOX.c.contact_id.is_not(None)))
        said = {json.loads(row.payload).get("email"): row.contact_id for row in rows}
    return {email: id for email, id in (said | known).items() if email}


def wire(engine: sa.Engine, sink: Path) -> dict[str, Any]:
    """What the server has, against what the ledger says was accepted."""
    arrived = Counter(file.name.split(".")[0] for file in sink.glob("*.eml"))
    with reading(engine) as connection:
        messages = connection.execute(sa.select(M.message_id, M.contact_id, M.purpose, M.state)).all()
    accepted = {row.message_id for row in messages if row.state == "accepted"}
    marketing = Counter(row.contact_id for row in messages if row.purpose == "marketing" and arrived[row.message_id])
    return {
        "mails": sum(arrived.values()),
        "mails_twice": sum(count - 1 for count in arrived.values()),
        "accepted_but_absent": len(accepted - arrived.keys()),
        "there_but_not_accepted": len(arrived.keys() - accepted),
        "people_over_the_cap": sum(count > CAP for count in marketing.values()),
        "message_states": dict(sorted(Counter(row.state for row in messages).items())),
    }


def day(root: Path, each: int) -> dict[str, Any]:
    """The whole of it: night, morning, answers, waits, comparison."""
    people, port, sink = everybody(each), free_port(), root / "sink"
    started = time.monotonic()
    with mail_server(sink) as mail:
        on, texts = made(root / "company", people, mail, port)
        company = root / "company"
        workspace = read_workspace(company)
        zone, engine = workspace.company.zone, connect(workspace.ledger_url)
        night_s = time.monotonic() - started
        known = partial(contacts, company, engine)
        town = Town(company, engine, sink, people, f"http://127.0.0.1:{port}", known)
        with running(company, port):
            town.morning()
            until(lambda: len(known()) >= len(people), "not everybody became a contact", company)
            town.answers()
            until(lambda: is_over(engine), "somebody is on the way for ever", company)
            ended_at = now()
    ids = known()
    happened = Happened.in_ledger(engine, zone, {ids[one.email] for one in town.of(SCANNED)})
    expected = simulated(root, zone, on, texts, [(ids[one.email], one) for one in people], happened, ended_at)
    found = compared(rows_of(engine), rows_of(expected), {id: email for email, id in ids.items()})
    result = {"people": len(people), **found, **wire(engine, sink)}
    for one in (engine, expected):
        one.dispose()
    return result | {"night_s": round(night_s, 1), "wall_s": round(time.monotonic() - started, 1)}


def compared(
    real: dict[str, Counter[tuple[Any, ...]]], played: dict[str, Counter[tuple[Any, ...]]], names: dict[str, str]
) -> dict[str, Any]:
    """How many rows of each kind there are, and the first that differ; people by their address, which is made up."""

    def told(row: tuple[Any, ...]) -> str:
        return " · ".join(names.get(str(value), str(value)) for value in row)

    differences = [
        f"{name}, {side}: {told(row)}"
        for name in COMPARED
        for side, rows in (("only real", real[name] - played[name]), ("only simulated", played[name] - real[name]))
        for row in sorted(rows.elements(), key=str)
    ]
    ends = Counter(f"{row[0]}: {row[4]} at {row[6]}" for row in real["entries"].elements())
    return {
        **{name: sum(real[name].values()) for name in COMPARED},
        "ends": dict(sorted(ends.items())),
        "ways_not_taken": sorted(WAYS - ends.keys()),
        "differences": len(differences),
        "first_differences": differences[:20],
    }


def main() -> int:
    """Exit code 1 when the real day is not the simulated one, or the wire not the ledger."""
    asked = argparse.ArgumentParser(description="A day for real beside a simulated one.")
    asked.add_argument("--each", type=int, default=4, help="people of each of the seventeen kinds")
    asked.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="vesper-day-") as folder:
        result = day(Path(folder), chosen.each)
    wrong = (
        "ways_not_taken",
        "differences",
        "mails_twice",
        "accepted_but_absent",
        "there_but_not_accepted",
        "people_over_the_cap",
    )
    is_good = not any(result[name] for name in wrong)
    Console(stderr=chosen.json).print(result | {"is_good": is_good})
    if chosen.json:
        print(json.dumps(result | {"is_good": is_good}))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
