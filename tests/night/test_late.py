"""Files that come late or not at all: what reads them keeps yesterday's rows, nobody new is written to, and the next night makes up for it."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest

from tasks.night import directly, run_night
from tests.night.looking import ledger_rows, mails_of, manifest, messages, rows
from tests.small_grocer import FIRST, LAST, SECOND, GrocerNights, copied
from vesper.clock import cutoff_at
from vesper.stage_report import StageFailed
from warehouse.ledger.schema import RECEIPT, REFUSAL

ZONE = "America/New_York"
RULE = "redeemed_90d"


def landing(root: Path, name: str) -> Path:
    return root / ".vesper" / "landing" / name


def reasons(root: Path, rule: str) -> list[dict[str, Any]]:
    """Yesterday's or tonight's rows of a rule, without what is of the night itself."""
    found = [row for row in rows(root, "mart__score_reason") if row["rule_id"] == rule]
    return [
        {name: value for name, value in row.items() if name not in ("business_on", "definition_hash")} for row in found
    ]


def members(root: Path, segment: str) -> set[str]:
    return {row["contact_id"] for row in rows(root, "mart__segment_member") if row["segment_id"] == segment}


@pytest.mark.requirement("R105", "R106")
def test_a_missing_event_source_changes_no_score_and_sends_no_win_back(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    yesterday = grocer_nights.after[SECOND]
    root = copied(yesterday, tmp_path / "missing")
    landing(root, "shop_redemption/2017-12-31.csv").unlink()
    reports = run_night(directly, root, LAST, True)
    (warning,) = reports[0].warnings
    assert "shop_redemption" in warning
    assert "2017-12-31" in warning
    (held,) = [row["source"] for row in rows(root, "core__coverage") if row["is_held"]]
    assert held == "shop_redemption"
    assert reasons(root, RULE) == reasons(yesterday, RULE) != []
    assert members(root, "silent_90d") == members(yesterday, "silent_90d") != set()
    assert messages(root) == {}
    assert not mails_of(root)
    refused = {row[REFUSAL.c.keys().index("reason")] for row in ledger_rows(root, REFUSAL)}
    assert "held" in refused


@pytest.mark.requirement("R105", "R121")
def test_a_late_file_is_taken_in_by_the_next_night(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[FIRST], tmp_path / "late")
    file = landing(root, "shop_redemption/2017-12-30.csv")
    content = file.read_bytes()
    file.unlink()
    run_night(directly, root, SECOND, False)
    assert [row["source"] for row in rows(root, "core__coverage") if row["is_held"]] == ["shop_redemption"]
    file.write_bytes(content)
    arrived = cutoff_at(SECOND, ZONE).replace(tzinfo=dt.UTC) + dt.timedelta(hours=1)
    os.utime(file, (arrived.timestamp(), arrived.timestamp()))
    run_night(directly, root, LAST, True)
    on_time = grocer_nights.after[LAST]
    assert [row["source"] for row in rows(root, "core__coverage") if row["is_held"]] == []
    for table, key in (("core__event", "event_id"), ("mart__score", "score"), ("mart__segment_member", "segment_id")):
        assert _pairs(root, table, key) == _pairs(on_time, table, key), table
    assert mails_of(root) == mails_of(on_time)
    taken_in = {row[1]: row[-1] for row in ledger_rows(root, RECEIPT) if row[0] == "shop_redemption"}
    assert taken_in["2017-12-30.csv"] == LAST
    assert taken_in["2017-12-29.csv"] == FIRST


def _pairs(root: Path, table: str, key: str) -> list[tuple[str, str]]:
    return sorted((str(row["contact_id"]), str(row[key])) for row in rows(root, table))


@pytest.mark.requirement("R105", "R103")
def test_a_missing_source_that_blocks_stops_the_night_and_is_named(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    yesterday = grocer_nights.after[SECOND]
    root = copied(yesterday, tmp_path / "blocked")
    landing(root, "shop_order/2017-12-31.parquet").unlink()
    with pytest.raises(StageFailed, match=r"shop_order.*2017-12-31"):
        run_night(directly, root, LAST, True)
    assert manifest(root) == manifest(yesterday)
    assert messages(root) == {}


@pytest.mark.requirement("R105")
def test_a_file_after_the_cut_off_is_not_of_the_night(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "too_late")
    file = landing(root, "shop_order/2017-12-31.parquet")
    at = cutoff_at(LAST, ZONE).replace(tzinfo=dt.UTC).timestamp() + 1
    os.utime(file, (at, at))
    with pytest.raises(StageFailed, match=r"shop_order.*2017-12-31"):
        run_night(directly, root, LAST, True)
