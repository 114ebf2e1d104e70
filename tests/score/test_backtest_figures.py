"""The figures of a backtest are what their definitions say, counted pair by pair and person by person."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesper.backtest import ScoreCount, auc, bands, conversion, is_rising, lift

PEOPLE = st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=40)


def counted(people: list[tuple[int, bool]]) -> list[ScoreCount]:
    scores = sorted({score for score, _ in people})
    return [
        ScoreCount(s, sum(score == s for score, _ in people), sum(score == s and won for score, won in people))
        for s in scores
    ]


@pytest.mark.requirement("R60")
@given(people=PEOPLE)
def test_auc_counts_every_pair(people: list[tuple[int, bool]]) -> None:
    won = [score for score, did in people if did]
    lost = [score for score, did in people if not did]
    found = auc(counted(people))
    if not won or not lost:
        assert found is None
        return
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(won, lost)]
    assert found == pytest.approx(sum(pairs) / len(pairs))


@pytest.mark.requirement("R60")
@given(people=PEOPLE, width=st.integers(1, 30))
def test_bands_lose_nobody(people: list[tuple[int, bool]], width: int) -> None:
    inside = bands(counted(people), width)
    assert sum(band.people for band in inside) == len(people)
    assert sum(band.converted for band in inside) == sum(won for _, won in people)
    assert all(band.score % width == 0 for band in inside)


@pytest.mark.requirement("R60")
def test_lift_is_conversion_of_the_best_over_that_of_all() -> None:
    counts = [ScoreCount(10, 80, 8), ScoreCount(90, 20, 12)]
    assert conversion(counts) == 0.2
    assert lift(counts, 0.2) == pytest.approx(3.0)
    assert lift(counts, 0.1) == pytest.approx(3.0), "a score that the line cuts through counts in proportion"
    assert lift(counts, 1.0) == pytest.approx(1.0)
    assert lift([], 0.1) is None
    assert is_rising(counts) and not is_rising([ScoreCount(10, 10, 5), ScoreCount(20, 10, 1)])
