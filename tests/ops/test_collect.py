"""Retention: what is kept stays readable to the byte, what is forgotten leaves no file, and a kill in between loses nothing."""

import datetime as dt
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.retention import retain
from tasks.sql import run_sql
from tests.ops.conftest import NIGHT, edit, held_by_another_process
from vesper.tables.order import ORDER_DAY
from warehouse.collect import collect, forget
from warehouse.lake import Candidate, Lake, Snapshot
from warehouse.ledger.engine import connect, open_ledger, reading
from warehouse.ledger.schema import LEDGER, POINTER, SNAPSHOT
from warehouse.lock import WorkspaceBusy, run_lock
from warehouse.part import Part, fingerprint_of
from warehouse.runner import Runner

TABLES = ("raw_shop__order", "core__contact", "mart__score")
FIRST = dt.date(2018, 1, 1)
DAYS = 12
EVERYTHING = dt.date.max

published = st.tuples(
    st.just("publish"),
    st.sampled_from(TABLES),
    st.integers(0, DAYS),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), max_size=4),
)
collected = st.tuples(st.just("collect"), st.integers(0, DAYS), st.integers(0, DAYS), st.booleans())


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


@contextmanager
def small_lake() -> Iterator[Lake]:
    """A lake of its own, its ledger made at once instead of migrated."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/.vesper/ledger.db")
        LEDGER.create_all(engine)
        yield Lake(Path(folder) / ".vesper" / "lake", engine)
        engine.dispose()


def settle(lake: Lake, name: str, key: str, content: int) -> Part:
    """A part of a few bytes; 0 is a part known to be empty."""
    if content == 0:
        return Part(key, "", 0, hashlib.sha256(b"").hexdigest())
    draft = lake.draft()
    draft.write_bytes(f"{name} {key} {content}".encode())
    return lake.settle(draft, name, key, content)


def publish(lake: Lake, name: str, on: dt.date, contents: dict[str, int]) -> None:
    parts = tuple(settle(lake, name, key, content) for key, content in sorted(contents.items()))
    lake.publish([Candidate(name, parts)], on, "run")


def snapshots(lake: Lake) -> list[Snapshot]:
    columns = [SNAPSHOT.c[name] for name in Snapshot.__dataclass_fields__]
    with reading(lake.engine) as connection:
        return [Snapshot(*row) for row in connection.execute(sa.select(*columns).order_by(SNAPSHOT.c.snapshot_id))]


def must_stay(before: list[Snapshot], pointed: set[int], keep_from: dt.date, keep_raw_from: dt.date) -> set[int]:
    """The rule, said plainly: within the retention, or pointed at, or the newest by id, or the night before the retention."""
    by_table: dict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in before:
        by_table[snapshot.table_name].append(snapshot)
    stays: set[int] = set()
    for name, nights in by_table.items():
        since = keep_raw_from if name.startswith("raw_") else keep_from
        older = [s for s in nights if s.business_on < since]
        eve = sorted(older, key=lambda s: (s.business_on, s.snapshot_id))[-1:]
        kept = [s for s in nights if s.business_on >= since or s.snapshot_id in pointed]
        stays |= {s.snapshot_id for s in [*eve, *kept, nights[-1]]}
    return stays


def assert_readable(lake: Lake) -> set[Path]:
    """Every snapshot has the parts of its fingerprint, every part the file of its hash. Returns the files."""
    files: set[Path] = set()
    for snapshot in snapshots(lake):
        parts = lake.parts(snapshot)
        assert fingerprint_of(parts) == snapshot.fingerprint
        for part, file in zip([p for p in parts if p.path], lake.files(parts), strict=True):
            assert hashlib.sha256(file.read_bytes()).hexdigest() == part.sha256
            files.add(file)
    return files


@settings(max_examples=60)
@example([("publish", "core__contact", 0, {"a": 1}), ("publish", "core__contact", 0, {}), ("collect", 1, 0, False)])
@given(st.lists(published | collected, max_size=30))
def test_what_is_kept_stays_readable_whatever_came_before(steps: list[tuple[object, ...]]) -> None:
    with small_lake() as lake:
        for step in steps:
            if step[0] == "publish":
                _, name, on, contents = step
                publish(lake, str(name), day(on), contents)  # type: ignore[arg-type]
                continue
            keep_from, keep_raw_from, is_killed = day(step[1]), day(step[2]), step[3]  # type: ignore[arg-type]
            before = snapshots(lake)
            with reading(lake.engine) as connection:
                pointed = set(connection.scalars(sa.select(POINTER.c.snapshot_id)))
            if is_killed:
                forget(lake, keep_from, keep_raw_from)
            else:
                collect(lake, keep_from, keep_raw_from)
            left = {snapshot.snapshot_id for snapshot in snapshots(lake)}
            assert left == must_stay(before, pointed, keep_from, keep_raw_from)
            named = assert_readable(lake)
            assert is_killed or not snapshots(lake) or set(lake.folder.glob("*/*.parquet")) == named
        assert_readable(lake)


def test_the_night_before_the_oldest_kept_one_stays_so_that_it_can_be_replayed() -> None:
    with small_lake() as lake:
        for number in range(6):
            publish(lake, "mart__score", day(number), {"all": number + 1})
        done = collect(lake, day(3), day(0))
        assert [s.business_on for s in snapshots(lake)] == [day(2), day(3), day(4), day(5)]
        assert (done.snapshots, done.files) == (2, 2)
        assert done.bytes == sum(len(f"mart__score all {n}") for n in (1, 2))
        assert lake.before("mart__score", day(3)) is not None
        assert collect(lake, day(3), day(0)).snapshots == 0


def test_a_late_run_of_an_old_night_keeps_the_pointer_and_the_newest() -> None:
    with small_lake() as lake:
        publish(lake, "mart__score", day(9), {"all": 1})
        publish(lake, "mart__score", day(2), {"all": 2})
        publish(lake, "mart__score", day(3), {"all": 3})
        collect(lake, EVERYTHING, EVERYTHING)
        assert [s.business_on for s in snapshots(lake)] == [day(9), day(3)]
        assert_readable(lake)


def test_a_kill_between_ledger_and_files_leaves_only_what_the_next_collection_takes() -> None:
    with small_lake() as lake:
        for number in range(4):
            publish(lake, "mart__score", day(number), {"all": number + 1})
        assert forget(lake, day(3), day(3)) == 2
        assert len(list(lake.folder.glob("*/*.parquet"))) == 4
        done = collect(lake, day(3), day(3))
        assert (done.snapshots, done.files) == (0, 2)
        assert_readable(lake)


def test_files_of_the_process_that_holds_the_lock_are_left_alone() -> None:
    with small_lake() as lake:
        publish(lake, "mart__score", day(1), {"all": 1})
        left = lake.folder / settle(lake, "mart__score", "all", 7).path
        os.utime(left, (1, 1))
        with run_lock(lake.folder.parent):
            about_to_publish = lake.folder / settle(lake, "mart__score", "all", 8).path
            assert collect(lake, day(1), day(1)).files == 1
            assert about_to_publish.exists() and not left.exists()
        assert collect(lake, day(1), day(1)).files == 1
        assert not about_to_publish.exists()


def test_a_ledger_that_knows_no_file_takes_none_away() -> None:
    with small_lake() as lake:
        part = settle(lake, "mart__score", "all", 1)
        assert collect(lake, EVERYTHING, EVERYTHING).files == 0
        assert (lake.folder / part.path).exists()


def test_nothing_is_collected_while_another_process_runs() -> None:
    with small_lake() as lake:
        publish(lake, "mart__score", day(1), {"all": 1})
        with held_by_another_process(lake.folder.parent), pytest.raises(WorkspaceBusy):
            collect(lake, EVERYTHING, EVERYTHING)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_table_cut_by_day_reads_the_same_after_collection(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Real Parquet, written and read by the runner, on both kinds of ledger."""
    url = f"sqlite:///{tmp_path}/ledger.db" if kind == "sqlite" else request.getfixturevalue("postgres")
    lake = Lake(tmp_path / ".vesper" / "lake", open_ledger(url))
    with Runner(lake) as runner:
        parts: dict[str, Part] = {}
        for number in range(5):
            on = day(number)
            parts[on.isoformat()] = runner.write(_orders(on, number), ORDER_DAY, key=on.isoformat())
            parts[FIRST.isoformat()] = runner.write(_orders(FIRST, number), ORDER_DAY, key=FIRST.isoformat())
            lake.publish([Candidate(ORDER_DAY.name, tuple(parts.values()))], on, "run")
        total = sa.select(sa.func.sum(ORDER_DAY.c.amount))
        before = {on: _read(runner, lake, on, total) for on in map(day, (3, 4))}
        done = collect(lake, day(4), day(4))
        assert done.snapshots == 3 and done.files == 3
        assert {on: _read(runner, lake, on, total) for on in before} == before
        assert lake.as_of(ORDER_DAY.name, day(2)) is None
    lake.engine.dispose()


def _orders(on: dt.date, orders: int) -> sa.Select[tuple[object, ...]]:
    at = sa.cast(sa.literal(f"{on} 12:00:00"), sa.DateTime)
    values: dict[str, Any] = {
        "ordered_on": sa.cast(sa.literal(str(on)), sa.Date),
        "contact_id": sa.literal("c1"),
        "first_at": at,
        "last_at": at,
    }
    figures: dict[str, Any] = {
        "order_count": sa.literal(orders + 1),
        "line_count": sa.literal(1),
        "amount": sa.literal(orders * 10),
    }
    return sa.select(*[(values | figures)[c.name].label(c.name) for c in ORDER_DAY.c])


def _read(runner: Runner, lake: Lake, on: dt.date, total: sa.Select[tuple[object]]) -> object:
    runner.bind_snapshot(ORDER_DAY, lake.as_of(ORDER_DAY.name, on))
    return runner.scalar(total)


def test_a_workspace_keeps_the_nights_that_its_settings_name(own_grocer: Path) -> None:
    tables = ("core__contact", "mart__score", "raw_crm__member", "mart__activity")
    counts = {name: run_sql(own_grocer, f"select count(*) from {name}") for name in tables}
    assert retain(own_grocer).snapshots == 0
    settings = own_grocer / "vesper.toml"
    edit(settings, r"\[notices\]", "[retention]\nderived_days = 2\nraw_days = 1\n\n[notices]")
    assert retain(own_grocer).snapshots == 0
    engine = open_ledger(f"sqlite:///{own_grocer / '.vesper' / 'ledger.db'}")
    lake = Lake(own_grocer / ".vesper" / "lake", engine)
    old = lake.as_of("mart__score", NIGHT)
    assert old is not None
    for name, ago in (("mart__score", 40), ("mart__score", 30)):
        lake.publish([Candidate(name, lake.parts(old))], NIGHT - dt.timedelta(days=ago), "backfill")
    publish(lake, "mart__score", NIGHT - dt.timedelta(days=20), {"all": 3})
    done = retain(own_grocer)
    assert (done.snapshots, done.files) == (2, 0)
    engine.dispose()
    assert {name: run_sql(own_grocer, f"select count(*) from {name}") for name in tables} == counts
