"""Asking a database, on a real SQLite and a real PostgreSQL: by table or query, later only what is new, cells as text, no secret in an error."""

import datetime as dt
import traceback
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.sources import Cursor, NotFetched, Request, asked, land, pull
from vesper.model.pull import SqlPull

CUTOFF = dt.datetime(2026, 11, 22, 12, 0)
ON = dt.date(2026, 11, 22)
META = sa.MetaData()
LEAD = sa.Table(
    "lead",
    META,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.String(50)),
    sa.Column("amount", sa.Numeric(12, 2)),
    sa.Column("wants_mail", sa.Boolean),
    sa.Column("born_on", sa.Date),
    sa.Column("changed_at", sa.DateTime),
)


def at(hour: int, day: int = 20) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour)


ROWS = [
    {"id": 13800000000 + n, "name": f"王小{n}", "amount": Decimal("12.50"), "wants_mail": True,
     "born_on": dt.date(1990, 1, 2), "changed_at": at(n)}
    for n in range(5)
]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    given = f"sqlite:///{tmp_path / 'crm.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(given)
    META.create_all(engine)
    with engine.begin() as connection:
        connection.execute(LEAD.insert(), ROWS)
    yield given
    engine.dispose()


def write(url: str, *statements: Any) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def night(tmp_path: Path, url: str, since: Cursor | None = None, **settings: Any) -> list[dict[str, Any]]:
    path = tmp_path / "landing" / f"{ON}.parquet"
    how = SqlPull.model_validate({"url": "${CRM_URL}", **settings})
    asking = Request(since, CUTOFF, "Asia/Shanghai", (), {"CRM_URL": url})
    land(path, pull("sql", how, asking), ON, "it", since)
    return list(pq.read_table(path).to_pylist())


def reached(tmp_path: Path) -> Cursor | None:
    told = asked(tmp_path / "landing" / f"{ON}.parquet")
    assert told is not None
    return told.cursor


@pytest.mark.requirement("R2")
def test_a_table_comes_as_text(tmp_path: Path, url: str) -> None:
    rows = night(tmp_path, url, table="lead")
    assert len(rows) == 5
    first = rows[0] if url.startswith("postgresql") else {**rows[0], "wants_mail": "true"}
    assert first == {
        "id": "13800000000",
        "name": "王小0",
        "amount": "12.50" if url.startswith("postgresql") else "12.5",
        "wants_mail": "true",
        "born_on": "1990-01-02",
        "changed_at": rows[0]["changed_at"],
    }
    assert rows[0]["changed_at"].startswith("2026-11-20 00:00:00")
    assert reached(tmp_path) is None


@pytest.mark.requirement("R2")
def test_a_cursor_asks_for_what_is_new_and_loses_no_row_of_the_same_moment(tmp_path: Path, url: str) -> None:
    settings = {"query": "select * from lead;", "cursor": "changed_at"}
    assert len(night(tmp_path, url, **settings)) == 5
    first = reached(tmp_path)
    assert first is not None
    write(
        url,
        LEAD.update().where(LEAD.c.id == ROWS[0]["id"]).values(name="王大", changed_at=at(9)),
        # Committed later with the moment of the last row, and one without a moment.
        LEAD.insert().values(id=1, name="同时", changed_at=at(4)),
        LEAD.insert().values(id=2, name="无时", changed_at=None),
    )
    rows = night(tmp_path, url, first, **settings)
    assert sorted(row["name"] for row in rows) == ["同时", "无时", "王大", "王小4"]
    assert reached(tmp_path) != first
    again = night(tmp_path, url, reached(tmp_path), **settings)
    assert sorted(row["name"] for row in again) == ["无时", "王大"]


def test_whole_numbers_are_a_cursor_too_and_a_look_back_reaches_back(tmp_path: Path, url: str) -> None:
    night(tmp_path, url, table="lead", cursor="id")
    assert reached(tmp_path) == Cursor("integer", "13800000004")
    assert len(night(tmp_path, url, reached(tmp_path), table="lead", cursor="id")) == 1
    if url.startswith("postgresql"):
        night(tmp_path, url, table="lead", cursor="changed_at")
        settings = {"table": "lead", "cursor": "changed_at", "lookback": "2h"}
        assert len(night(tmp_path, url, reached(tmp_path), **settings)) == 3


def test_what_changed_after_the_cut_off_waits_for_the_next_night(tmp_path: Path, url: str) -> None:
    """The cut-off is 12:00 UTC, 20:00 in Shanghai, where the database's times are of."""
    write(url, LEAD.insert().values(id=3, name="晚到", changed_at=at(21, day=22)))
    rows = night(tmp_path, url, table="lead", cursor="changed_at")
    assert "晚到" not in [row["name"] for row in rows]
    kept = reached(tmp_path)
    assert kept is not None
    assert "2026-11-20" in kept.text


def test_a_night_without_news_lands_the_columns_and_keeps_the_cursor(tmp_path: Path, url: str) -> None:
    since = Cursor("integer", "99999999999")
    assert night(tmp_path, url, since, table="lead", cursor="id") == []
    path = tmp_path / "landing" / f"{ON}.parquet"
    assert pq.read_schema(path).names == LEAD.c.keys()
    assert reached(tmp_path) == since


@pytest.mark.requirement("R122")
def test_errors_name_neither_address_nor_password_nor_value(tmp_path: Path, url: str) -> None:
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (url, {"table": "no_such_table"}, "did not answer the query"),
        (url, {"query": "select '王小明' from"}, "did not answer the query"),
        (url, {"table": "lead", "cursor": "no_such"}, "did not answer|no column no_such"),
        ("postgresql+psycopg://u:s3cr3t@127.0.0.1:1/x", {"table": "lead"}, "did not answer the query"),
        ("mysql+nothing://u:s3cr3t@db/x", {"table": "lead"}, "none that SQLAlchemy can use"),
        ("s3cr3t", {"table": "lead"}, "none that SQLAlchemy can use"),
        ("", {"table": "lead"}, "CRM_URL of the environment is not set"),
    ]
    for address, settings, words in wrong:
        with pytest.raises(NotFetched, match=words) as caught:
            night(tmp_path, address, **settings)
        told = "".join(traceback.format_exception(caught.value))
        assert not [secret for secret in ("s3cr3t", "王小明", "127.0.0.1") if secret in told]
        assert not (tmp_path / "landing" / f"{ON}.parquet").exists()


def test_a_column_with_a_name_of_ours_is_renamed_and_large_answers_come_in_blocks(tmp_path: Path, url: str) -> None:
    many = [{"id": n, "name": "批量", "changed_at": at(1)} for n in range(25_000)]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(LEAD.insert(), many)
    engine.dispose()
    rows = night(tmp_path, url, query='select id as "file", name from lead', cursor="file")
    assert len(rows) == 25_005
    assert list(rows[0]) == ["file_", "name"]
