"""`vesper export` and the tables of a BI database: every row, no personal column unless asked, replaced whole or not at all."""

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa

from tasks import export as exports
from tasks.export import FORMATS, export, publish_marts
from tasks.sql import Unanswered, run_sql
from vesper.marts import all_marts
from vesper.tables.contact import CONTACT

PERSONAL = ["name", "phone", "email", "owner", "birth_on"]


def read(file: Path) -> pd.DataFrame:
    """An export as a person's tool reads it."""
    if file.suffix == ".csv":
        return pd.read_csv(file, dtype=str)
    return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_excel(file, dtype=str, engine="openpyxl")


@pytest.mark.requirement("R122")
@pytest.mark.parametrize("format", FORMATS)
def test_an_export_has_every_row_and_no_personal_column(grocer: Path, tmp_path: Path, format: str) -> None:
    file = export(grocer, "core__contact", tmp_path / "out", format)
    assert file == tmp_path / "out" / f"core__contact-2018-01-01.{format}"
    rows = read(file)
    assert list(rows.columns) == [c.name for c in CONTACT.c if c.name not in PERSONAL]
    ids = [row[0] for row in run_sql(grocer, "select contact_id from core__contact order by 1")[1]]
    assert list(rows["contact_id"]) == ids
    people = run_sql(grocer, "select phone, email from core__contact where phone is not null and email is not null")[1]
    text = rows.to_csv()
    assert not any(value in text for person in people for value in person)


@pytest.mark.parametrize("format", FORMATS)
def test_personal_columns_come_when_they_are_asked_for(grocer: Path, tmp_path: Path, format: str) -> None:
    rows = read(export(grocer, "core__contact", tmp_path, format, personal=True))
    assert list(rows.columns) == CONTACT.c.keys()
    people = dict(run_sql(grocer, "select contact_id, phone from core__contact where phone is not null")[1])
    assert rows.dropna(subset=["phone"]).set_index("contact_id")["phone"].to_dict() == people


@pytest.mark.requirement("R111", "R122")
def test_a_workbook_describes_its_columns_and_keeps_types(grocer: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(export(grocer, "core__contact", tmp_path))
    assert book.sheetnames == ["core__contact", "各列说明"]
    said = {row[0]: row[2] for row in book["各列说明"].iter_rows(values_only=True)}
    assert said["contact_id"] == CONTACT.c.contact_id.comment
    assert said["未导出"] == "个人信息：name, phone, email, owner, birth_on"
    (first, *_) = book["core__contact"].iter_rows(min_row=2, values_only=True)
    line = dict(zip([c.name for c in CONTACT.c if c.name not in PERSONAL], first, strict=True))
    assert isinstance(line["first_seen_on"], dt.datetime) and isinstance(line["source_count"], int)
    effect = openpyxl.load_workbook(export(grocer, "mart__campaign_effect", tmp_path))["mart__campaign_effect"]
    revenue = [str(cell) for cell in next(effect.iter_rows(max_row=1, values_only=True))].index("revenue")
    paid = sum(row[revenue] for row in effect.iter_rows(min_row=2, values_only=True))
    assert round(paid, 2) == float(run_sql(grocer, "select sum(revenue) from mart__campaign_effect")[1][0][0])


def test_what_cannot_be_exported_is_one_sentence(grocer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unanswered, match="core__contact"):
        export(grocer, "core__contacts", tmp_path)
    with pytest.raises(Unanswered, match="xlsx"):
        export(grocer, "core__contact", tmp_path, "xls")
    monkeypatch.setattr(exports, "SHEET_ROWS", 10)
    with pytest.raises(Unanswered, match="csv"):
        export(grocer, "core__contact", tmp_path, "xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("R97")
def test_marts_stand_in_a_bi_database_as_they_were_published(grocer: Path, tmp_path: Path) -> None:
    file = tmp_path / "bi.db"
    counts = publish_marts(grocer, f"sqlite:///{file}")
    assert counts.keys() == all_marts().keys()
    assert publish_marts(grocer, f"sqlite:///{file}") == counts
    database = sqlite3.connect(file)
    for name, count in counts.items():
        assert database.execute(f"select count(*) from {name}").fetchone() == (count,)
    rows = "select contact_id, score, is_mql from mart__score order by contact_id"
    assert database.execute(rows).fetchall() == [(id, score, int(mql)) for id, score, mql in run_sql(grocer, rows)[1]]
    database.close()


def test_a_table_that_breaks_half_way_stays_what_it_was(grocer: Path, tmp_path: Path) -> None:
    file = tmp_path / "bi.db"
    publish_marts(grocer, f"sqlite:///{file}", ["mart__score"])
    last = run_sql(grocer, "select max(contact_id) from mart__score")[1][0][0]
    database = sqlite3.connect(file, isolation_level=None)
    old = database.execute("update mart__score set score = -1 returning contact_id").fetchall()
    database.execute(
        f"create trigger full before insert on mart__score when new.contact_id = '{last}' begin select raise(abort, 'no'); end"
    )
    with pytest.raises(Unanswered) as refused:
        publish_marts(grocer, f"sqlite:///{file}", ["mart__score"])
    assert last not in str(refused.value)
    assert database.execute("select count(*), min(score), max(score) from mart__score").fetchone() == (len(old), -1, -1)
    database.close()


def test_a_table_of_other_columns_is_made_anew(grocer: Path, tmp_path: Path) -> None:
    file = tmp_path / "bi.db"
    database = sqlite3.connect(file)
    database.execute("create table mart__score (contact_id text, points integer)")
    database.commit()
    assert publish_marts(grocer, f"sqlite:///{file}", ["mart__score"])["mart__score"] > 0
    assert [row[1] for row in database.execute("pragma table_info(mart__score)")] == all_marts()[
        "mart__score"
    ].table.c.keys()
    database.close()


@pytest.mark.requirement("R97")
def test_money_stays_exact_and_columns_stay_described_on_postgresql(grocer: Path, postgres: str) -> None:
    counts = publish_marts(grocer, postgres, ["mart__campaign_effect", "core__contact"])
    engine = sa.create_engine(postgres)
    revenue = "select sum(revenue) from mart__campaign_effect"
    with engine.connect() as connection:
        assert connection.scalar(sa.text(revenue)) == run_sql(grocer, revenue)[1][0][0] > Decimal(0)
        assert connection.scalar(sa.text("select count(*) from core__contact")) == counts["core__contact"]
    columns = {column["name"]: column["comment"] for column in sa.inspect(engine).get_columns("core__contact")}
    engine.dispose()
    assert columns["contact_id"] == CONTACT.c.contact_id.comment
    assert not set(PERSONAL) & columns.keys()


def test_an_address_that_does_not_answer_shows_no_password(grocer: Path) -> None:
    with pytest.raises(Unanswered) as refused:
        publish_marts(grocer, "postgresql+psycopg://bi:geheim@127.0.0.1:9/bi?connect_timeout=2")
    assert "geheim" not in str(refused.value) and "127.0.0.1" in str(refused.value)


def test_the_ledger_is_no_bi_database(grocer: Path) -> None:
    with pytest.raises(Unanswered, match="BI"):
        publish_marts(grocer, f"sqlite:///{(grocer / '.vesper' / 'ledger.db').resolve()}")
