"""Each of the ten ways of breaking an input breaks one file, says so, and can be mended by composing again."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sources import SourceUnreadable, read
from examples.grocer.breakage import WAYS, break_input
from examples.grocer.compose import MARKER, compose
from tests.examples.conftest import HOUSEHOLDS, SINCE
from tests.examples.test_grocer_landing import fingerprints, landing

UNREADABLE = {"wrong_encoding": "csv", "truncated_xlsx": "excel", "empty_file": "csv"}


@dataclass(frozen=True)
class Source:
    system: str
    encoding: str = "auto"


def test_there_are_ten_ways() -> None:
    assert len(WAYS) == 10


@pytest.mark.parametrize("way", WAYS)
def test_a_way_changes_one_file_of_the_last_day_and_keeps_its_arrival(own_grocer: Path, way: str) -> None:
    before = fingerprints(own_grocer)
    sentence = break_input(own_grocer, way)
    after = fingerprints(own_grocer)
    changed = [name for name in before if before[name] != after[name]]
    assert (len(changed), before.keys()) == (1, after.keys())
    assert sentence.startswith(changed[0].removeprefix(".vesper/landing/") + ": ")
    assert sentence.endswith(".")
    assert before[changed[0]][1] == after[changed[0]][1]


@pytest.mark.parametrize(("way", "system"), UNREADABLE.items())
def test_a_file_that_cannot_be_read_gives_one_sentence(own_grocer: Path, way: str, system: str) -> None:
    name = break_input(own_grocer, way).split(": ")[0]
    with pytest.raises(SourceUnreadable, match=name):
        read(landing(own_grocer) / name, Source(system))


def test_what_the_other_ways_do_can_be_seen_in_the_rows(own_grocer: Path, small_grocer: Path) -> None:
    good = read(landing(small_grocer) / "shop_order" / "2017-12-31.parquet", Source("parquet"))
    keys = {"volume_tenth": good.num_rows // 10, "invalid_keys": good.num_rows, "clock_one_day_off": good.num_rows}
    for way, rows in keys.items():
        name = break_input(own_grocer, way).split(": ")[0]
        assert read(landing(own_grocer) / name, Source("parquet")).num_rows == rows
        (own_grocer / ".vesper" / MARKER).unlink()
        compose(own_grocer, households=HOUSEHOLDS, since=SINCE)
    assert fingerprints(own_grocer) == fingerprints(small_grocer)


def test_an_unknown_way_and_an_empty_workspace_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column_missing, column_added"):
        break_input(tmp_path, "earthquake")
    with pytest.raises(FileNotFoundError, match="compose the grocer first"):
        break_input(tmp_path, "empty_file")
