"""The same night again: same bytes, same ledger, no second mail; with one thread as with two; replayed; filled in afterwards."""

import datetime as dt
from pathlib import Path

import pytest

from tasks.night import STAGES, directly, run_night
from tests.night.looking import files, ledger_rows, mails_of, manifest, messages, snapshots
from tests.small_grocer import FIRST, LAST, NIGHTS, SECOND, GrocerNights, copied
from warehouse.ledger.schema import CONSENT, MESSAGE, POINTER, RECEIPT, TOUCH

REPLAYED = [stage for stage in STAGES if stage.word != "send"]


def test_the_night_sent_something(grocer_nights: GrocerNights) -> None:
    """Otherwise the tests below would prove nothing."""
    after = grocer_nights.after[LAST]
    arrived = mails_of(after)
    assert len(arrived) > 20
    assert arrived == dict.fromkeys(messages(after), 1)
    assert set(messages(after).values()) == {"accepted"}
    assert not mails_of(grocer_nights.after[SECOND])


@pytest.mark.requirement("R62", "R121")
def test_the_same_date_twice_gives_the_same_bytes_and_no_second_mail(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "again")
    run_night(directly, root, LAST, True)
    assert files(root) == files(before)
    assert snapshots(root) == snapshots(before)
    for table in (POINTER, RECEIPT, CONSENT, MESSAGE, TOUCH):
        assert ledger_rows(root, table) == ledger_rows(before, table), table.name
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R62", "R121")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_last_night_written_anew_has_the_same_bytes(grocer_nights: GrocerNights, tmp_path: Path, threads: int) -> None:
    """From the evening before, in another folder: what the reused parts of a rerun could hide."""
    root = copied(grocer_nights.after[SECOND], tmp_path / "anew")
    for stage in STAGES:
        stage.run(root, LAST, True, threads=threads)  # type: ignore[call-arg]
    assert files(root) == files(grocer_nights.after[LAST])
    assert manifest(root) == manifest(grocer_nights.after[LAST])
    assert mails_of(root) == mails_of(grocer_nights.after[LAST])


@pytest.mark.requirement("R121")
@pytest.mark.parametrize(("on", "threads"), [(FIRST, 1), (SECOND, 2), (LAST, 1)])
def test_replay_gives_the_hashes_of_the_manifests(grocer_nights: GrocerNights, tmp_path: Path, on: dt.date, threads: int) -> None:
    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "replayed")
    verdicts: dict[str, str] = {}
    for stage in REPLAYED:
        report = stage.run(root, on, False, mode="replay", threads=threads)  # type: ignore[call-arg]
        verdicts |= report.facts["replay"]
    assert {name for name, verdict in verdicts.items() if verdict != "same"} == set()
    # Everything that the night published was looked at, but the copy of the ledger's messages and the metrics that tell of reuse.
    assert set(manifest(root, on)) - set(verdicts) <= {"out__message", "dq__metric"}
    assert (files(root), snapshots(root)) == (files(before), snapshots(before))
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R121")
def test_backfill_publishes_the_same_nights_and_sends_nothing(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    from tasks import ops

    before = grocer_nights.after[LAST]
    root = copied(before, tmp_path / "filled")
    ops.backfill(root, FIRST, SECOND)
    assert files(root) == files(before)
    assert snapshots(root) == snapshots(before)
    assert ledger_rows(root, POINTER) == ledger_rows(before, POINTER)
    assert mails_of(root) == mails_of(before)


@pytest.mark.requirement("R121")
def test_a_night_of_another_date_than_the_clocks_writes_no_intent(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    from tasks import ops

    root = copied(grocer_nights.after[SECOND], tmp_path / "rehearsal")
    ops.backfill(root, LAST, LAST)
    assert messages(root) == {}
    assert not mails_of(root)
    assert "out__message" in manifest(root)


def test_the_words_of_a_replay(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    from tasks import ops

    root = copied(grocer_nights.after[FIRST], tmp_path / "words")
    assert "2017-12-30" in ops.replay(root, FIRST)
    with pytest.raises(Exception, match="2017-12-31") as refused:
        ops.replay(root, NIGHTS[1])
    assert "Traceback" not in str(refused.value)
