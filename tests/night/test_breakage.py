"""Ten ways of breaking one input of the night: set aside, warned of, or one sentence that stops it; never in silence, never a traceback."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from examples.grocer.breakage import WAYS, break_input
from tasks.night import WORDS, directly, run_night
from tests.night.looking import Manifest, mails_of, manifest, messages, notices, rows, runs
from tests.small_grocer import LAST, SECOND, GrocerNights, copied
from vesper.stage_report import StageFailed

# What the sentence says: source, file or rule, and how many rows where rows can be counted.
STOPS: dict[str, Sequence[str]] = {
    "column_missing": ("crm_member", "2017-12-31.csv", "手机", "联系电话", " 4 "),
    "wrong_encoding": ("crm_member", "2017-12-31.csv", "utf-8", "第 3 行"),
    "truncated_xlsx": ("hotline_lead", "2017-12-31.xlsx", "Excel"),
    "empty_file": ("shop_redemption", "2017-12-31.csv", "0 字节"),
    "yesterday_again": ("shop_order", "2017-12-31.parquet", "2017-12-30.parquet", "repeated", "235"),
    "volume_tenth": ("shop_order", "2017-12-31.parquet", "rows.drop_ratio", " 31 "),
    "unknown_category": ("crm_member", "2017-12-31.csv", "category:consent_text", "unknown: fail", " 3 "),
    "invalid_keys": ("shop_order", "2017-12-31.parquet", "required:order_id", "max_quarantine_ratio", " 16 "),
    "clock_one_day_off": ("shop_order", "2017-12-31.parquet", "time:ordered_at", " 316 "),
}
WARNS = {"column_added": ("crm_member", "2017-12-31.csv", "微信号")}


def test_every_way_has_an_outcome() -> None:
    assert set(STOPS) | set(WARNS) == set(WAYS)


@pytest.mark.requirement("R2", "R103", "R112")
@pytest.mark.parametrize("way", STOPS)
def test_a_broken_input_stops_the_night_with_one_sentence(
    grocer_nights: GrocerNights, tmp_path: Path, way: str
) -> None:
    before = grocer_nights.after[SECOND]
    root = copied(before, tmp_path / "broken")
    break_input(root, way)
    with pytest.raises(StageFailed) as stopped:
        run_night(directly, root, LAST, True)
    sentence = f" {stopped.value} "
    spaced = "".join(f" {letter} " if letter in "（）" else letter for letter in sentence)
    assert [word for word in STOPS[way] if word not in sentence and word not in spaced] == []
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    _nothing_happened(root, manifest(before), str(stopped.value))


def _nothing_happened(root: Path, before: Manifest, sentence: str) -> None:
    """Nothing downstream ran, nothing was published or sent, what was published before can be read, the owner knows."""
    assert runs(root, "failed") == ["consolidate"]
    assert manifest(root) == before
    assert len(rows(root, "mart__score")) > 100
    assert len(rows(root, "core__order_line")) > 1000
    assert messages(root) == {}
    assert not mails_of(root)
    (notice,) = notices(root)
    assert notice.startswith("data-team@grocer.example.com\n")
    assert sentence in notice


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("way", WARNS)
def test_a_harmless_change_is_warned_of_and_the_night_goes_on(
    grocer_nights: GrocerNights, tmp_path: Path, way: str
) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "changed")
    break_input(root, way)
    (report,) = run_night(directly, root, LAST, True, WORDS[:1])
    (warning,) = report.warnings
    assert [word for word in WARNS[way] if word not in warning] == []
    assert report.rows == grocer_nights.reports[LAST][0].rows


@pytest.mark.requirement("R10", "R1")
def test_rows_that_were_set_aside_are_kept_with_their_rule(grocer_nights: GrocerNights) -> None:
    """The composed CRM holds rows without their key; each is in quarantine once, with the rule and the row as it came."""
    after = grocer_nights.after[LAST]
    kept = rows(after, "dq__quarantine")
    counted = [report.quarantined for report in (grocer_nights.reports[on][0] for on in grocer_nights.reports)]
    assert len(kept) == sum(sum(one.values()) for one in counted) > 0
    assert {(row["source"], row["rule_id"]) for row in kept} == {key for one in counted for key in one}
    assert all(row["row_json"] and row["row_key"] for row in kept)
