"""Workers and their speed: who is dead, what becomes of what they held, results that come late, tokens of a provider."""

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.send.machinery import DAY, FREE, START, Worker, all_of, of, put, row
from vesper.clock import now
from warehouse.ledger import rate
from warehouse.ledger.claim import Wanted, claim
from warehouse.ledger.dispatch import Begun, Held, Result, Terms, begin, settle
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.rate import Allowance
from warehouse.ledger.schema import ATTEMPT, TOUCH
from warehouse.ledger.send_schema import WORKER
from warehouse.ledger.session import Session
from warehouse.ledger.worker import Recovered, recover

LEASE = dt.timedelta(minutes=20)
MAIL = Wanted("email", START, 100)

HOLDER = """
import sys, time
from pathlib import Path
from warehouse.ledger.engine import connect
from warehouse.ledger.worker import registered
with registered(connect(sys.argv[1]), Path(sys.argv[2])) as worker_id:
    print(worker_id, flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.requirement("R86")
def test_a_stopped_worker_lives_and_a_killed_one_is_dead(repository: Path, tmp_path: Path) -> None:
    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    put(engine, [row("a", "c1"), row("a", "c2")])
    command = [sys.executable, "-c", HOLDER, str(engine.url), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository, env={**os.environ}) as process:
        assert process.stdout is not None
        holder = process.stdout.readline().strip()
        with Session(engine) as session:
            one, _ = claim(session, holder, MAIL, now() + LEASE)
            begin(session, one, START, Terms(holder, FREE))
        process.send_signal(signal.SIGSTOP)
        assert recover(engine, tmp_path) == Recovered()
        process.kill()
        process.wait()
    assert recover(engine, tmp_path) == Recovered(workers=1, unknown=1, returned=1)
    assert sorted((m.state, m.reason) for m in all_of(engine)) == [("planned", None), ("unknown", "crash")]
    assert list((tmp_path / "workers").iterdir()) == []
    engine.dispose()


def test_what_the_dead_held_comes_back_and_is_taken_once(any_ledger: sa.Engine, tmp_path: Path) -> None:
    put(any_ledger, [row("a", f"c{n}") for n in range(4)])
    dead, living = Worker(any_ledger, tmp_path), Worker(any_ledger, tmp_path)
    with Session(any_ledger) as session:
        held = claim(session, dead.id, Wanted("email", START, 3), now() + LEASE)
        begin(session, held[0], START, Terms(dead.id, FREE))
        mine = claim(session, living.id, MAIL, now() + LEASE)
        begin(session, mine[0], START, Terms(living.id, FREE))
    dead.die()
    assert recover(any_ledger, tmp_path) == Recovered(workers=1, unknown=1, returned=2)
    assert recover(any_ledger, tmp_path) == Recovered()
    assert [(a.outcome, a.code, a.fence) for a in all_of(any_ledger, ATTEMPT)] == [("unknown", "crash", 1)]
    assert len(all_of(any_ledger, TOUCH)) == 2
    assert of(any_ledger, mine[0]).state == "sending"
    living.leave()
    assert {w.ended_at is None for w in all_of(any_ledger, WORKER)} == {False}


@pytest.mark.parametrize(
    ("kind", "becomes", "touches"),
    [("accepted", "accepted", 1), ("rejected", "rejected", 0), ("deferred", "planned", 0)],
)
def test_a_late_result_moves_its_own_unknown(
    any_ledger: sa.Engine, tmp_path: Path, kind: str, becomes: str, touches: int
) -> None:
    """A worker that was stopped past its lease and then goes on: the server's word counts, whoever says it."""
    put(any_ledger, [row("a", "c")])
    zombie = Worker(any_ledger, tmp_path)
    terms = Terms(zombie.id, FREE)
    with Session(any_ledger) as session:
        (message,) = claim(session, zombie.id, MAIL, now() + LEASE)
        begun = begin(session, message, START, terms)
        assert isinstance(begun, Begun)
        assert recover(any_ledger, tmp_path, now() + 2 * LEASE) == Recovered(unknown=1)
        assert of(any_ledger, message).reason == "lapsed"
        settle(session, Result(message, begun, kind, "2xx"), terms)  # type: ignore[arg-type]
    assert of(any_ledger, message).state == becomes
    assert [a.outcome for a in all_of(any_ledger, ATTEMPT)] == ["unknown", kind]
    assert len(all_of(any_ledger, TOUCH)) == touches
    zombie.leave()


def test_a_late_yes_keeps_a_message_from_going_again(any_ledger: sa.Engine, tmp_path: Path) -> None:
    """It was planned again meanwhile, and claimed; the yes ends that claim."""
    put(any_ledger, [row("a", "c")])
    terms = Terms("w1", FREE)
    with Session(any_ledger) as session:
        (message,) = claim(session, "w1", MAIL, now() + LEASE)
        begun = begin(session, message, START, terms)
        assert isinstance(begun, Begun)
        recover(any_ledger, tmp_path, now() + 2 * LEASE)
        with any_ledger.begin() as connection:
            connection.execute(sa.text("update message set state = 'planned', fence = fence + 1"))
        (again,) = claim(session, "w2", MAIL, now() + LEASE)
        settle(session, Result(message, begun, "accepted", "250"), terms)
        assert not isinstance(begin(session, again, START, Terms("w2", FREE)), Begun)
    assert of(any_ledger, message).state == "accepted"


def test_a_bucket_is_shared_kept_and_refilled(any_ledger: sa.Engine, tmp_path: Path) -> None:
    put(any_ledger, [row("a", f"c{n}") for n in range(5)])
    allowance = Allowance("email mx", 1.0, 2.0)
    at = now()
    moment = [at]
    terms = Terms("w", FREE, "email mx", allowance, clock=lambda: moment[0])
    with Session(any_ledger) as one, Session(any_ledger) as other:
        rate.know(one, "email mx", 2.0, at)
        rate.know(other, "email mx", 2.0, at)
        messages = claim(one, "w", MAIL, at + LEASE)
        assert isinstance(begin(one, messages[0], START, terms), Begun)
        assert isinstance(begin(other, messages[1], START, terms), Begun)
        assert begin(one, messages[2], START, terms) == Held(at + dt.timedelta(seconds=1))
        moment[0] = at + dt.timedelta(seconds=1)
        assert isinstance(begin(other, messages[2], START, terms), Begun)
        rate.hold(one, "email mx", at + dt.timedelta(minutes=1))
        assert begin(other, messages[3], START, terms) == Held(at + dt.timedelta(minutes=1))
        moment[0] = at + dt.timedelta(minutes=1, seconds=1)
        assert isinstance(begin(other, messages[3], START, terms), Begun)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    return open_ledger(f"sqlite:///{tmp_path_factory.mktemp('bucket') / 'ledger.db'}")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 2)), min_size=1, max_size=60),
    per_second=st.integers(1, 5),
    burst=st.integers(1, 8),
)
def test_no_second_sees_more_than_the_bucket_and_its_refill(
    bucket: sa.Engine, steps: list[tuple[int, int]], per_second: int, burst: int
) -> None:
    """I12: three workers, one of which is always new, on one bucket. The instants are milliseconds apart."""
    allowance = Allowance("p", float(per_second), float(burst))
    put(bucket, [])
    at, taken = START, []
    for pause, who in steps:
        at += dt.timedelta(milliseconds=pause)
        with Session(bucket) as session:
            rate.know(session, "p", float(burst), at)
            for _ in range(who + 1):
                with session.transaction() as cursor:
                    if rate.take(session, cursor, allowance, at) is None:
                        taken.append(at)
    second = dt.timedelta(seconds=1)
    for start in taken:
        assert sum(start <= other < start + second for other in taken) <= burst + per_second


@settings(max_examples=60)
@given(st.floats(0, 10), st.integers(-7200, 7200), st.integers(1, 100), st.integers(1, 100))
def test_a_clock_that_jumps_never_overfills_a_bucket(tokens: float, seconds: int, per_second: int, burst: int) -> None:
    tokens = min(tokens, burst)
    allowance = Allowance("p", float(per_second), float(burst))
    found = rate.refilled(tokens, START, allowance, START + dt.timedelta(seconds=seconds))
    assert tokens <= found <= burst
    assert found == tokens or seconds > 0


def test_a_worker_of_another_folder_is_never_taken_for_dead(ledger: sa.Engine, tmp_path: Path) -> None:
    """Two machines on one ledger: only the lease tells of the other one."""
    put(ledger, [row("a", "c")])
    elsewhere = Worker(ledger, tmp_path / "elsewhere")
    with Session(ledger) as session:
        (message,) = claim(session, elsewhere.id, MAIL, now() + LEASE)
        begin(session, message, START, Terms(elsewhere.id, FREE))
    elsewhere.die()
    assert recover(ledger, tmp_path / "here") == Recovered()
    assert recover(ledger, tmp_path / "here", now() + DAY) == Recovered(unknown=1)
    assert of(ledger, message).reason == "lapsed"
