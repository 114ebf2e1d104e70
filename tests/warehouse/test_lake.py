"""The lake on both kinds of ledger: snapshots, pointers, interval-coded parts, drafts."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from warehouse.lake import Candidate, Lake, empty_part
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import POINTER, SNAPSHOT, SNAPSHOT_PART
from warehouse.part import Part

MONDAY, TUESDAY, WEDNESDAY = dt.date(2018, 1, 1), dt.date(2018, 1, 2), dt.date(2018, 1, 3)


def put(lake: Lake, key: str, content: str) -> Part:
    draft = lake.draft()
    draft.write_text(content, encoding="utf-8")
    return lake.settle(draft, "core__thing", key, len(content))


def candidate(lake: Lake, **contents: str) -> Candidate:
    return Candidate("core__thing", tuple(put(lake, key, content) for key, content in sorted(contents.items())))


def publish(lake: Lake, on: dt.date, **contents: str) -> None:
    lake.publish([candidate(lake, **contents)], on, "run")


def count(lake: Lake, table: sa.Table) -> int:
    with reading(lake.engine) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def read(lake: Lake, on: dt.date) -> Mapping[str, str]:
    """The contents of the table as of a date."""
    return {part.key: (lake.folder / part.path).read_text() for part in lake.parts(lake.as_of("core__thing", on))}


@pytest.mark.requirement("R62")
def test_a_table_is_published_once_however_often_it_is(lake: Lake) -> None:
    publish(lake, MONDAY, a="one", b="two")
    first = lake.in_force("core__thing")
    publish(lake, MONDAY, a="one", b="two")
    assert lake.in_force("core__thing") == first
    assert (count(lake, SNAPSHOT), count(lake, SNAPSHOT_PART)) == (1, 2)
    assert lake.tables() == ["core__thing"]


def test_a_night_adds_rows_only_for_the_parts_that_changed(lake: Lake) -> None:
    publish(lake, MONDAY, a="one", b="two", c="three")
    publish(lake, TUESDAY, a="one", b="TWO", d="four")
    assert (count(lake, SNAPSHOT), count(lake, SNAPSHOT_PART)) == (2, 5)
    assert read(lake, MONDAY) == {"a": "one", "b": "two", "c": "three"}
    assert read(lake, TUESDAY) == {"a": "one", "b": "TWO", "d": "four"}
    publish(lake, WEDNESDAY, a="one", b="TWO", d="four")
    assert (count(lake, SNAPSHOT), count(lake, SNAPSHOT_PART)) == (3, 5)
    assert read(lake, WEDNESDAY) == read(lake, TUESDAY)


@pytest.mark.requirement("R121")
def test_a_pointer_never_moves_to_an_earlier_date(lake: Lake) -> None:
    publish(lake, MONDAY, a="monday")
    publish(lake, TUESDAY, a="tuesday")
    tuesday = lake.in_force("core__thing")
    publish(lake, MONDAY, a="monday, once more")
    assert lake.in_force("core__thing") == tuesday
    assert (read(lake, MONDAY), read(lake, TUESDAY)) == ({"a": "monday, once more"}, {"a": "tuesday"})
    publish(lake, WEDNESDAY, a="wednesday")
    assert read(lake, TUESDAY) == {"a": "tuesday"}
    now = lake.in_force("core__thing")
    assert now is not None
    assert now.business_on == WEDNESDAY


@pytest.mark.requirement("R121")
def test_as_of_takes_the_latest_date_and_of_that_the_newest_snapshot(lake: Lake) -> None:
    assert lake.as_of("core__thing", MONDAY) is None
    assert lake.parts(None) == ()
    publish(lake, TUESDAY, a="tuesday")
    publish(lake, TUESDAY, a="tuesday, mended")
    publish(lake, MONDAY, a="monday, filled in later")
    assert read(lake, MONDAY - dt.timedelta(days=1)) == {}
    assert read(lake, MONDAY) == {"a": "monday, filled in later"}
    assert read(lake, WEDNESDAY) == {"a": "tuesday, mended"}
    before = lake.before("core__thing", TUESDAY)
    assert before is not None
    assert before.business_on == MONDAY


def test_all_pointers_of_a_stage_move_in_one_transaction_with_what_belongs_to_them(lake: Lake) -> None:
    def fails(connection: sa.Connection) -> None:
        raise RuntimeError("the outbox is full")

    publish(lake, MONDAY, a="one")
    with pytest.raises(RuntimeError, match="outbox"):
        lake.publish([candidate(lake, a="two")], TUESDAY, "run", [fails])
    assert read(lake, TUESDAY) == {"a": "one"}
    assert (count(lake, SNAPSHOT), count(lake, SNAPSHOT_PART), count(lake, POINTER)) == (1, 1, 1)


def test_a_thousand_parts_are_closed_and_opened_at_once(lake: Lake) -> None:
    """More than one statement may name."""
    many: dict[str, Any] = {f"part{number:04}": empty_part(f"part{number:04}") for number in range(1200)}
    lake.publish([Candidate("core__thing", tuple(many.values()))], MONDAY, "run")
    lake.publish([Candidate("core__thing", (empty_part("rest"),))], TUESDAY, "run")
    assert [part.key for part in lake.parts(lake.as_of("core__thing", TUESDAY))] == ["rest"]
    assert len(lake.parts(lake.as_of("core__thing", MONDAY))) == 1200
    assert lake.files(lake.parts(lake.as_of("core__thing", MONDAY))) == []


def test_a_file_is_named_by_its_content_and_a_draft_is_swept(small_lake: Lake) -> None:
    one, two = put(small_lake, "a", "same"), put(small_lake, "a", "same")
    assert one == two
    assert put(small_lake, "a", "other").path != one.path
    assert one.sha256[:16] in one.path
    left = small_lake.draft()
    left.write_text("half")
    small_lake.sweep()
    assert list(small_lake.drafts.iterdir()) == []
    assert (small_lake.folder / one.path).read_text() == "same"
