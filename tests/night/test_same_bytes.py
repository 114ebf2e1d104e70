"""The same night again: same bytes, same ledger, no second mail; with one thread as with two; replayed; filled in afterwards."""

import datetime as dt
from pathlib import Path

import pytest

from tasks import ops
from tasks.night import STAGES, directly, run_night
from tests.night.looking import files, ledger_rows, mails_of, manifest, messages, snapshots
from tests.small_grocer import FIRST, LAST, NIGHTS, SECOND, GrocerNights, copied
from vesper.stage_report import StageFailed
from warehouse.ledger.schema import CONSENT, MESSAGE, POINTER, RECEIPT, TOUCH


def test_the_night_sent_something(grocer_nights: GrocerNights) -> None:
    """Otherwise the tests below would prove nothing."""
    after = grocer_nights.after[LAST]
    arrived = mails_of(after)
    assert len(arrived) > 20
    assert arrived == dict.fromkeys(messages(after), 1)
    assert set(messages(after).values()) == {"accepted"}
    assert not mails_of(grocer_nights.after[SECOND])


@pytest.mark.requirement("R62", "R121")
def test_the_same_date_twice_gives_the_same_bytes_and_no_second_mail(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "again")
    run_night(directly, root, LAST, True)
    assert files(root) == files(before)
    assert snapshots(root) == snapshots(before)
    for table in (POINTER, RECEIPT, CONSENT, MESSAGE, TOUCH):
        assert ledger_rows(root, table) == ledger_rows(before, table), table.name
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R62", "R121")
def test_the_last_night_by_one_thread_in_another_folder_has_the_same_bytes(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    """The nights of the fixture ran with two threads."""
    root = copied(grocer_nights.after[SECOND], tmp_path / "anew")
    for stage in STAGES:
        stage.run(root, LAST, True, threads=1)  # type: ignore[call-arg]
    assert files(root) == files(grocer_nights.after[LAST])
    assert manifest(root) == manifest(grocer_nights.after[LAST])
    assert mails_of(root) == mails_of(grocer_nights.after[LAST])


@pytest.mark.requirement("R121")
@pytest.mark.parametrize("on", NIGHTS, ids=str)
def test_replay_gives_the_hashes_of_the_manifests(grocer_nights: GrocerNights, tmp_path: Path, on: dt.date) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "replayed")
    verdicts = ops.replayed(root, on)
    assert {name for name, verdict in verdicts.items() if verdict != "same"} == set()
    # Everything that the night published, but what is made of the ledger's messages and hand-overs, and the metrics of what was done.
    of_ledger = {"out__journey_entry", "mart__journey_funnel"}
    of_ledger |= {"mart__experiment", "mart__experiment_arm", "mart__holdout_lift"}
    of_sales = {"out__handover", "mart__follow_up", "mart__rule_acceptance", "mart__missed_win"}
    assert (
        set(manifest(root, on)) - set(verdicts) <= {"out__message", "out__refusal", "dq__metric"} | of_sales | of_ledger
    )
    assert (files(root), snapshots(root)) == (files(before), snapshots(before))
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R121")
def test_a_replay_that_differs_says_which_tables(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[FIRST], tmp_path / "words")
    with pytest.raises(StageFailed, match="2017-12-31"):
        ops.replay(root, SECOND)
    (root / ".vesper/landing/shop_campaign/2016-12-31.csv").unlink()
    with pytest.raises(StageFailed, match="core__campaign"):
        ops.replay(root, FIRST)


@pytest.mark.requirement("R121")
def test_backfill_publishes_the_same_night_moves_no_pointer_back_and_sends_nothing(
    grocer_nights: GrocerNights, tmp_path: Path
) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "filled")
    assert "2017-12-30" in ops.backfill(root, FIRST, FIRST)
    assert files(root) == files(before)
    assert snapshots(root) == snapshots(before)
    assert ledger_rows(root, POINTER) == ledger_rows(before, POINTER)
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R121")
def test_a_night_that_may_not_send_writes_no_intent(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "rehearsal")
    ops.backfill(root, LAST, LAST)
    assert messages(root) == {}
    assert not mails_of(root)
    assert "out__message" in manifest(root, LAST)
