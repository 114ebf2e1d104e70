"""The declaration decides the bytes: every table of a published night, written again from shuffled rows by 1 and by 2 threads."""

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.night.looking import table as rows_of
from tests.small_grocer import LAST, GrocerNights
from vesper.marts import all_marts
from vesper.tables import campaign, contact, order, quality
from vesper.tables.declare import METADATA, PREVIOUS
from warehouse.house import House
from warehouse.lake import Lake
from warehouse.part import WHOLE, row_count_of
from warehouse.runner import Runner

DECLARED_IN = (campaign, contact, order, quality)
# Bound for a night and never published.
IN_PASSING = ("raw_vesper__", "reference__")


def declared() -> list[str]:
    """Every declared table, those of the marts included."""
    assert all_marts()
    assert DECLARED_IN
    return sorted(name for name in METADATA.tables if not name.startswith(IN_PASSING) and not name.endswith(PREVIOUS))


@pytest.fixture(scope="module")
def night(grocer_nights: GrocerNights) -> Iterator[House]:
    house = House.open(grocer_nights.after[LAST])
    yield house
    house.close()


def test_the_night_publishes_every_declared_table(night: House) -> None:
    assert set(declared()) == {name for name in night.lake.tables() if not name.startswith("raw_")}


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("name", declared())
def test_a_table_written_twice_has_the_same_bytes(
    night: House, grocer_nights: GrocerNights, small_lake: Lake, name: str
) -> None:
    table = METADATA.tables[name]
    rows = rows_of(grocer_nights.after[LAST], name)
    written = []
    for threads, seed in ((1, 1), (2, 2)):
        order = list(range(rows.num_rows))
        random.Random(seed).shuffle(order)
        with Runner(small_lake, threads) as runner:
            if rows.num_rows:
                runner.bind_arrow(name, rows.take(order))
            else:
                runner.bind_parts(table, ())
            written.append(runner.write(sa.select(table), table))
    assert written[0] == written[1]
    published = night.lake.parts(night.lake.in_force(name))
    if [part.key for part in published] == [WHOLE]:
        assert written[0].sha256 == published[0].sha256
    assert written[0].row_count == row_count_of(published) == rows.num_rows


def test_the_grain_of_every_table_is_a_total_key(grocer_nights: GrocerNights) -> None:
    for name in declared():
        rows, grain = rows_of(grocer_nights.after[LAST], name), list(METADATA.tables[name].info["grain"])
        if rows.num_rows:
            assert rows.group_by(grain).aggregate([]).num_rows == rows.num_rows, name
