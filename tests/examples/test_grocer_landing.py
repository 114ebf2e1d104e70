"""The composed landing folder: the same bytes every time, arrival times, readable by the systems that its definitions will name."""

import csv
import datetime as dt
import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sources import landed, read
from examples.grocer.compose import SOURCES, compose
from tests.examples.conftest import HOUSEHOLDS, SINCE
from vesper.clock import instant
from vesper.model.workspace import Workspace

ENDINGS = {"shop_order": "parquet", "app_signup": "jsonl", "hotline_lead": "xlsx"}
SYSTEMS = {"parquet": "parquet", "jsonl": "jsonl", "xlsx": "excel", "csv": "csv"}


@dataclass(frozen=True)
class Source:
    system: str
    encoding: str = "auto"


def landing(root: Path) -> Path:
    return root / ".vesper" / "landing"


def fingerprints(root: Path) -> dict[str, tuple[str, float]]:
    files = (path for path in (root / ".vesper").rglob("*") if path.is_file() and path.name != "composed.json")
    return {
        str(path.relative_to(root)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime if "landing" in path.parts else 0,
        )
        for path in files
    }


def days(root: Path, source: str) -> list[dt.date]:
    return [one.on for one in landed(landing(root), f"{source}/{{on}}.{ENDINGS.get(source, 'csv')}")]


@pytest.mark.requirement("R62")
def test_composing_again_elsewhere_gives_the_same_bytes_and_times(small_grocer: Path, tmp_path: Path) -> None:
    compose(tmp_path, households=HOUSEHOLDS, since=SINCE)
    assert fingerprints(tmp_path) == fingerprints(small_grocer)


def test_what_is_composed_already_is_left_alone_and_other_wishes_are_composed_anew(own_grocer: Path) -> None:
    order = landing(own_grocer) / "shop_order" / "2017-12-31.parquet"
    order.write_bytes(b"touched")
    compose(own_grocer, households=HOUSEHOLDS, since=SINCE)
    assert order.read_bytes() == b"touched"
    compose(own_grocer, households=HOUSEHOLDS, since=dt.date(2017, 12, 30))
    assert order.read_bytes() != b"touched"
    assert days(own_grocer, "shop_order") == [dt.date(2017, 12, 30), dt.date(2017, 12, 31)]


def test_every_file_arrives_the_morning_after_its_day(small_grocer: Path) -> None:
    for source in SOURCES:
        for one in landed(landing(small_grocer), f"{source}/{{on}}.{ENDINGS.get(source, 'csv')}"):
            assert one.received_at == instant(one.on + dt.timedelta(days=1), dt.time(2), "America/New_York")
    assert days(small_grocer, "shop_product") == [dt.date(2016, 12, 31)]


def test_daily_sources_have_every_open_day(small_grocer: Path) -> None:
    every = [SINCE + dt.timedelta(days=i) for i in range(12)]
    assert days(small_grocer, "shop_redemption") == every
    assert days(small_grocer, "shop_order") == [on for on in every if on != dt.date(2017, 12, 25)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_file_can_be_read_and_names_its_columns_alike(small_grocer: Path, source: str) -> None:
    ending = ENDINGS.get(source, "csv")
    tables = [
        read(one.path, Source(SYSTEMS[ending])) for one in landed(landing(small_grocer), f"{source}/{{on}}.{ending}")
    ]
    assert len({tuple(table.column_names) for table in tables}) == 1
    assert sum(table.num_rows for table in tables) > 0
    if source in ("crm_member", "app_signup", "hotline_lead"):
        assert [table.num_rows > 0 for table in tables] == [True, True, True]


def test_the_crm_changes_its_encoding_with_the_deltas(small_grocer: Path) -> None:
    folder = landing(small_grocer) / "crm_member"
    assert (
        (folder / "2017-12-29.csv").read_bytes().decode("gb18030").startswith("会员卡号,姓名,手机,邮箱,地区,注册时间")
    )
    assert (folder / "2017-12-31.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_orders_stand_in_the_file_of_their_eastern_day(small_grocer: Path) -> None:
    orders = read(landing(small_grocer) / "shop_order" / "2017-12-31.parquet", Source("parquet"))
    times = orders["transaction_timestamp"].to_pylist()
    assert min(times) >= dt.datetime(2017, 12, 31, 5)
    assert max(times) < dt.datetime(2018, 1, 1, 5)


def test_a_small_grocer_is_part_of_a_larger_one(small_grocer: Path, tmp_path: Path) -> None:
    def cards(root: Path) -> set[str]:
        with (root / ".vesper" / "truth" / "people.csv").open(encoding="utf-8", newline="") as file:
            return {row["household"] for row in csv.DictReader(file)} - {""}

    compose(tmp_path, households=HOUSEHOLDS + 30, since=dt.date(2017, 12, 31))
    assert len(cards(small_grocer)) == HOUSEHOLDS
    assert cards(small_grocer) < cards(tmp_path)


def test_composed_folders_say_so(small_grocer: Path) -> None:
    labels = sorted(path.parent.name for path in landing(small_grocer).rglob("COMPOSED.txt"))
    assert labels == ["app_signup", "crm_member", "hotline_lead"]


@pytest.mark.reference
def test_the_whole_year_is_the_packages(whole_grocer: Path) -> None:
    def rows(source: str) -> int:
        ending = ENDINGS.get(source, "csv")
        files = landed(landing(whole_grocer), f"{source}/{{on}}.{ending}")
        return sum(read(one.path, Source(SYSTEMS[ending])).num_rows for one in files)

    counts = {source: rows(source) for source in SOURCES if source.startswith("shop")}
    assert counts == {
        "shop_order": 1_469_307,
        "shop_product": 92_331,
        "shop_campaign": 27,
        "shop_demographic": 801,
        "shop_mailing": 6_589,
        "shop_redemption": 2_102,
    }
    summary = json.loads((whole_grocer / ".vesper" / "truth" / "summary.json").read_text(encoding="utf-8"))
    assert summary["households"] == 2_469
    assert 0.70 <= summary["households_complete_ratio"] <= 0.78


def test_the_settings_are_those_of_a_workspace(repository: Path) -> None:
    text = (repository / "examples" / "grocer" / "vesper.toml").read_text(encoding="utf-8")
    settings = Workspace(root=repository, **tomllib.loads(text))
    assert (settings.production, settings.mail.server, settings.company.zone) == (False, "loopback", "America/New_York")
    assert (settings.clock.mode, settings.clock.simulated_on) == ("simulated", dt.date(2018, 1, 1))
    assert settings.company.composed
