"""What figures come to: nothing may be said too early or with a wrong split, and a winner says how sure it is (R92)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.experiments.company import NIGHT, experiment
from vesper.experiment.statistics import SPLIT_ALARM
from vesper.experiment.verdict import LEAST_PEOPLE, STATES, ArmFigures, Verdict, judge, why
from vesper.language import translator

SPLIT = [{"id": name, "share": 1 / 3, "variant": "default"} for name in "abc"]
SMALL: dict[str, Any] = {"baseline": 0.02, "smallest_effect": 0.005}


def judged(*arms: tuple[int, int], is_over: bool = False, assigned: tuple[int, ...] = (), **changes: Any) -> Verdict:
    one = experiment(**SMALL | changes)
    people = assigned or tuple(closed for closed, _ in arms)
    ids = [arm.id for arm in one.arms]
    figures = [ArmFigures(id, n, *arm) for id, n, arm in zip(ids, people, arms, strict=True)]
    return judge(one, figures, is_over)


@pytest.mark.requirement("R92")
@pytest.mark.parametrize(
    ("arms", "is_over", "state", "winner"),
    [
        (((20_000, 400), (20_000, 540)), False, "winner", "question"),
        (((20_000, 540), (20_000, 400)), False, "winner", "plain"),
        (((20_000, 400), (20_000, 430)), False, "running", None),
        (((20_000, 400), (20_000, 430)), True, "no_difference", None),
        (((400_000, 8000), (400_000, 8000)), False, "no_difference", None),
        (((90, 1), (90, 60)), False, "too_early", None),
        (((5000, 2), (5000, 17)), False, "too_early", None),
        (((20_000, 400), (18_000, 540)), False, "srm", None),
        (((0, 0), (0, 0)), False, "too_early", None),
    ],
)
def test_a_test_that_may_be_read_every_day(
    arms: tuple[tuple[int, int], ...], is_over: bool, state: str, winner: str | None
) -> None:
    verdict = judged(*arms, is_over=is_over)
    assert (verdict.state, verdict.winner_id) == (state, winner)


@pytest.mark.requirement("R92")
def test_a_fixed_test_says_nothing_before_its_horizon() -> None:
    fixed: dict[str, Any] = {"method": "fixed", "horizon": "14d"}
    arms = ((20_000, 400), (20_000, 540))
    assert judged(*arms, **fixed).state == "too_early"
    assert judged(*arms, is_over=True, **fixed).winner_id == "question"
    assert judged((20_000, 400), (20_000, 410), is_over=True, **fixed).state == "no_difference"


@pytest.mark.requirement("R92")
def test_a_wrong_split_blocks_the_winner_however_large_the_effect() -> None:
    verdict = judged((20_000, 400), (20_000, 900), assigned=(20_000, 21_000), is_over=True)
    assert (verdict.state, verdict.winner_id) == ("srm", None)
    assert verdict.split_p < 0.001


@pytest.mark.requirement("R92")
def test_of_three_arms_the_best_is_told_and_each_comparison_must_be_surer() -> None:
    verdict = judged((20_000, 400), (20_000, 420), (20_000, 560), arms=SPLIT)
    assert (verdict.state, verdict.arm_id, verdict.winner_id) == ("winner", "c", "c")
    two, three = judged((20_000, 400), (20_000, 480)), judged((20_000, 400), (20_000, 400), (20_000, 480), arms=SPLIT)
    assert three.difference.p > two.difference.p


@pytest.mark.requirement("R92", "R111")
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize(
    "arms",
    [((20_000, 400), (20_000, 540)), ((20_000, 400), (18_000, 540)), ((9, 1), (9, 1)), ((20_000, 400), (20_000, 430))],
)
def test_why_is_a_sentence_with_the_figures(arms: tuple[tuple[int, int], ...], language: str) -> None:
    one, verdict = experiment(**SMALL), judged(*arms)
    figures = [ArmFigures(arm.id, n, n, c) for arm, (n, c) in zip(one.arms, arms, strict=True)]
    said = why(one, verdict, figures, NIGHT, translator(language))
    assert "{" not in said
    if verdict.state == "winner":
        assert "question" in said and "+0.70" in said and "0.05" in said


counts = st.tuples(st.integers(0, 50_000), st.integers(0, 50_000), st.floats(0, 1))


@pytest.mark.requirement("R92")
@given(st.lists(counts, min_size=2, max_size=2), st.booleans(), st.sampled_from(["always_valid", "fixed"]))
def test_whatever_the_figures_nobody_wins_early_with_a_wrong_split_or_by_chance(
    arms: list[tuple[int, int, float]], is_over: bool, method: str
) -> None:
    one = experiment(method=method, horizon="14d" if method == "fixed" else None, **SMALL)
    figures = [
        ArmFigures(arm.id, assigned, min(assigned, closed), int(min(assigned, closed) * share))
        for arm, (assigned, closed, share) in zip(one.arms, arms, strict=True)
    ]
    verdict = judge(one, figures, is_over)
    assert verdict.state in STATES
    assert (verdict.winner_id is not None) == (verdict.state == "winner")
    if verdict.winner_id is not None:
        assert verdict.split_p >= SPLIT_ALARM
        assert min(arm.closed for arm in figures) >= LEAST_PEOPLE
        assert verdict.difference.p <= one.alpha
        assert is_over or method == "always_valid"
    assert "{" not in why(one, verdict, figures, NIGHT, str)
