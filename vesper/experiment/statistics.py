"""Two proportions and what may be said of them: sample size, split, a test that may be read every day, and one that may be read once.

What belongs here: pure functions over a few counts. What does not: where the counts come from (`vesper/marts/experiment_arm.py`), what follows
from them (`verdict.py`).

The always-valid test is the mixture sequential probability ratio test (Johari, Pekelis, Walsh 2015; Robbins 1970): the likelihood ratio of a normal
mixture of effects against none is a martingale under no effect, so the chance that it ever reaches 1/alpha is at most alpha, however often it is
read. Each person must enter the counts once, with an outcome that changes no more: that is why only closed people are counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

SPLIT_ALARM = 0.001
"""Below this p the split is not the declared one, and no figure of the experiment may be trusted."""
NORMAL = NormalDist()


@dataclass(frozen=True)
class Count:
    """People whose outcome is settled, and how many of them did what is counted."""

    people: int
    conversions: int

    @property
    def rate(self) -> float:
        """Share of people who did; 0 of nobody."""
        return self.conversions / self.people if self.people else 0.0


@dataclass(frozen=True)
class Difference:
    """The second count against the first: difference of the rates (a share, not per cent), its interval, and p against no difference.

    The interval leaves out 0 exactly where p is at most alpha.
    """

    effect: float
    low: float
    high: float
    p: float


NOTHING_KNOWN = Difference(0.0, -1.0, 1.0, 1.0)
"""What nobody's outcomes say."""


@lru_cache(maxsize=64)
def quantile(share: float) -> float:
    """The point of the standard normal distribution below which a share lies."""
    return NORMAL.inv_cdf(share)


def sample_size(baseline: float, effect: float, alpha: float, power: float, ratio: float = 1.0) -> int:
    """People of the first arm so that a fixed test finds a difference of `effect` above `baseline` with chance `power`.

    Args:
        baseline: rate of the first arm, between 0 and 1.
        effect: difference worth finding, as a share.
        ratio: people of the second arm for each of the first; it has ratio times as many.
    """
    other = baseline + effect
    pooled = (baseline + ratio * other) / (1 + ratio)
    by_chance = quantile(1 - alpha / 2) * math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    by_effect = quantile(power) * math.sqrt(baseline * (1 - baseline) + other * (1 - other) / ratio)
    return math.ceil(((by_chance + by_effect) / effect) ** 2)


def sample_size_always_valid(baseline: float, effect: float, alpha: float, power: float, ratio: float = 1.0) -> int:
    """The same of the test that may be read every day, were it read once with all of them: it needs more people, and often stops before.

    `effect` is the mixture's standard deviation, too, as in `always_valid`.
    """
    other = baseline + effect
    pooled = (baseline + ratio * other) / (1 + ratio)

    def is_enough(people: int) -> bool:
        spread = pooled * (1 - pooled) * (1 + 1 / ratio) / people
        real = (baseline * (1 - baseline) + other * (1 - other) / ratio) / people
        return effect - _reach(spread, effect, alpha) >= quantile(power) * math.sqrt(real)

    low = sample_size(baseline, effect, alpha, power, ratio)
    high = low
    while not is_enough(high):
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def split_p(counted: Sequence[int], shares: Sequence[float]) -> float:
    """How likely a split is at least as far from the declared shares by chance alone: chi-square, 1.0 of nobody."""
    from scipy.special import chdtrc  # type: ignore[import-untyped]  # a check of definitions loads no numpy

    total, whole = sum(counted), sum(shares)
    if not total:
        return 1.0
    expected = [total * share / whole for share in shares]
    distance = sum((seen - wanted) ** 2 / wanted for seen, wanted in zip(counted, expected, strict=True))
    return float(chdtrc(len(counted) - 1, distance))


def variance(one: Count, other: Count) -> float:
    """Variance of the difference of the rates if both were equal; 0 where nothing can be said."""
    if not one.people or not other.people:
        return 0.0
    pooled = (one.conversions + other.conversions) / (one.people + other.people)
    return pooled * (1 - pooled) * (1 / one.people + 1 / other.people)


def always_valid(one: Count, other: Count, worth: float, alpha: float) -> Difference:
    """The difference, with an interval and a p that hold however often they are read.

    Args:
        worth: the smallest effect worth finding: the mixture's standard deviation, where the test is sharpest.
        alpha: chance of ever finding a difference where there is none.
    """
    spread, mixture = variance(one, other), worth * worth
    if not spread:
        return NOTHING_KNOWN
    effect, total = other.rate - one.rate, spread + mixture
    log_ratio = 0.5 * math.log(spread / total) + mixture * effect * effect / (2 * spread * total)
    reach = _reach(spread, worth, alpha)
    return Difference(effect, effect - reach, effect + reach, math.exp(min(0.0, -log_ratio)))


def _reach(spread: float, worth: float, alpha: float) -> float:
    """Half the width of the always-valid interval."""
    mixture, total = worth * worth, spread + worth * worth
    return math.sqrt(spread * total / mixture * (math.log(total / spread) - 2 * math.log(alpha)))


def fixed(one: Count, other: Count, alpha: float) -> Difference:
    """The difference by a test that may be read once, at its stated horizon."""
    spread = variance(one, other)
    if not spread:
        return NOTHING_KNOWN
    effect, deviation = other.rate - one.rate, math.sqrt(spread)
    reach = quantile(1 - alpha / 2) * deviation
    return Difference(effect, effect - reach, effect + reach, math.erfc(abs(effect) / deviation / math.sqrt(2)))
