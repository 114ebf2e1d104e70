"""Simulated experiments through the night's own verdict: how often it errs when it is read every day (R92)."""

import numpy as np
import pytest

from bench.experiment import GOAL_CORRELATION, GOAL_FALSE, dealt, peeked, scene

SIMULATIONS = 400


@pytest.mark.requirement("R92")
def test_read_every_day_for_fourteen_days_two_equal_arms_seldom_have_a_winner_and_a_better_one_mostly_has() -> None:
    found = scene(np.random.default_rng(3), 0.15, 0.02, SIMULATIONS)
    assert found["false_positives"] <= GOAL_FALSE
    assert found["false_alarms_of_the_split"] <= 0.03
    assert found["power_with_them"] >= 0.75


@pytest.mark.requirement("R92")
def test_a_fixed_test_read_every_day_would_err_four_times_as_often_as_it_says() -> None:
    assert peeked(np.random.default_rng(3), SIMULATIONS) > 0.15


@pytest.mark.requirement("R92")
def test_a_hundred_thousand_people_are_split_as_declared_and_evenly() -> None:
    found = dealt(100_000)
    assert found["largest_distance_from_share"] < 0.005
    assert found["kolmogorov_smirnov"] < 0.0061  # of an even distribution, one in a thousand is further
    assert abs(found["correlation_of_two_experiments"]) < 2 * GOAL_CORRELATION
