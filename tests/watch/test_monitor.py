"""The monitoring table: target, actual, gap, and the words where a target is missed."""

import datetime as dt
from typing import Any

import pytest

from tests.measure.shop import TONIGHT, Shop, night
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT
from vesper.marts.monitor import monitor
from vesper.marts.visibility import VISIBILITY
from vesper.model.policy import MonitorPolicy
from vesper.tables.campaign import CAMPAIGN
from vesper.tables.quality import METRIC
from vesper.watch import FIGURES


def target(metric: str, goal: float, flow: str = "watch", period: str = "year", **fields: Any) -> dict[str, Any]:
    words = {
        "analysis": {"zh_CN": "券品不对", "en": "Wrong coupons"},
        "action": {"zh_CN": "换券品", "en": "Change them"},
    }
    return {"flow": flow, "metric": metric, "period": period, "target": goal, "owner": "marketing", **words, **fields}


def policy(*targets: dict[str, Any]) -> MonitorPolicy:
    written = {"id": "monitor", "says": "目标", "owner": "marketing", "targets": list(targets)}
    return MonitorPolicy.model_validate(written)


def response(
    shop: Shop, mailed: int, responded: int, starts_on: dt.date = dt.date(2017, 6, 1), ends_on: dt.date | None = None
) -> None:
    id = f"on {starts_on}"
    shop.put(
        CAMPAIGN,
        {"campaign_id": id, "name": id, "kind": "Type A", "starts_on": starts_on, "ends_on": ends_on or starts_on},
    )
    counts = {"mailed_count": mailed, "responded_count": responded, "converted_count": 0, "revenue": 0}
    shop.put(CAMPAIGN_EFFECT, {"business_on": TONIGHT, "campaign_id": id, "channel": "mailing", **counts})


@pytest.mark.requirement("R94")
def test_the_gap_is_actual_minus_target_with_what_is_done_about_it(shop: Shop) -> None:
    response(shop, mailed=100, responded=20)
    [row] = shop.rows(monitor(night(policy(target("response_ratio", 0.25)))))
    assert (row.flow, row.metric, row.period, row.target, row.actual) == ("watch", "response_ratio", "year", 0.25, 0.2)
    assert row.gap == row.actual - row.target == pytest.approx(-0.05)
    assert (row.is_met, row.analysis, row.action, row.owner) == (False, "Wrong coupons", "Change them", "marketing")


@pytest.mark.requirement("R94", "R111")
def test_the_words_are_in_the_companys_language(shop: Shop) -> None:
    response(shop, mailed=100, responded=20)
    [row] = shop.rows(monitor(night(policy(target("response_ratio", 0.25)), language="zh_CN")))
    assert (row.analysis, row.action) == ("券品不对", "换券品")


@pytest.mark.requirement("R94")
@pytest.mark.parametrize(("better", "is_met"), [("higher", True), ("lower", False)])
def test_more_is_good_or_bad_as_the_target_says(shop: Shop, better: str, is_met: bool) -> None:
    response(shop, mailed=100, responded=30)
    [row] = shop.rows(monitor(night(policy(target("response_ratio", 0.25, better=better)))))
    assert (row.is_met, row.action is None) == (is_met, is_met)


@pytest.mark.requirement("R94")
def test_what_nobody_measured_has_no_gap(shop: Shop) -> None:
    [row] = shop.rows(monitor(night(policy(target("open_ratio", 0.25)))))
    assert (row.actual, row.gap, row.is_met, row.action) == (None, None, None, None)


@pytest.mark.requirement("R94")
def test_the_period_ends_on_the_night(shop: Shop) -> None:
    response(shop, mailed=100, responded=50, starts_on=TONIGHT - dt.timedelta(days=29))
    response(shop, mailed=100, responded=0, starts_on=TONIGHT - dt.timedelta(days=30))
    rows = shop.rows(monitor(night(policy(*[target("response_ratio", 0.2, period=p) for p in ("month", "year")]))))
    assert {row.period: row.actual for row in rows} == {"month": 0.5, "year": 0.25}


def test_a_running_campaign_is_not_judged_by_its_responses(shop: Shop) -> None:
    response(shop, mailed=100, responded=20)
    response(shop, 100, 0, starts_on=TONIGHT - dt.timedelta(days=1), ends_on=TONIGHT + dt.timedelta(days=9))
    [row] = shop.rows(monitor(night(policy(target("response_ratio", 0.2)))))
    assert row.actual == 0.2


@pytest.mark.requirement("R22")
def test_progress_towards_the_visibility_target_is_reported(shop: Shop) -> None:
    size = {
        "market_size": 10,
        "size_source": "census",
        "size_as_of_on": TONIGHT,
        "target_ratio": 0.85,
        "target_due_on": TONIGHT,
        "counts": "contacts",
        "to_target_count": 3,
        "is_overdue": False,
    }
    counts = {"complete_count": 6, "known_count": 8, "visibility_ratio": 0.6, "band": "below", "definition_hash": "x"}
    shop.put(VISIBILITY, {"business_on": TONIGHT, "market_id": "all", **counts, **size})
    [row] = shop.rows(monitor(night(policy(target("visibility_ratio", 0.8, flow="measure", period="day")))))
    assert (row.actual, row.gap) == (0.6, pytest.approx(-0.2))


def test_quarantine_is_a_share_of_the_rows_of_each_source(shop: Shop) -> None:
    def keep(name: str, metric: str, value: int) -> None:
        where = {"business_on": TONIGHT, "stage": "consolidate", "table_name": name}
        shop.put(METRIC, {**where, "metric": metric, "value": value})

    keep("consolidate crm_member", "total", 200)
    keep("consolidate crm_member", "quarantined", 3)
    keep("crm_member", "quarantined", 3)
    keep("consolidate contacts", "total", 1000)
    [row] = shop.rows(monitor(night(policy(target("quarantine_ratio", 0.02, "consolidate", "day", better="lower")))))
    assert (row.actual, row.is_met) == (0.015, True)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_of_an_empty_company_is_not_measured(shop: Shop, name: str) -> None:
    [row] = shop.rows(monitor(night(policy(target(name, 0.5)))))
    assert row.actual is None


def test_a_figure_that_nobody_measures_is_named(shop: Shop) -> None:
    with pytest.raises(LookupError, match="nobody measures 'happiness'"):
        monitor(night(policy(target("happiness", 1))))


def test_without_a_policy_there_are_no_rows(shop: Shop) -> None:
    assert shop.rows(monitor(night())) == []
