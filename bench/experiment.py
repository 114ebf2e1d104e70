"""`python -m bench.experiment --simulations 2000 --people 1000000 --seed 7 --json`: how often an experiment errs, and how well it deals people.

What belongs here: simulated experiments through the code that a night judges with, and a million ids through the code that assigns. What does not:
the formulas (`vesper/experiment/`).

A simulated experiment takes in as many people every day, for fourteen days, and is read every day; whoever was read as a winner stays one. A/A: both
arms are alike. Power: the second arm is better by the smallest effect; people are those that the fixed test needs, which is read once, on the last
day, and then those that the daily test says it needs.
"""

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.pool import StaticPool

from vesper.experiment.assign import arm_by_hash, bucket_of
from vesper.experiment.statistics import Count, fixed, sample_size, sample_size_always_valid
from vesper.experiment.verdict import ArmFigures, judge
from vesper.model.experiment import Experiment

LOOKS = 14
SCENES = ((0.02, 0.005), (0.15, 0.02), (0.25, 0.03))
"""Rate and smallest effect: buying after a mail, opening one, redeeming a coupon."""
GOAL_FALSE, GOAL_SPLIT, GOAL_CORRELATION = 0.05, 0.002, 0.005
Draw = np.random.Generator


def experiment(
    id: str = "a", baseline: float = 0.02, effect: float = 0.005, shares: Sequence[float] = (0.5, 0.5)
) -> Experiment:
    """An experiment with arms of given shares."""
    return Experiment.model_validate(
        {
            "id": id,
            "says": "-",
            "owner": "bench",
            "question": "-",
            "about": "campaign",
            "arms": [{"id": f"arm{n}", "share": share, "variant": "default"} for n, share in enumerate(shares)],
            "metric": {"kind": "click", "within": "1d"},
            "baseline": baseline,
            "smallest_effect": effect,
            "starts_on": dt.date(2026, 1, 1),
            "ends_on": dt.date(2026, 1, LOOKS),
        }
    )


def played(draw: Draw, one: Experiment, rates: Sequence[float], people: int) -> tuple[list[str], tuple[Count, Count]]:
    """The states of fourteen days, each read on its own, and the counts of the last one."""
    daily = people // LOOKS
    states, assigned, converted = [], [0, 0], [0, 0]
    for day in range(1, LOOKS + 1):
        first = int(draw.binomial(2 * daily, 0.5))
        for arm, count in enumerate((first, 2 * daily - first)):
            assigned[arm] += count
            converted[arm] += int(draw.binomial(count, rates[arm]))
        figures = [ArmFigures(a.id, n, n, c) for a, n, c in zip(one.arms, assigned, converted, strict=True)]
        states.append(judge(one, figures, day == LOOKS).state)
    return states, (Count(assigned[0], converted[0]), Count(assigned[1], converted[1]))


def scene(draw: Draw, baseline: float, effect: float, simulations: int) -> dict[str, Any]:
    """False positives and power of one rate, of the test that is read every day and of the one that is read once."""
    one = experiment(baseline=baseline, effect=effect)
    people = sample_size(baseline, effect, one.alpha, one.power)
    alike = [played(draw, one, (baseline, baseline), people) for _ in range(simulations)]
    better = [played(draw, one, (baseline, baseline + effect), people) for _ in range(simulations)]
    needed = sample_size_always_valid(baseline, effect, one.alpha, one.power)
    longer = [played(draw, one, (baseline, baseline + effect), needed) for _ in range(simulations)]
    first_wins = [states.index("winner") + 1 for states, _ in longer if "winner" in states]
    return {
        "baseline": baseline,
        "effect": effect,
        "people_of_each_arm": people,
        "false_positives": _share(alike, _ever),
        "false_positives_fixed_read_once": _share(alike, _once(one.alpha)),
        "power": _share(better, _ever),
        "power_fixed_read_once": _share(better, _once(one.alpha)),
        "people_that_it_needs": needed,
        "power_with_them": _share(longer, _ever),
        "power_fixed_with_them": _share(longer, _once(one.alpha)),
        "median_day_of_winning": median(first_wins) if first_wins else None,
        "false_alarms_of_the_split": _share(alike, lambda one: "srm" in one[0]),
    }


Played = tuple[list[str], tuple[Count, Count]]


def _ever(one: Played) -> bool:
    return "winner" in one[0]


def _once(alpha: float) -> Callable[[Played], bool]:
    return lambda one: fixed(*one[1], alpha).p <= alpha


def _share(found: Sequence[Played], test: Callable[[Played], bool]) -> float:
    return sum(test(one) for one in found) / len(found)


def peeked(draw: Draw, simulations: int) -> float:
    """What reading a fixed test every day costs: false positives of the z-test with fourteen looks, which Vesper does not do."""
    baseline, daily, wrong = 0.02, 1000, 0
    for _ in range(simulations):
        one = np.cumsum(draw.binomial(daily, baseline, LOOKS))
        other = np.cumsum(draw.binomial(daily, baseline, LOOKS))
        looks = [
            fixed(Count(daily * n, int(a)), Count(daily * n, int(b)), 0.05).p
            for n, (a, b) in enumerate(zip(one, other, strict=True), 1)
        ]
        wrong += min(looks) <= 0.05
    return wrong / simulations


def dealt(people: int) -> dict[str, Any]:
    """A million ids through the Select that assigns: shares, evenness, and what two experiments have to do with each other."""
    one, other = experiment("a", shares=(0.5, 0.3, 0.2)), experiment("b", shares=(0.5, 0.5))
    engine = sa.create_engine("duckdb:///:memory:", poolclass=StaticPool)
    id = sa.literal_column("'c' || lpad(cast(range as varchar), 16, '0')", sa.String)
    rows = sa.select(
        arm_by_hash(one, id).label("a"), arm_by_hash(other, id).label("b"), bucket_of("a", "1", id).label("bucket")
    )
    made = rows.select_from(sa.text(f"range({people})")).compile(engine, compile_kwargs={"literal_binds": True})
    begun = time.perf_counter()
    with engine.connect() as connection:
        connection.execute(sa.text(f"create table dealt as {made}"))
        seconds = time.perf_counter() - begun
        arms = {row[0]: row[1] for row in connection.execute(sa.text("select a, count(*) from dealt group by a"))}
        place = "(cast(('0x' || substr(bucket, 1, 12)) as bigint) / 281474976710656.0)"
        far = f"select max(abs(u - n / {people}.0)) from (select {place} u, row_number() over (order by bucket) n from dealt)"
        corr = "select corr(cast(a = 'arm0' as int), cast(b = 'arm0' as int)) from dealt"
        found = {
            "people": people,
            "seconds": round(seconds, 2),
            "shares": {arm.id: arms[arm.id] / people for arm in one.arms},
            "largest_distance_from_share": max(abs(arms[arm.id] / people - arm.share) for arm in one.arms),
            "kolmogorov_smirnov": connection.scalar(sa.text(far)),
            "correlation_of_two_experiments": connection.scalar(sa.text(corr)),
        }
    engine.dispose()
    return found


def main() -> None:
    """Print the figures; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    draw = np.random.default_rng(asked.seed)
    begun = time.perf_counter()
    scenes = [scene(draw, baseline, effect, asked.simulations) for baseline, effect in SCENES]
    split = dealt(asked.people)
    figures = {
        "simulations": asked.simulations,
        "looks": LOOKS,
        "scenes": scenes,
        "false_positives_of_a_fixed_test_read_daily": peeked(draw, asked.simulations),
        "split": split,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    figures["holds"] = (
        all(one["false_positives"] <= GOAL_FALSE for one in scenes)
        and split["largest_distance_from_share"] <= GOAL_SPLIT
        and abs(split["correlation_of_two_experiments"]) <= GOAL_CORRELATION
    )
    Console().print_json(json.dumps(figures)) if asked.json else Console().print(figures)
    raise SystemExit(0 if figures["holds"] else 1)


if __name__ == "__main__":
    main()
