"""A small grocer for whole nights: a few households of the published year, and three nights of it as they stood, for tests to copy.

What belongs here: the workspace, its three nights, copying. What does not: what is asked of them (tests/night, tests/warehouse, tests/cli).
A night costs seconds, so nights are run once for the test run; every test works on a copy of its own.
"""

import datetime as dt
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from vesper.stage_report import StageReport

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "grocer"
HOUSEHOLDS, SINCE = 100, dt.date(2017, 10, 1)
FIRST, SECOND, LAST = NIGHTS = dt.date(2017, 12, 30), dt.date(2017, 12, 31), dt.date(2018, 1, 1)

# A hundred households have days with a fifth of the usual orders, which 2,469 never have.
CALMER = ("drop_ratio: 0.4", "drop_ratio: 0.2")

SILENT = """name: {zh_CN: 未核销 90 天, en: No coupon for 90 days}
says: {zh_CN: 下过单、但 90 天内没有核销过优惠券的家庭。, en: Households with an order but no redemption in 90 days.}
owner: marketing@grocer.example.com
members:
  all:
    - orders: {at_least: 1}
    - not: {events: {kind: coupon_redeemed, at_least: 1, within: 90d}}
"""

WINBACK = """name: {zh_CN: 券挽回, en: Win-back of the silent}
says: {zh_CN: 给 90 天内没有核销过的家庭发一封邮件。, en: One mail to households that redeemed nothing for 90 days.}
owner: marketing@grocer.example.com
series: Winback2018Q1
state: full
brief:
  persona: 90 天内没有用过优惠券的家庭
  message: 您的优惠还在等您
  cta: {what: 一月内到店出示会员卡, benefit: 单次满 40 美元立减 10 美元}
  stages: [prospect, first_purchase, repurchase, loyal, at_risk]
  timing: 一月
  goal: 收到邮件的家庭中 8% 在 30 天内核销
segment: silent_90d
channel: email
content: winback_coupon
purpose: marketing
max_people: 300
starts_on: 2018-01-01
ends_on: 2018-03-31
"""


@dataclass(frozen=True)
class GrocerNights:
    """The workspace as it stood after each of the three nights. Only the last one plans and sends. Copy before use."""

    composed: Path
    after: Mapping[dt.date, Path]
    reports: Mapping[dt.date, list[StageReport]]


def define(root: Path) -> None:
    """The grocer's settings and definitions, and one win-back on redemptions, which can be unknown on a night."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXAMPLE / "vesper.toml", root)
    # The grocer's journeys are told in test_full_year.py; here a test writes its own.
    shutil.copytree(EXAMPLE / "definitions", root / "definitions", ignore=shutil.ignore_patterns("journeys"))
    change(root / "definitions/sources/shop_order.yml", *CALMER)
    (root / "definitions/segments/silent_90d.yml").write_text(SILENT, encoding="utf-8")
    (root / "definitions/campaigns/winback_silent.yml").write_text(WINBACK, encoding="utf-8")


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file} does not say {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def copied(workspace: Path, to: Path) -> Path:
    """A workspace of one's own; modification times come along, because they are the arrival of the files."""
    return Path(shutil.copytree(workspace, to))


@pytest.fixture(scope="session")
def composed_grocer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small grocer before its first night. Copy before use."""
    from examples.grocer.compose import compose

    root = tmp_path_factory.mktemp("composed") / "grocer"
    define(root)
    compose(root, households=HOUSEHOLDS, since=SINCE)
    return root


@pytest.fixture(scope="session")
def grocer_nights(composed_grocer: Path, tmp_path_factory: pytest.TempPathFactory) -> GrocerNights:
    """Three nights of the small grocer, kept after each."""
    from tasks.night import directly, run_night

    folder = tmp_path_factory.mktemp("nights")
    root = copied(composed_grocer, folder / "at_work")
    after, reports = {}, {}
    for on in NIGHTS:
        reports[on] = run_night(directly, root, on, on == LAST)
        after[on] = copied(root, folder / on.isoformat())
    return GrocerNights(composed_grocer, after, reports)
