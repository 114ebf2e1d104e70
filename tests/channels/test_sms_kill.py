"""SIGKILL while short messages go out: each once, and what nobody knows is settled by asking the provider."""

import random

import pytest


@pytest.mark.slow
@pytest.mark.requirement("R84", "R86", "R120")
def test_killed_senders_of_short_messages_double_and_lose_nothing() -> None:
    """The bench, small: `python -m bench.send_crash --channel sms --recipients 600 --kills 10` is the same with more."""
    from bench.send_crash.workers import Setting, run

    chosen = Setting(recipients=120, kills=2, workers=2, connections=1, seed=random.randint(0, 10**6), channel="sms")
    found = run(chosen, "sqlite")
    assert found["is_good"], found
