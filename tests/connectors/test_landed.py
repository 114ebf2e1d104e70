"""Which files count as landed, and what is known of each."""

import datetime as dt
import hashlib
import os
from pathlib import Path

import pytest

from connectors.sources import SourceUnreadable, landed


def test_files_come_by_day_with_arrival_and_fingerprint(tmp_path: Path) -> None:
    folder = tmp_path / "crm_member"
    folder.mkdir()
    for name in ("2017-12-31.csv", "2017-12-30.csv", "2017-12-31.csv.tmp", "COMPOSED.txt"):
        (folder / name).write_text(name)
    os.utime(folder / "2017-12-30.csv", (1_514_700_000, 1_514_700_000))
    first, second = landed(tmp_path, "crm_member/{on}.csv")
    assert (first.on, second.on) == (dt.date(2017, 12, 30), dt.date(2017, 12, 31))
    assert first.received_at == dt.datetime(2017, 12, 31, 6, 0)
    assert (first.size, first.sha256) == (14, hashlib.sha256(b"2017-12-30.csv").hexdigest())


def test_a_source_that_has_not_delivered_has_no_files(tmp_path: Path) -> None:
    assert landed(tmp_path, "crm_member/{on}.csv") == []


def test_a_day_that_does_not_exist_and_a_pattern_without_a_day(tmp_path: Path) -> None:
    (tmp_path / "orders-2017-02-30.csv").touch()
    with pytest.raises(SourceUnreadable, match="2017-02-30"):
        landed(tmp_path, "orders-{on}.csv")
    with pytest.raises(ValueError, match="on"):
        landed(tmp_path, "orders.csv")
