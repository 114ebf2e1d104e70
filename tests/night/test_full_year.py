"""The grocer's full year, from its landing files to the last stage: the published figures, out of Vesper's own tables."""

import datetime as dt
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from examples.grocer.compose import compose
from tasks.night import directly, run_night
from tests.night.looking import mails_of, messages
from tests.night.test_five_stages import published_baskets, stage_of, stages
from tests.small_grocer import EXAMPLE
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.stage_report import StageReport
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER, EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.declare import METADATA
from vesper.tables.order import ORDER_DAY, ORDER_LINE
from warehouse.house import House
from warehouse.runner import Runner

pytestmark = [pytest.mark.slow, pytest.mark.reference]

NIGHT = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as it is shipped, after its night."""
    root = tmp_path_factory.mktemp("year") / "grocer"
    root.mkdir()
    shutil.copy(EXAMPLE / "vesper.toml", root)
    shutil.copytree(EXAMPLE / "definitions", root / "definitions")
    compose(root)
    return root


@pytest.fixture(scope="module")
def reports(year: Path) -> list[StageReport]:
    return run_night(directly, year, NIGHT, True)


@pytest.fixture(scope="module")
def tables(year: Path, reports: list[StageReport]) -> Iterator[Runner]:
    """Every published table, readable."""
    house = House.open(year)
    with Runner(house.lake) as runner:
        for name in house.lake.tables():
            if name in METADATA.tables:
                runner.bind_snapshot(METADATA.tables[name], house.lake.in_force(name))
        yield runner
    house.close()


def one(runner: Runner, select: sa.Select[Any]) -> tuple[Any, ...]:
    (row,) = runner.rows(select)
    return tuple(row)


def test_order_lines_and_sales(tables: Runner) -> None:
    found = one(tables, sa.select(sa.func.count(), sa.func.sum(ORDER_LINE.c.amount)).select_from(ORDER_LINE))
    assert found == (1_469_307, Decimal("4596039.58"))
    of_days = one(tables, sa.select(sa.func.sum(ORDER_DAY.c.line_count), sa.func.sum(ORDER_DAY.c.amount)))
    assert of_days == (1_469_307, Decimal("4596039.58"))


def test_all_orders_belong_to_the_2469_households(tables: Runner) -> None:
    found = one(
        tables,
        sa.select(
            sa.func.count(sa.distinct(ORDER_LINE.c.contact_id)),
            sa.func.count().filter(ORDER_LINE.c.contact_id.is_(None)),
        ),
    )
    assert found == (2_469, 0)


def test_redeemed_and_mailed_households_by_kind_of_campaign(tables: Runner) -> None:
    member = CAMPAIGN_MEMBER.c
    query = (
        sa.select(CAMPAIGN.c.kind, sa.func.count(member.responded_at), sa.func.count())
        .join_from(CAMPAIGN_MEMBER, CAMPAIGN, CAMPAIGN.c.campaign_id == member.campaign_id)
        .group_by(CAMPAIGN.c.kind)
    )
    assert {kind: pair for kind, *pair in tables.rows(query)} == {
        "Type A": [604, 3_647],
        "Type B": [154, 2_368],
        "Type C": [34, 574],
    }
    eighteen = sa.select(sa.func.count(member.responded_at), sa.func.count()).where(member.campaign_id == "18")
    assert one(tables, eighteen) == (214, 1_133)


def test_every_redemption_is_of_a_household_that_was_mailed(tables: Runner) -> None:
    mailed = sa.and_(
        CAMPAIGN_MEMBER.c.contact_id == EVENT.c.contact_id, CAMPAIGN_MEMBER.c.campaign_id == EVENT.c.series_id
    )
    redeemed = sa.select(sa.func.count(), sa.func.count().filter(CAMPAIGN_MEMBER.c.contact_id.is_(None)))
    query = redeemed.select_from(EVENT.join(CAMPAIGN_MEMBER, mailed, isouter=True)).where(
        EVENT.c.kind == "coupon_redeemed"
    )
    assert one(tables, query) == (2_102, 0)


@pytest.mark.requirement("R50", "R53")
def test_every_score_is_the_sum_of_its_reasons_a_clamp_being_one(tables: Runner) -> None:
    reason = SCORE_REASON.c
    points = sa.select(reason.contact_id, sa.func.sum(reason.points).label("points"))
    total = points.group_by(reason.contact_id).subquery("total")
    joined = SCORE.join(total, total.c.contact_id == SCORE.c.contact_id, isouter=True)
    query = sa.select(
        sa.func.count(), sa.func.count().filter(SCORE.c.score.is_distinct_from(total.c.points))
    ).select_from(joined)
    contacts = tables.scalar(sa.select(sa.func.count()).select_from(CONTACT))
    assert one(tables, query) == (contacts, 0)
    low, high = one(tables, sa.select(sa.func.min(SCORE.c.score), sa.func.max(SCORE.c.score)))
    assert 0 <= low < high == 100
    assert tables.scalar(sa.select(sa.func.count()).select_from(SCORE_REASON).where(reason.rule_id == "clamp")) > 0


@pytest.mark.requirement("R31", "R40")
def test_every_household_stands_in_the_stage_that_its_baskets_say(year: Path, reports: list[StageReport]) -> None:
    expected = {household: stage_of(mine.values(), NIGHT) for household, mine in published_baskets().items()}
    found = stages(year, NIGHT)
    assert {household: found[household] for household in expected} == expected
    assert len(expected) == 2_469


@pytest.mark.requirement("R2")
def test_zero_quantities_and_unknown_categories_are_kept_and_warned_of(
    tables: Runner, reports: list[StageReport]
) -> None:
    odd = sa.select(
        sa.func.count().filter(ORDER_LINE.c.quantity == 0), sa.func.count().filter(ORDER_LINE.c.amount <= 0)
    )
    zero, free = one(tables, odd)
    assert zero > 0
    assert free > 0
    assert all(balance.holds for report in reports for balance in report.balances)
    assert [
        check for report in reports for check in report.checks if not check.passed and check.severity == "critical"
    ] == []


def test_each_intended_mail_arrived_once(year: Path, reports: list[StageReport]) -> None:
    assert mails_of(year) == dict.fromkeys(messages(year), 1)
    assert len(messages(year)) > 50
