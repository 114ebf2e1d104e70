"""Patched tables: whatever nights patch, the table holds what a full write would hold, in bytes that only the whole and the content decide."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesper.erasure import Cut
from vesper.tables.declare import DATE, INTEGER, TEXT, column, stored, table, the_night
from warehouse.arrow_schema import arrow_schema
from warehouse.collect import collect
from warehouse.lake import Candidate, Lake
from warehouse.ledger.engine import open_ledger
from warehouse.part import PATCH, VOID, WHOLE, Part, row_count_of
from warehouse.patching import keep_differing, write_difference, write_patch
from warehouse.rewrite import repoint, retained, rewritten
from warehouse.runner import Runner

Rows = dict[tuple[str, str], tuple[int | None, int | None]]
"""(segment, person) -> (points, points before)."""
THING = table(
    "mart__thing",
    column("business_on", DATE, "Night", required=True),
    column("segment_id", TEXT, "Segment", required=True),
    column("contact_id", TEXT, "Person", required=True),
    column("points", INTEGER, "Points"),
    column("earlier", INTEGER, "Points before the last change"),
    column("changed_on", DATE, "Night of the last change"),
    column("previous", INTEGER, "Points of the night before"),
    grain=("business_on", "segment_id", "contact_id"),
    owner="test",
    says="A patched table with derived columns.",
    patched=True,
    derived={
        "business_on": the_night,
        "previous": lambda rows, on: sa.case((rows.c.changed_on == on, rows.c.earlier), else_=rows.c.points),
    },
    metadata=sa.MetaData(),
)
DAY = dt.date(2018, 3, 1)
PEOPLE = [f"p{number}" for number in range(12)]
KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from(PEOPLE))
STATES = st.dictionaries(KEYS, st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=24)


@contextmanager
def opened(threads: int = 2, has_ledger: bool = False) -> Iterator[tuple[Lake, Runner]]:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        engine = open_ledger(url) if has_ledger else sa.create_engine(url)
        lake = Lake(Path(folder) / "store" / "lake", engine)
        with Runner(lake, threads) as runner:
            yield lake, runner
        engine.dispose()


def bound(runner: Runner, name: str, rows: Rows) -> sa.Table:
    listed = [
        {"segment_id": s, "contact_id": p, "points": now, "earlier": before, "changed_on": DAY}
        for (s, p), (now, before) in rows.items()
    ]
    schema = arrow_schema(stored(THING))
    runner.bind_arrow(name, pa.Table.from_pylist(listed, schema=schema))
    return sa.Table(name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in stored(THING).c])


def keys(runner: Runner, people: set[str]) -> sa.Table:
    runner.bind_arrow("touched", pa.table({"contact_id": pa.array(sorted(people), pa.string())}))
    return sa.Table("touched", sa.MetaData(), sa.Column("contact_id", sa.String()))


def patched(
    runner: Runner, before: tuple[Part, ...], was: Rows, now: Rows, is_whole: bool | None = None
) -> tuple[Part, ...]:
    """The parts after a night whose rows of touched people are given anew, and no other rows."""
    people = {person for key in was.keys() | now.keys() if was.get(key) != now.get(key) for person in [key[1]]}
    select = sa.select(bound(runner, "tonight", {key: value for key, value in now.items() if key[1] in people}))
    return write_patch(runner, select, THING, before, keys(runner, people), is_whole)


def stated(runner: Runner, before: tuple[Part, ...], now: Rows, is_whole: bool | None = None) -> tuple[Part, ...]:
    """The parts after a night that states all rows."""
    prepared = runner.prepare(sa.select(bound(runner, "tonight", now)), THING)
    return write_difference(runner, prepared, THING, before, is_whole)


def held(runner: Runner, parts: tuple[Part, ...], on: dt.date = DAY) -> Rows:
    runner.bind_parts(THING, parts, on)
    rows = runner.rows(sa.select(THING))
    assert {row.business_on for row in rows} <= {on}
    return {(row.segment_id, row.contact_id): (row.points, row.earlier) for row in rows}


@pytest.mark.requirement("R62")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states=st.lists(STATES, min_size=2, max_size=5))
def test_patches_hold_what_a_full_write_holds_in_bytes_that_only_whole_and_content_decide(states: list[Rows]) -> None:
    with opened(1) as (_, runner), opened(2) as (_, other):
        first = (runner.write(sa.select(bound(runner, "tonight", states[0])), THING),)
        assert first == (other.write(sa.select(bound(other, "tonight", states[0])), THING),)
        parts: tuple[Part, ...] = first
        for was, now in pairwise(states):
            parts = patched(runner, parts, was, now, is_whole=False)
            assert held(runner, parts) == now
            assert row_count_of(parts) == len(now)
            assert [part.key for part in parts] == [WHOLE, PATCH, VOID]
            at_once = patched(other, first, states[0], now, is_whole=False)
            assert [part.sha256 for part in parts] == [part.sha256 for part in at_once]
            assert at_once == stated(other, first, now, is_whole=False)
            sides = keep_differing(
                runner, THING, first, parts, ["segment_id", "contact_id", "points", "earlier"], "changed"
            )
            rows = [{((r[0], r[1]), (r[2], r[3])) for r in runner.rows(sa.select(side))} for side in sides]
            assert rows == [states[0].items() - now.items(), now.items() - states[0].items()]


def test_a_large_patch_becomes_a_whole(small_lake: Lake) -> None:
    was: Rows = {("a", f"p{number}"): (1, None) for number in range(100)}
    with Runner(small_lake) as runner:
        first = (runner.write(sa.select(bound(runner, "tonight", was)), THING),)
        little = patched(runner, first, was, was | {("a", f"p{n}"): (2, None) for n in range(5)})
        assert [(part.key, part.row_count) for part in little] == [(WHOLE, 100), (PATCH, 5), (VOID, 5)]
        assert little[0] == first[0]
        much = was | {("a", f"p{n}"): (2, None) for n in range(6)}
        (whole,) = patched(runner, little, was | {("a", f"p{n}"): (2, None) for n in range(5)}, much)
        assert (whole,) == stated(runner, little, much)
        assert held(runner, (whole,)) == much
        for side in keep_differing(runner, THING, little, (whole,), ["segment_id", "contact_id"], "changed"):
            assert [tuple(row) for row in runner.rows(sa.select(side))] == [("a", "p5")]


def test_derived_columns_follow_the_night_that_is_read(small_lake: Lake) -> None:
    with Runner(small_lake) as runner:
        parts = (runner.write(sa.select(bound(runner, "tonight", {("a", "p1"): (7, 3)})), THING),)
        seen = []
        for on in (DAY, DAY + dt.timedelta(days=1)):
            runner.bind_parts(THING, parts, on)
            seen.append((runner.scalar(sa.select(THING.c.previous)), runner.bound[THING.name]))
        assert [previous for previous, _ in seen] == [3, 7]
        assert seen[0][1] != seen[1][1], "what reads the table has another recipe on another night"
        with pytest.raises(ValueError, match="business date"):
            runner.bind_parts(THING, parts)


def test_two_rows_of_one_key_are_refused(small_lake: Lake) -> None:
    with Runner(small_lake) as runner:
        first = (runner.write(sa.select(bound(runner, "tonight", {("a", "p1"): (7, 3)})), THING),)
        twice = sa.union_all(*[sa.select(bound(runner, "tonight", {("a", "p2"): (1, 1)}))] * 2)
        with pytest.raises(ValueError, match="1 keys of segment_id, contact_id have more than one row"):
            write_patch(runner, twice, THING, first, keys(runner, {"p2"}))
        with pytest.raises(ValueError, match="1 keys of segment_id, contact_id have more than one row"):
            write_difference(runner, runner.prepare(twice, THING), THING, first)
        again = sa.union_all(
            sa.select(bound(runner, "tonight", {("a", "p1"): (7, 3)})),
            sa.select(bound(runner, "other", {("a", "p1"): (8, 3)})),
        )
        with pytest.raises(ValueError, match="1 keys of segment_id, contact_id have more than one row"):
            write_patch(runner, again, THING, first, keys(runner, {"p1"}))
        with pytest.raises(ValueError, match="1 keys of segment_id, contact_id have more than one row"):
            write_difference(runner, runner.prepare(again, THING), THING, first)


def test_a_table_is_cut_or_patched() -> None:
    with pytest.raises(ValueError, match="cut by date or patched"):
        table(
            "t",
            column("on", DATE, "."),
            grain=("on",),
            owner=".",
            says=".",
            cut="on",
            patched=True,
            metadata=sa.MetaData(),
        )


def publish(lake: Lake, on: dt.date, parts: tuple[Part, ...]) -> None:
    lake.publish([Candidate(THING.name, parts)], on, "run")


def cut_of(person: str) -> object:
    def cut(_name: str, rows: sa.Table) -> Cut:
        gone = sa.func.coalesce(rows.c.contact_id == person, False)
        return Cut(gone, {}, gone)

    return cut


@pytest.mark.requirement("R112")
def test_an_erasure_takes_a_person_out_of_every_layer_and_a_replay_has_its_bytes() -> None:
    states: list[Rows] = [
        {("a", p): (1, None) for p in PEOPLE},
        {("a", p): (1, None) for p in PEOPLE if p != "p3"} | {("b", "p4"): (2, 1)},
        {("a", p): (1, None) for p in PEOPLE if p != "p3"} | {("b", "p4"): (3, 1), ("b", "p3"): (5, 5)},
    ]
    with opened(has_ledger=True) as (lake, runner):
        parts: tuple[Part, ...] = (runner.write(sa.select(bound(runner, "tonight", states[0])), THING),)
        publish(lake, DAY, parts)
        for ago, (was, now) in enumerate(pairwise(states), 1):
            parts = patched(runner, parts, was, now, is_whole=False)
            publish(lake, DAY + dt.timedelta(days=ago), parts)
        replaced = list(rewritten(runner, THING.name, retained(lake)[THING.name], THING, cut_of("p3")))  # type: ignore[arg-type]
        with lake.engine.begin() as connection:
            repoint(connection, replaced)
        after = [_without(state, "p3") for state in states]
        for ago, state in enumerate(after):
            snapshot = lake.as_of(THING.name, DAY + dt.timedelta(days=ago))
            assert snapshot is not None
            assert held(runner, lake.parts(snapshot)) == state
            assert snapshot.row_count == len(state)
        before, last = (lake.parts(lake.as_of(THING.name, DAY + dt.timedelta(days=ago))) for ago in (1, 2))
        again = patched(runner, before, after[1], after[2], is_whole=False)
        assert [(part.key, part.sha256) for part in again] == sorted((part.key, part.sha256) for part in last)
        runner.connection.close()
        collected = collect(lake, DAY, DAY)
        assert collected.files == len(replaced)


def _without(rows: Rows, person: str) -> Rows:
    return {key: value for key, value in rows.items() if key[1] != person}
