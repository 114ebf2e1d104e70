"""The process between two nights: a form's paper is intended and sent, whatever is killed, and nothing heavy is loaded for it."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.tick_company import forms, made
from tasks.tick import Moment, Tick
from tests.intake.conftest import HOUSE, Company, Found
from vesper.clock import now
from warehouse.house import House
from warehouse.ledger.engine import connect, reading
from warehouse.ledger.inbox import append, append_all
from warehouse.ledger.journey_schema import JOURNEY_ENTRY
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.send_schema import INBOX
from warehouse.lock import run_lock

PATIENCE_SECONDS = 120


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A company that answers forms, without a night."""
    return made(tmp_path / "company", 0)


@pytest.fixture
def started(company: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts its tick; every one ends with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        log = (company / "tick.log").open("ab")
        running.append(
            subprocess.Popen([sys.executable, "-m", "intake.tick", str(company)], cwd=HOUSE, stdout=log, stderr=log)
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def ledger_of(company: Path) -> sa.Engine:
    return connect(f"sqlite:///{company / '.vesper' / 'ledger.db'}")


def until(is_so: Callable[[], bool], company: Path) -> None:
    """Wait for something that must come."""
    over_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < over_at, (company / "tick.log").read_text()
        time.sleep(0.1)


def all_of(engine: sa.Engine, column: sa.Column[object]) -> list[object]:
    with reading(engine) as connection:
        return list(connection.scalars(sa.select(column)))


@pytest.mark.requirement("R74")
def test_who_asks_for_a_paper_gets_it(company: Path, started: Callable[[], subprocess.Popen[bytes]]) -> None:
    started()
    engine = ledger_of(company)
    with engine.begin() as connection:
        append_all(connection, forms(3, 0))
    sink = company / ".vesper" / "sink"
    until(lambda: all_of(engine, MESSAGE.c.state) == ["accepted"] * 3, company)
    assert sorted(all_of(engine, MESSAGE.c.inbox_id)) == [1, 2, 3]
    assert len(list(sink.glob("*.eml"))) == 3
    assert all(all_of(engine, INBOX.c.handled_at))
    engine.dispose()


@pytest.mark.requirement("R74")
def test_while_a_night_holds_the_workspace_a_form_is_answered_all_the_same(
    company: Path, started: Callable[[], subprocess.Popen[bytes]]
) -> None:
    engine = ledger_of(company)
    with run_lock(company / ".vesper"):
        started()
        with engine.begin() as connection:
            append_all(connection, forms(1, 0))
        until(lambda: all_of(engine, MESSAGE.c.inbox_id) == [1], company)
    engine.dispose()


@pytest.mark.requirement("R74")
def test_killed_again_and_again_every_form_has_one_message(
    company: Path, started: Callable[[], subprocess.Popen[bytes]]
) -> None:
    engine = ledger_of(company)
    for number, form in enumerate(forms(60, 0)):
        with engine.begin() as connection:
            append(connection, form)
        if number % 20 == 0:
            process = started()
            time.sleep(2 + number / 20)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    started()
    until(lambda: len(set(all_of(engine, MESSAGE.c.inbox_id))) == 60, company)
    assert Counter(all_of(engine, MESSAGE.c.inbox_id)).most_common(1)[0][1] == 1
    assert len(all_of(engine, JOURNEY_ENTRY.c.contact_id)) == 60
    sent = Counter(file.name.split(".")[0] for file in (company / ".vesper" / "sink").glob("*.eml"))
    assert not sent or sent.most_common(1)[0][1] == 1
    engine.dispose()


@pytest.mark.requirement("R74")
def test_there_is_one_tick_and_it_ends_when_told(company: Path, started: Callable[[], subprocess.Popen[bytes]]) -> None:
    first = started()
    lock = company / ".vesper" / "tick.lock"
    until(lambda: lock.exists(), company)
    time.sleep(1)
    assert started().wait(PATIENCE_SECONDS) == 1
    first.terminate()
    assert first.wait(PATIENCE_SECONDS) == 0


@pytest.mark.requirement("R74")
def test_a_turn_that_fails_is_done_again_and_nothing_is_handled_before_it_went_well(found: Found) -> None:
    company: Company = found()
    with company.engine.begin() as connection:
        append_all(connection, forms(2, 0))
    house = House.open(company.root)
    calls = []

    def failing(moment: Moment, people: object) -> dict[str, int]:
        calls.append(people)
        if len(calls) == 1:
            raise RuntimeError("planted")
        return {"messages": 2}

    tick = Tick(house, failing)
    with pytest.raises(RuntimeError):
        tick.plan(now())
    assert tick.has_arrivals()
    assert tick.plan(now()).figures == {"messages": 2}
    assert calls[0] == calls[1] and len(calls[0]) == 2  # type: ignore[arg-type]
    assert not tick.has_arrivals() and not tick.plan(now()).is_work
    house.close()


@pytest.mark.requirement("R74")
def test_a_form_that_comes_while_a_turn_begins_is_the_next_turns(company: Path) -> None:
    """The turn plays an instant that is before the form: were it handled then, nobody would send its paper."""
    house = House.open(company)
    tick, before = Tick(house), now()
    with house.engine.begin() as connection:
        append_all(connection, forms(1, 0))
    assert not tick.plan(before).is_work and tick.has_arrivals()
    assert tick.plan(now()).figures["messages"] == 1 and not tick.has_arrivals()
    house.close()


def test_the_tick_loads_neither_prefect_nor_great_expectations(company: Path) -> None:
    """Not even for a turn with work: what costs seconds of CPU has no place in a process that idles for months. pandas comes with the first
    Arrow table, which is pyarrow's own doing."""
    program = (
        "import sys, threading; from pathlib import Path; import intake.tick; from tasks.tick import Tick; from warehouse.house import House\n"
        "from bench.tick_company import forms; from warehouse.ledger.inbox import append_all; from vesper.clock import now\n"
        "print(*sorted({'prefect', 'pandas', 'great_expectations'} & sys.modules.keys()))\n"
        "house = House.open(Path(sys.argv[1])); tick = Tick(house)\n"
        "c = house.engine.connect(); t = c.begin(); append_all(c, forms(2, 0)); t.commit(); c.close()\n"
        "assert tick.plan(now()).figures['messages'] == 2; assert sum(tick.send(threading.Event()).sent.outcomes.values()) == 2; tick.tell_sales()\n"
        "print(*sorted({'prefect', 'great_expectations'} & sys.modules.keys()))"
    )
    seen = subprocess.run(
        [sys.executable, "-c", program, str(company)], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert (seen.returncode, seen.stdout.strip()) == (0, ""), seen.stderr


def test_a_simulated_clock_has_no_tick(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text(
        '[company]\nname = "x"\n[clock]\nmode = "simulated"\nsimulated_on = 2018-01-01\n', encoding="utf-8"
    )
    seen = subprocess.run(
        [sys.executable, "-m", "intake.tick", str(tmp_path)], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert seen.returncode == 1 and "live clock" in seen.stdout
