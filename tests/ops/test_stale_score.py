"""Scores that are too old are told: nobody was scored for days, or a rule has stood on old facts for days (R59)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.bench import Bench, Mode
from tasks.stale_score import warn_of_held_scores, warn_of_missing_scores
from tests.ops.conftest import NIGHT
from vesper.marts.score import SCORE
from vesper.marts.score_hold import SCORE_HOLD
from vesper.stage_report import StageReport
from warehouse.house import House
from warehouse.runner import Runner

DAY = dt.timedelta(days=1)


@contextmanager
def bench_of(root: Path, on: dt.date, mode: Mode = "replay") -> Iterator[Bench]:
    """A workbench on a night; a replay tells nobody outside."""
    house = House.open(root)
    with Runner(house.lake) as runner:
        yield Bench(house, house.night(on), runner, StageReport("consolidate", on), "test", mode)
    house.close()


@pytest.mark.requirement("R59")
@pytest.mark.parametrize(("days", "is_told"), [(1, False), (3, False), (4, True), (9, True)])
def test_contacts_without_a_score_for_more_than_three_days_are_told(grocer: Path, days: int, is_told: bool) -> None:
    with bench_of(grocer, NIGHT + days * DAY) as bench:
        warn_of_missing_scores(bench)
        told = bench.report.warnings
        assert len(told) == is_told
        if is_told:
            scores = bench.snapshot_before(SCORE.name)
            assert scores is not None
            assert f"{scores.row_count:,} 位联系人待评分" in told[0] and f"{days} 天" in told[0]
            assert bench.report.facts["stale_score"] == [
                {"scored_on": NIGHT, "age_days": days, "contact_count": scores.row_count}
            ]


def bind_holds(bench: Bench) -> None:
    """Two rules that have stood on old facts for too long, and one that has not."""
    row = {"business_on": NIGHT, "contact_count": 60, "held_since_on": NIGHT - 4 * DAY, "fresh_on": NIGHT - 5 * DAY}
    holds = [
        {"rule_id": "redeemed_90d", "sources": "shop_redemption", "age_days": 5, "is_stale": True, **row},
        {"rule_id": "two_orders_7d", "sources": "crm_member, shop_order", "age_days": 4, "is_stale": True, **row},
        {"rule_id": "eight_orders_30d", "sources": "shop_other", "age_days": 3, "is_stale": False, **row},
    ]
    bench.bind_rows(SCORE_HOLD.name, SCORE_HOLD, [{"definition_hash": "0", **hold} for hold in holds])


@pytest.mark.requirement("R59")
def test_rules_on_old_facts_are_told_with_the_sources_that_have_a_hole(grocer: Path) -> None:
    with bench_of(grocer, NIGHT) as bench:
        warn_of_held_scores(bench)
        assert bench.report.warnings == []
    with bench_of(grocer, NIGHT) as bench:
        bind_holds(bench)
        warn_of_held_scores(bench)
        [told] = bench.report.warnings
        assert "60 位联系人待评分" in told and "2 条评分规则" in told and "5 天" in told
        assert "crm_member, shop_order, shop_redemption" in told and "shop_other" not in told
        assert len(bench.report.facts["stale_score"]) == 2


@pytest.mark.requirement("R59")
@pytest.mark.parametrize(("days_back", "is_told"), [(0, True), (1, True), (2, False)])
def test_the_owner_is_told_of_the_night_that_is_played_and_not_of_the_past(
    own_grocer: Path, days_back: int, is_told: bool
) -> None:
    def notices() -> int:
        return len([file for file in (own_grocer / ".vesper" / "notices").rglob("*") if file.is_file()])

    before = notices()
    with bench_of(own_grocer, NIGHT - days_back * DAY, "night") as bench:
        assert bench.house.business_on() == NIGHT
        bind_holds(bench)
        warn_of_held_scores(bench)
        assert len(bench.report.warnings) == 1
    assert (notices() > before) is is_told
