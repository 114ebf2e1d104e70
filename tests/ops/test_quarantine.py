"""Rows set aside: listed without what stands in them, judged again when somebody asks, taken in once, and never over what came after them."""

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import app
from tasks import quarantine
from tasks.consolidate import consolidate
from tests.consolidate.company import Company, File, balances, member, members
from tests.night.looking import engine_of, ledger_rows
from tests.ops.kept_company import EVENTS, NARROW, RULE, WIDE, Kept, Rows
from tests.sources.night_of import Night, day
from vesper.stage_report import StageFailed
from warehouse.ledger.schema import ERASED_FILE, ERASURE, REQUEUE


@pytest.fixture(scope="module")
def empty_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose ledger is made: copying it is quicker than making it again."""
    root = tmp_path_factory.mktemp("empty") / "company"
    Kept(root).today()
    return root


@pytest.fixture
def company(empty_company: Path, tmp_path: Path) -> Kept:
    return Kept(Path(shutil.copytree(empty_company, tmp_path / "company")))


def parts(night: Night) -> dict[str, int]:
    return {name: count for name, count in night.counts.items() if count}


@pytest.mark.requirement("R1", "R10")
def test_a_mended_rule_lets_the_rows_in_beside_what_came_with_their_own_arrival(company: Kept) -> None:
    company.rows_of(0, [("1", "王芳"), ("2", "韩梅梅"), ("", "王芳")])
    assert parts(company.night(day(0))) == {"received": 3, "new": 1, "quarantined": 2}
    assert company.waiting() == [(RULE, "01", 1, 0), ("required:member_id", "01", 1, 0)]
    assert "3 行" not in company.ask(RULE) and quarantine.waiting_rows(company.root)[0]["requested_on"] == day(0)
    company.define(WIDE)
    company.rows_of(1, [("3", "李雷")])
    arrived = company.path(day(0)).stat().st_mtime
    assert parts(company.night(day(1))) == {"received": 2, "new": 2}
    assert company.values() == {"1": "王芳", "2": "韩梅梅", "3": "李雷"}
    (late,) = [row for row in company.rows() if row["member_id"] == "2"]
    assert (late["received_at"].replace(tzinfo=dt.UTC).timestamp(), late["file"]) == (arrived, "2018-03-01.csv")
    assert company.waiting() == [("required:member_id", "01", 1, 0)]
    assert parts(company.night(day(2))) == {}
    assert company.values() == {"1": "王芳", "2": "韩梅梅", "3": "李雷"}


@pytest.mark.requirement("R1", "R10")
def test_rows_that_break_a_rule_again_are_set_aside_again_and_wait(company: Kept) -> None:
    company.rows_of(0, [("1", "韩梅梅"), ("2", "张三"), ("", "李雷")])
    company.night(day(0))
    company.define(WIDE)
    company.ask()
    night = company.night(day(1))
    assert parts(night) == {"received": 3, "new": 1, "quarantined": 2}
    assert night.report.quarantined == {("crm_lead", RULE): 1, ("crm_lead", "required:member_id"): 1}
    assert company.waiting() == [(RULE, "01", 1, 1), ("required:member_id", "01", 1, 1)]


@pytest.mark.requirement("R1", "R121")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param([[("1", "王芳")], [("1", "韩梅梅")]], "韩梅梅", id="it is the last word"),
        pytest.param([[("1", "韩梅梅")], [("1", "王芳")]], "王芳", id="another word came later"),
        pytest.param(
            [[("1", "王芳")], [("1", "韩梅梅")], [("1", "王芳")]], "王芳", id="an old word was repeated later"
        ),
        pytest.param(
            [[("1", "王芳")], [("1", "韩梅梅"), ("1", "王芳")]], "王芳", id="it was repeated in the same file"
        ),
        pytest.param([[("1", "王芳")], [("1", "韩梅梅")], [("1", "李雷")]], "李雷", id="a newer row replaced it"),
        pytest.param(
            [[("1", "韩梅梅")], [("1", "王芳")], [("1", "韩梅梅")]], "韩梅梅", id="it stands around a newer one"
        ),
        pytest.param([[("1", "韩梅梅"), ("1", "韩梅梅")]], "韩梅梅", id="it came twice"),
    ],
)
def test_an_older_row_never_replaces_what_came_after_it(company: Kept, files: list[Rows], expected: str) -> None:
    for number, rows in enumerate(files):
        company.rows_of(number, rows)
        company.night(day(number))
    broken = sum(count for _rule, _file, count, _since in company.waiting())
    company.define(WIDE)
    company.ask(on=len(files))
    counts = company.night(day(len(files))).counts
    assert counts["received"] == broken == sum(counts[name] for name in ("new", "changed", "unchanged", "superseded"))
    assert company.values() == {"1": expected}
    assert company.waiting() == []


def test_a_row_that_still_waits_replaces_nothing(empty_company: Path, tmp_path: Path) -> None:
    strict = [text.replace("手机, type: text}", "手机, type: text, required: true}") for text in (NARROW, WIDE)]
    company = Kept(Path(shutil.copytree(empty_company, tmp_path / "company")), strict[0])
    company.rows_of(0, [("1", "王芳")])
    company.rows_of(1, [("1", "韩梅梅")])
    company.rows_of(2, [("1", "李雷")], third="")
    company.night(day(2))
    company.define(strict[1])
    company.ask(RULE, on=3)
    assert parts(company.night(day(3))) == {"received": 1, "changed": 1}
    assert (company.values(), company.waiting()) == ({"1": "韩梅梅"}, [("required:phone", "03", 1, 2)])
    company.define(WIDE)
    company.ask(on=4)
    assert parts(company.night(day(4))) == {"received": 1, "changed": 1}
    assert (company.values(), company.waiting()) == ({"1": "李雷"}, [])


def test_an_old_row_does_not_replace_what_comes_tonight(company: Kept) -> None:
    company.rows_of(0, [("1", "韩梅梅"), ("2", "韩梅梅")])
    company.night(day(0))
    company.define(WIDE)
    company.ask(on=1)
    company.rows_of(1, [("1", "李雷"), ("2", "韩梅梅")])
    assert parts(company.night(day(1))) == {"received": 4, "new": 2, "superseded": 2}
    assert company.values() == {"1": "李雷", "2": "韩梅梅"}


ROWS = st.lists(
    st.tuples(st.sampled_from(["", "1", "2", "3"]), st.sampled_from(["王芳", "李雷", "韩梅梅", "张三", ""])), max_size=5
)
HISTORY = st.lists(st.tuples(ROWS, st.sampled_from([0, 0, 1])), min_size=1, max_size=4)


@pytest.mark.requirement("R1", "R10", "R121")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, later=ROWS, rules=st.sampled_from([[None], [RULE], ["required:member_id", RULE], [RULE, None]]))
def test_mended_late_is_what_would_have_been_mended_from_the_beginning(
    empty_company: Path,
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[Rows, int]],
    later: Rows,
    rules: list[str | None],
) -> None:
    folder = tmp_path_factory.mktemp("history")
    shutil.copytree(empty_company, folder / "late")
    shutil.copytree(empty_company, folder / "right")
    late, right = Kept(folder / "late"), Kept(folder / "right", WIDE)
    mended = len(history) + 1
    for each in (late, right):
        for number, (rows, delay) in enumerate(history):
            each.rows_of(number, rows, arrives=number + delay)
        each.rows_of(mended, later)
        for number in range(mended):
            each.night(day(number))
    late.define(WIDE)
    asked = []
    for rule in rules:
        try:
            asked.append(late.ask(rule, on=mended))
        except LookupError:
            continue
    before = sum(count for rule, _file, count, _since in late.waiting() if asked and (None in rules or rule in rules))
    counts = late.night(day(mended)).counts
    right.night(day(mended))
    assert counts.get("received", 0) == len(later) + before
    assert late.values() == right.values()
    assert {row[:3] for row in late.waiting()} == {row[:3] for row in right.waiting()}
    published = late.rows()
    late.night(day(mended), mode="replay")
    assert set(late.replayed.values()) == {"True"}
    late.night(day(mended))
    assert (late.rows(), set(late.replayed.values())) == (published, {"True"})
    late.night(day(mended + 1))
    assert late.values() == right.values()


@pytest.mark.requirement("R1", "R2")
def test_a_file_that_is_gone_is_named_once_and_its_rows_wait_until_it_is_back(company: Kept) -> None:
    path = company.rows_of(0, [("1", "韩梅梅")])
    company.rows_of(1, [("2", "韩梅梅")])
    company.night(day(1))
    company.define(WIDE)
    state, data = path.stat(), path.read_bytes()
    path.unlink()
    company.ask(on=2)
    night = company.night(day(2))
    assert parts(night) == {"received": 1, "new": 1}
    (warning,) = [said for said in night.report.warnings if "2018-03-01.csv" in said]
    assert "2018-03-02.csv" not in warning and "vesper quarantine replay crm_lead" in warning
    assert company.waiting() == [(RULE, "01", 1, 1)]
    assert not company.night(day(3)).report.warnings
    path.write_bytes(data)
    os.utime(path)
    company.ask(on=4)
    assert parts(company.night(day(4))) == {"received": 1, "new": 1}
    arrivals = {row["member_id"]: row["received_at"].replace(tzinfo=dt.UTC).timestamp() for row in company.rows()}
    assert arrivals["1"] == state.st_mtime and company.waiting() == []
    company.night(day(2), mode="replay")
    assert set(company.replayed.values()) == {"True"}


def test_a_file_that_was_delivered_anew_waits_no_longer(company: Kept) -> None:
    company.rows_of(0, [("1", "韩梅梅"), ("2", "张三")])
    company.night(day(0))
    company.ask(on=1)
    company.rows_of(0, [("1", "李雷"), ("2", "张三")], arrives=1)
    assert parts(company.night(day(1))) == {"received": 2, "new": 1, "quarantined": 1}
    assert company.waiting() == [(RULE, "01", 1, 1)]


@pytest.mark.requirement("R1")
def test_where_a_later_file_cannot_be_read_any_more_known_rows_stay(company: Kept) -> None:
    for number, name in enumerate(("王芳", "韩梅梅", "王芳")):
        path = company.rows_of(number, [("1", name), (f"only {number}", name)])
        company.night(day(number))
    path.unlink()
    company.define(WIDE)
    company.ask(on=3)
    night = company.night(day(3))
    assert parts(night) == {"received": 2, "new": 1, "superseded": 1}
    assert company.values()["1"] == "王芳"
    assert any("2018-03-03.csv" in said for said in night.report.warnings)


def test_a_file_that_lacks_a_new_column_does_not_stop_the_night(company: Kept) -> None:
    company.rows_of(0, [("1", "韩梅梅")])
    company.night(day(0))
    company.define(
        WIDE.replace("missing_columns: warn", "missing_columns: block") + "  email: {column: 邮箱, type: text}\n"
    )
    company.ask(on=1)
    night = company.night(day(1))
    assert (parts(night), len([said for said in night.report.warnings if "2018-03-01.csv" in said])) == ({}, 1)
    assert company.waiting() == [(RULE, "01", 1, 0)]


@pytest.mark.requirement("R1")
def test_things_that_happened_find_their_day(tmp_path: Path) -> None:
    company = Kept(tmp_path / "company", EVENTS)
    company.rows_of(0, [("1", "王芳"), ("1", "韩梅梅")], third="2018-02-20")
    company.night(day(0))
    company.define(EVENTS.replace("李雷]", "李雷, 韩梅梅]"))
    company.ask(on=1)
    company.rows_of(1, [("2", "王芳")], third="2018-03-01")
    assert parts(company.night(day(1))) == {"received": 2, "new": 2}
    assert sorted((str(row["on"]), row["coupon_code"]) for row in company.rows()) == [
        ("2018-02-20", "王芳"), ("2018-02-20", "韩梅梅"), ("2018-03-01", "王芳"),
    ]  # fmt: skip
    company.night(day(1), mode="replay")
    assert set(company.replayed.values()) == {"True"}


@pytest.mark.requirement("R90")
def test_rows_that_an_erasure_gave_other_numbers_are_left(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from connectors.sources import landed

    text = NARROW.replace("system: csv", "system: parquet").replace("{on}.csv", "{on}.parquet")
    company = Kept(tmp_path / "company", text)
    path = company.path(day(0), "parquet")
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"编号": ["1", "2"], "姓名": ["韩梅梅", "王芳"], "手机": ["1", "2"]}), path)
    company.arrived(path, day(0))
    company.night(day(0))
    (one,) = landed(company.root / ".vesper" / "landing", "crm_lead/{on}.parquet")
    engine = engine_of(company.root)
    with engine.begin() as connection:
        at = dt.datetime(2018, 3, 1)
        row = {"erasure_id": "e1", "contact_hash": "h", "state": "done", "by": "anna", "reason": "x", "begun_at": at}
        connection.execute(sa.insert(ERASURE).values(row))
        file = {"erasure_id": "e1", "place": "landing", "name": "x", "new_name": "x", "old_sha256": "o", "row_count": 1}
        connection.execute(sa.insert(ERASED_FILE).values(**file, new_sha256=one.sha256))
    engine.dispose()
    company.define(text.replace("李雷]", "李雷, 韩梅梅]"))
    company.ask(on=1)
    night = company.night(day(1))
    assert parts(night) == {} and any(path.name in said for said in night.report.warnings)


@pytest.mark.requirement("R10", "R119")
def test_a_request_names_who_and_why_and_is_refused_when_it_is_about_nothing(company: Kept) -> None:
    company.rows_of(0, [("1", "王芳")])
    company.night(day(0))
    with pytest.raises(LookupError, match="No row of crm_lead waits to be judged again"):
        company.ask()
    company.rows_of(1, [("1", "韩梅梅")])
    company.night(day(1))
    with pytest.raises(LookupError, match=r"Did you mean category:name\?"):
        company.ask("category:nane")
    with pytest.raises(LookupError, match="crm_lead"):
        quarantine.replay(company.root, "crm_leat", None, "anna", "x")
    assert "1 rows" in company.ask()
    with pytest.raises(quarantine.AlreadyAsked):
        company.ask(RULE)
    (row,) = ledger_rows(company.root, REQUEUE)
    assert dict(zip(REQUEUE.c.keys(), row, strict=True)) | {"at": None} == {
        "requeue_id": 1, "source": "crm_lead", "rule": None, "by": "anna", "reason": "映射已补", "at": None,
        "recorded_on": day(0), "done_on": None, "left": None,
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    return Company(tmp_path / "shop")


def mend(shop: Company, old: str, new: str) -> None:
    source = shop.root / "definitions" / "sources" / "crm_member.yml"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.requirement("R1", "R10", "R121")
def test_from_the_list_to_the_contact_through_whole_nights(shop: Company) -> None:
    without_time = {"member_id": "2", "name": "李雷", "phone": "13900139002", "registered_at": ""}
    shop.land(members(day(0), member("1", name="王小明"), without_time))
    shop.quick_night(day(0))
    run = CliRunner().invoke
    workspace = ["-w", str(shop.root)]
    listed = run(app, ["quarantine", "list", *workspace])
    assert listed.output.split() == ["crm_member", "required:registered_at", "2018-03-01.csv", "1", "2018-03-01"]
    (told,) = json.loads(run(app, ["quarantine", "list", "crm_member", "--json", *workspace]).output)
    assert not {"李雷", "13900139002"} & {str(value) for value in told.values()}
    asked = run(app, ["quarantine", "replay", "crm_member", "--reason", "规则已改", "--by", "anna", *workspace])
    assert (asked.exit_code, "2018-03-04" in asked.output) == (0, True)
    mend(shop, "registered_at, type: instant, required: true", "registered_at, type: instant")
    shop.quick_night(day(1))
    assert [row["name"] for row in shop.rows("core__contact")] == ["王小明"]
    assert balances(shop.night(day(3)), "crm_member") == {
        "received": 1, "new": 1, "changed": 0, "unchanged": 0, "quarantined": 0, "superseded": 0,
    }  # fmt: skip
    assert sorted(row["name"] for row in shop.rows("core__contact")) == ["李雷", "王小明"]
    assert run(app, ["quarantine", "list", *workspace]).output == ""
    verdicts = consolidate(shop.root, day(3), mode="replay").facts["replay"]
    assert {name for name, verdict in verdicts.items() if verdict != "same"} == set()


@pytest.mark.requirement("R103")
def test_a_night_that_fails_leaves_the_request_to_the_next(shop: Company) -> None:
    shop.land(members(day(0), member("1"), {"member_id": "2", "registered_at": ""}))
    shop.quick_night(day(0))
    quarantine.replay(shop.root, "crm_member", None, "anna", "x")
    mend(shop, "registered_at, type: instant, required: true", "registered_at, type: instant")
    broken = shop.root / ".vesper" / "landing" / "crm_member" / f"{day(3)}.csv"
    shop.land(File("crm_member", day(3), day(3), ()))
    broken.write_text("nothing\n", encoding="utf-8")
    at = dt.datetime(2018, 3, 4, 4, tzinfo=dt.UTC).timestamp()
    os.utime(broken, (at, at))
    with pytest.raises(StageFailed):
        shop.night(day(3))
    broken.unlink()
    assert balances(shop.quick_night(day(4)), "crm_member")["new"] == 1
    assert sorted(row["record_key"] for row in shop.rows("core__source_record")) == ["1", "2"]
