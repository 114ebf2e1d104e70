"""Canary: what Great Expectations does to a connection, which the usual DuckDB dialect does not survive."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from data_quality import dialect


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    dialect.register()
    made = sa.create_engine(dialect.URL)
    yield made
    made.dispose()


def test_rows_can_be_read_after_the_connection_was_closed(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        result = connection.execute(sa.text("SELECT * FROM range(3)"))
    assert [row[0] for row in result.fetchall()] == [0, 1, 2]


def test_two_results_are_read_side_by_side(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        first = connection.execute(sa.text("SELECT * FROM range(2)"))
        second = connection.execute(sa.text("SELECT 10 + range FROM range(2)"))
        assert [first.fetchone(), second.fetchone(), first.fetchone()] == [(0,), (10,), (1,)]


def test_a_second_engine_sees_the_views_of_the_first(engine: sa.Engine) -> None:
    other = sa.create_engine(dialect.URL)
    with engine.connect() as connection, other.connect() as beside:
        connection.execute(sa.text("CREATE OR REPLACE VIEW seen AS SELECT 7 AS n"))
        assert beside.execute(sa.text("SELECT n FROM seen")).scalar() == 7
    other.dispose()


def test_columns_are_reflected(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE OR REPLACE VIEW shape AS SELECT 1 AS n, 'a' AS word"))
        assert [column["name"] for column in sa.inspect(connection).get_columns("shape")] == ["n", "word"]


def test_nothing_is_fetched_from_outside(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT current_setting('autoinstall_known_extensions')")).scalar() is False
