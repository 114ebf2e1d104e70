"""The instruments maker: the same bytes every time, files that say they are composed, and definitions whose figures are published ones."""

import csv
import datetime as dt
import gzip
import json
import shutil
from pathlib import Path

import pytest

from connectors.sources import landed, read
from examples.instruments.calendar import FIRST, HISTORY, LAST, STORY
from examples.instruments.compose import DAILY, compose
from examples.instruments.record import SOURCES
from tests.examples.test_grocer_landing import Source, fingerprints
from vesper.check import check
from vesper.clock import instant
from vesper.load import load_definitions
from vesper.model.market import Market
from vesper.model.scoring import ScoringRule
from vesper.model.source import Source as Declared

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "instruments"
SIZE, SINCE = 40, STORY - dt.timedelta(days=14)
ANSWERS = "handover_sheet"
"""What the company's own sales write; nobody composes it."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one with its definitions. Read only."""
    root = tmp_path_factory.mktemp("instruments")
    shutil.copy(EXAMPLE / "vesper.toml", root)
    shutil.copytree(EXAMPLE / "definitions", root / "definitions")
    compose(root, size=SIZE, since=SINCE)
    return root


@pytest.mark.requirement("R62")
def test_composing_again_elsewhere_gives_the_same_bytes_and_times(small: Path, tmp_path: Path) -> None:
    compose(tmp_path, size=SIZE, since=SINCE)
    told = {name: mark for name, mark in fingerprints(small).items() if name.startswith(".vesper")}
    assert fingerprints(tmp_path) == told


def test_what_is_composed_already_is_left_alone(small: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(small, tmp_path / "own"))
    form = next((own / ".vesper" / "landing" / "web_form").glob("*.jsonl"))
    form.write_bytes(b"touched")
    compose(own, size=SIZE, since=SINCE)
    assert form.read_bytes() == b"touched"


def test_files_arrive_half_an_hour_before_the_cut_off(small: Path) -> None:
    for id, source in load_definitions(small).of(Declared).items():
        for one in landed(small / ".vesper" / "landing", source.path):
            assert one.received_at == instant(one.on, dt.time(19, 30), "Asia/Shanghai"), id


def test_every_file_can_be_read_and_has_the_columns_that_its_source_declares(small: Path) -> None:
    for id, source in load_definitions(small).of(Declared).items():
        files = landed(small / ".vesper" / "landing", source.path)
        columns = {field.column for field in source.fields.values()}
        for one in files:
            assert columns <= set(read(one.path, Source(source.system, source.encoding)).column_names), one.path.name
        if id in DAILY:
            assert [one.on for one in files] == [SINCE + dt.timedelta(days=i) for i in range((LAST - SINCE).days + 1)]


def test_composed_folders_and_sources_say_so(small: Path) -> None:
    labels = {path.parent.name for path in (small / ".vesper" / "landing").rglob("COMPOSED.txt")}
    assert labels == set(SOURCES)
    sources = load_definitions(EXAMPLE).of(Declared)
    assert all(sources[id].composed and "编造" in sources[id].title("zh_CN") for id in SOURCES)


def test_the_truth_names_the_person_of_each_row(small: Path) -> None:
    with (small / ".vesper" / "truth" / "people.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    forms = [one for one in told if one["source"] == "web_form"]
    rows = [
        json.loads(line)
        for path in (small / ".vesper" / "landing" / "web_form").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert {one["key"] for one in forms} == {row["form_id"] for row in rows if row["email"]}
    assert len({one["person"] for one in told}) > SIZE


@pytest.mark.requirement("R4")
def test_the_definitions_are_right_as_they_stand() -> None:
    assert check(EXAMPLE) == []
    sources = load_definitions(EXAMPLE).of(Declared)
    assert sources["hotline_400"].series == "400Inbound"
    assert sources.keys() == {*SOURCES, ANSWERS}


@pytest.mark.requirement("R50", "R51", "R52", "R53", "R58")
def test_the_scoring_table_is_s3s() -> None:
    definitions = load_definitions(EXAMPLE)
    rule = definitions.of(ScoringRule)["mail_clicks_after_form"]
    assert [(band.at_least, band.at_most, band.points) for band in rule.bands] == [(0, 0, 5), (1, 1, 0), (2, None, 20)]
    assert {one.kind for one in definitions.of(ScoringRule).values()} == {"fit", "engagement"}


@pytest.mark.reference
@pytest.mark.requirement("R18")
def test_market_sizes_are_the_published_ones(reference_data: Path) -> None:
    sizes = {id: market.size.value for id, market in load_definitions(EXAMPLE).of(Market).items()}
    china = reference_data / "china_market_size" / "guangdong_city_industrial_enterprises_above_scale.csv"
    with china.open(encoding="utf-8-sig", newline="") as file:
        cities = {row["city"]: int(row["enterprise_units"]) for row in csv.DictReader(file) if row["year"] == "2023"}
    america = reference_data / "us_susb_2021" / "us_state_2digitnaics_2021.csv.gz"
    with gzip.open(america, "rt", encoding="utf-8-sig", newline="") as file:
        firms = {(row["State_Name"], row["NAICS"]): int(row["Firms"]) for row in csv.DictReader(file)}
    assert sizes == {
        "yunfu_industry": cities["云浮"],
        "shanwei_industry": cities["汕尾"],
        "dongguan_industry": cities["东莞"],
        "oregon_utilities": firms["Oregon", "22"],
    }


def test_the_days_of_the_example() -> None:
    assert (HISTORY + dt.timedelta(days=1), (LAST - FIRST).days + 1) == (FIRST, 103)
    assert (STORY.weekday(), (LAST - STORY).days) == (0, 18)
