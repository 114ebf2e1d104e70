"""The formulas against figures of the literature and of scipy, and what must hold of any counts (R92)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, norm  # type: ignore[import-untyped]

from vesper.experiment.statistics import Count, always_valid, fixed, sample_size, split_p

rates = st.floats(0.01, 0.9)
people = st.integers(50, 100_000)


@pytest.mark.requirement("R92")
@pytest.mark.parametrize(
    ("baseline", "other", "needed"), [(0.02, 0.025, 13_809), (0.15, 0.17, 5_273), (0.25, 0.28, 3_396)]
)
def test_the_sample_size_of_two_proportions_is_the_known_one(baseline: float, other: float, needed: int) -> None:
    """At alpha 5 % and power 80 %; the figures stand in every table of sample sizes."""
    assert abs(sample_size(baseline, other - baseline, 0.05, 0.8) - needed) <= 2


@pytest.mark.requirement("R92")
@pytest.mark.parametrize(
    ("counted", "shares"),
    [((5000, 5000), (0.5, 0.5)), ((5000, 5400), (0.5, 0.5)), ((900, 120), (0.9, 0.1)), ((10, 9, 14), (0.2, 0.3, 0.5))],
)
def test_the_split_is_judged_as_scipy_judges_it(counted: tuple[int, ...], shares: tuple[float, ...]) -> None:
    expected = chisquare(counted, [share * sum(counted) for share in shares]).pvalue
    assert split_p(counted, shares) == pytest.approx(expected)


@pytest.mark.requirement("R92")
def test_nobody_says_nothing() -> None:
    nobody = Count(0, 0)
    assert split_p([0, 0], [0.5, 0.5]) == 1.0
    for found in (always_valid(nobody, nobody, 0.01, 0.05), fixed(nobody, nobody, 0.05)):
        assert (found.effect, found.p) == (0.0, 1.0)


@pytest.mark.requirement("R92")
@given(people, rates, people, rates, st.sampled_from([0.01, 0.05, 0.1]), st.floats(0.002, 0.2))
def test_an_interval_leaves_out_nothing_exactly_where_p_is_at_most_alpha(
    n: int, rate: float, m: int, other: float, alpha: float, worth: float
) -> None:
    one, two = Count(n, round(n * rate)), Count(m, round(m * other))
    for found in (always_valid(one, two, worth, alpha), fixed(one, two, alpha)):
        assert 0 <= found.p <= 1
        assert found.low <= found.effect <= found.high
        if abs(found.p - alpha) > 1e-9:
            assert (found.low > 0 or found.high < 0) == (found.p < alpha)


@pytest.mark.requirement("R92")
@given(people, rates, people, rates, st.floats(0.002, 0.2))
def test_the_two_arms_may_be_told_in_either_order(n: int, rate: float, m: int, other: float, worth: float) -> None:
    one, two = Count(n, round(n * rate)), Count(m, round(m * other))
    there, back = always_valid(one, two, worth, 0.05), always_valid(two, one, worth, 0.05)
    assert (there.effect, there.low, there.high, there.p) == pytest.approx(
        (-back.effect, -back.high, -back.low, back.p)
    )


@pytest.mark.requirement("R92")
@given(people, rates, people, rates, st.floats(0.002, 0.2))
def test_what_may_be_read_every_day_is_never_surer_than_what_is_read_once(
    n: int, rate: float, m: int, other: float, worth: float
) -> None:
    one, two = Count(n, round(n * rate)), Count(m, round(m * other))
    daily, once = always_valid(one, two, worth, 0.05), fixed(one, two, 0.05)
    assert daily.high - daily.low >= once.high - once.low


@pytest.mark.requirement("R92")
def test_a_fixed_test_is_the_pooled_z_test() -> None:
    found = fixed(Count(13_809, 276), Count(13_809, 345), 0.05)
    pooled = (276 + 345) / (2 * 13_809)
    z = (345 - 276) / 13_809 / (pooled * (1 - pooled) * 2 / 13_809) ** 0.5
    assert found.p == pytest.approx(2 * norm.sf(z))
