"""`vesper sql`: views on what was published, errors in one sentence, nothing written, nobody waited for."""

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.sql import Unanswered, laid_out, open_to_read, open_views, published, run_sql, show_sql
from tests.ops.conftest import NIGHT, held_by_another_process
from vesper.marts import all_marts
from vesper.tables.declare import stored
from warehouse.ledger.engine import connect
from warehouse.ledger.schema import STOP
from warehouse.lock import run_lock
from warehouse.sql_text import shaped, sql_text


def content(root: Path) -> dict[str, str]:
    """Every file of a workspace with the hash of its content; SQLite's own scratch files left out."""
    files = (file for file in root.rglob("*") if file.is_file() and not file.name.endswith(("-wal", "-shm")))
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.requirement("R97")
def test_every_published_table_is_a_view_with_its_declared_columns(grocer: Path) -> None:
    with open_to_read(grocer) as house:
        names = published(house).keys()
    with open_views(grocer) as runner:
        seen = {row[0] for row in runner.query("select view_name from duckdb_views() where not internal").fetchall()}
        columns = runner.query("select * from mart__score limit 0").description
    assert seen == names
    assert {"raw_crm__member", "core__contact", "mart__visibility", "out__message", "dq__metric"} <= seen
    assert [column[0] for column in columns] == all_marts()["mart__score"].table.c.keys()


def test_an_answer_has_columns_and_rows(grocer: Path) -> None:
    columns, rows = run_sql(
        grocer,
        "select count(*) as scores, count(*) filter (where s.score = r.points) as exact from mart__score s "
        "join (select contact_id, sum(points) as points from mart__score_reason group by 1) r using (contact_id)",
    )
    assert columns == ["scores", "exact"]
    assert rows[0][0] == rows[0][1] > 0


@pytest.mark.requirement("R111")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select * from mart_score", "SQL 第 1 行：没有表 mart_score。 是不是想写 mart__score？"),
        ("select\nscor from mart__score", "SQL 第 2 行：没有列 scor。 是不是想写 score？"),
        ("select s.contct_id from core__contact s", "SQL 第 1 行：没有列 contct_id。 是不是想写 contact_id？"),
        ("  ;", "没有写 SQL"),
    ],
)
def test_sql_that_does_not_run_is_one_sentence_with_the_nearest_name(grocer: Path, text: str, sentence: str) -> None:
    with pytest.raises(Unanswered) as refused:
        run_sql(grocer, text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.requirement("R122")
def test_no_value_of_a_row_stands_in_an_error(grocer: Path) -> None:
    phones = {row[0] for row in run_sql(grocer, "select phone from core__contact where phone is not null")[1]}
    with pytest.raises(Unanswered) as refused:
        run_sql(grocer, "select cast(phone as date) from core__contact")
    assert not any(phone in str(refused.value) for phone in phones)


def test_analysts_wait_for_nobody_and_write_nothing(own_grocer: Path) -> None:
    before = content(own_grocer)
    writer = connect(f"sqlite:///{own_grocer / '.vesper' / 'ledger.db'}")
    with held_by_another_process(own_grocer / ".vesper"), writer.begin():
        assert run_sql(own_grocer, "select count(*) from core__contact")[1][0][0] > 0
    writer.dispose()
    after = content(own_grocer)
    lock = str(own_grocer / ".vesper" / "run.lock")
    assert {file for file in after if after[file] != before.get(file)} <= {lock}


def test_the_ledger_itself_refuses_a_write(own_grocer: Path, postgres: str) -> None:
    row = {"scope": "send", "is_stopped": False, "by": "test", "reason": "test", "at": sa.func.now()}
    with open_to_read(own_grocer) as house, pytest.raises(sa.exc.OperationalError), house.engine.begin() as connection:
        connection.execute(sa.insert(STOP).values(row))
    settings = own_grocer / "vesper.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + f'\n[ledger]\nurl = "{postgres}"\n', encoding="utf-8")
    with open_to_read(own_grocer) as house, house.engine.begin() as connection:
        assert connection.scalar(sa.text("select 1")) == 1
        with pytest.raises(sa.exc.InternalError, match="read-only"):
            connection.execute(sa.text("create table nobody (n int)"))


def test_a_workspace_without_a_night_says_so(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_bytes((repository / "examples" / "grocer" / "vesper.toml").read_bytes())
    with pytest.raises(Unanswered, match="vesper run nightly"):
        run_sql(tmp_path, "select 1")
    assert [file.name for file in tmp_path.iterdir()] == ["vesper.toml"]


def test_the_sql_behind_a_mart_gives_its_rows(grocer: Path) -> None:
    text = show_sql(grocer, "mart__activity", NIGHT)
    kept = ", ".join(stored(all_marts()["mart__activity"].table).c.keys())
    difference = f"(select {kept} from ({text}) except select {kept} from mart__activity)"
    back = f"(select {kept} from mart__activity except select {kept} from ({text}))"
    with open_views(grocer) as runner:
        assert runner.query(f"select count(*) from {difference}").fetchone() == (0,)
        assert runner.query(f"select count(*) from {back}").fetchone() == (0,)


def test_laying_out_changes_white_space_only(grocer: Path) -> None:
    for name, mart in all_marts().items():
        plain = show_sql(grocer, name, NIGHT)
        assert laid_out(plain) == plain, name
        assert len(plain.splitlines()) > 3, mart.table.name
    text = sql_text(
        shaped(
            sa.select(sa.literal("a  (, 'FROM' b").label("n")),
            sa.Table("t", sa.MetaData(), sa.Column("n", sa.String())),
        )
    )
    assert "".join(laid_out(text).split()) == "".join(text.split())
    assert "'a  (, ''FROM'' b'" in laid_out(text)


def test_only_a_mart_has_one_select(grocer: Path) -> None:
    with pytest.raises(Unanswered, match="mart__score"):
        show_sql(grocer, "mart__scores", NIGHT)


def test_a_run_lock_of_this_process_is_no_obstacle(grocer: Path) -> None:
    with run_lock(grocer / ".vesper"):
        assert run_sql(grocer, "select 1 as one") == (["one"], [(1,)])


def test_a_reserved_column_name_is_explained(grocer: Path) -> None:
    assert run_sql(grocer, 'select "at" from core__consent limit 1')[0] == ["at"]
    with pytest.raises(Unanswered, match="双引号"):
        run_sql(grocer, "select at, source from core__consent")
