"""Caps when many send at once: two flows, eight workers, one person, fifty candidate messages (R86).

A few schedules on each kind of ledger; `python -m bench.caps` plays a thousand of each with the same code.
"""

import random
from pathlib import Path

import pytest

from tests.send.schedules import CAP, fill, permuted, reset, side_by_side
from warehouse.ledger.engine import open_ledger

SCHEDULES, ROUNDS, PEOPLE = 100, 6, 5


@pytest.mark.slow
@pytest.mark.requirement("R86")
def test_no_schedule_ever_passes_the_cap(tmp_path: Path) -> None:
    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", "normal")
    found = permuted(engine, SCHEDULES, 2018)
    assert found.over_cap == frozenset()
    assert set(found.reached) == {f"c{number}" for number in range(SCHEDULES)}
    assert found.messages > CAP * SCHEDULES
    engine.dispose()


@pytest.mark.slow
@pytest.mark.requirement("R86")
def test_eight_threads_on_postgresql_never_pass_the_cap(postgres_server: str) -> None:
    from tests.send.conftest import _emptied

    engine = open_ledger(_emptied(postgres_server))
    fill(engine, PEOPLE, random.Random(1))
    for round_ in range(ROUNDS):
        reset(engine)
        found = side_by_side(engine, PEOPLE, round_)
        assert found.over_cap == frozenset()
        assert found.reached == {f"c{number}": CAP for number in range(PEOPLE)}
    engine.dispose()
