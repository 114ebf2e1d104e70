"""The sheet that sales answer on: out, filled in, back in as rows of a source, and the weekly alignment (R115)."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tasks import handover_sheet
from tasks.handover_acts import close_task, listed
from tasks.handover_acts import withdraw as act
from tasks.sql import Unanswered
from tests.handover.test_notices import write_policy
from tests.handover.world import Company

SOURCE = "preset: handover_sheet\nowner: sales\n"


@pytest.fixture
def handed(company: Company) -> Company:
    """Two hand-overs, one of them with a human task, and the source by which answers come back."""
    company.night({"a": 95, "b": 85})
    folder = company.root / "definitions" / "sources"
    folder.mkdir(parents=True)
    (folder / "handover_sheet.yml").write_text(SOURCE, encoding="utf-8")
    write_policy(company)
    return company


def fill_in(file: Path, answers: dict[str, tuple[str, str | None, str | None]]) -> None:
    """Write answers beside the hand-overs of a sheet, as a person does."""
    book = load_workbook(file)
    sheet = book.worksheets[0]
    for row in range(2, sheet.max_row + 1):
        for place, value in enumerate(answers.get(sheet.cell(row, 1).value, ()), start=2):
            sheet.cell(row, place).value = value
    book.save(file)


def landed(company: Company) -> list[dict[str, str]]:
    (file,) = (company.root / ".vesper" / "landing" / "handover_sheet").glob("*.csv")
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


@pytest.mark.requirement("R115", "R122")
def test_the_sheet_masks_people_and_says_why(handed: Company, tmp_path: Path) -> None:
    said = handover_sheet.write(handed.root, tmp_path / "out.xlsx")
    assert "2" in said
    sheet = load_workbook(tmp_path / "out.xlsx").worksheets[0]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert {row.handover_id for row in handed.handovers()} == {line[0] for line in lines[1:]}
    assert "王小明" not in str(lines) and "form_clicks +35" in str(lines)
    assert {str(entry.sqref) for entry in sheet.data_validations.dataValidation} == {"B2:B3", "C2:C3"}


@pytest.mark.requirement("R115")
def test_answers_land_as_rows_of_the_source(handed: Company, tmp_path: Path) -> None:
    first, second = handed.handovers()
    file = tmp_path / "out.xlsx"
    handover_sheet.write(handed.root, file)
    fill_in(
        file,
        {
            first.handover_id: ("接受", None, "2026-03-02 22:05"),
            second.handover_id: ("rejected by sales", "no_budget", None),
        },
    )
    handover_sheet.take(handed.root, file)
    rows = {row["handover_id"]: row for row in landed(handed)}
    assert rows[first.handover_id]["outcome"] == "accepted"
    assert rows[first.handover_id]["at"] == "2026-03-02 14:05:00"
    assert (rows[second.handover_id]["outcome"], rows[second.handover_id]["reason_code"]) == ("rejected", "no_budget")
    assert rows[second.handover_id]["contact_id"] == second.contact_id
    again = tmp_path / "again.xlsx"
    handover_sheet.write(handed.root, again, owner=first.owner)
    fill_in(again, {first.handover_id: ("won", None, None)})
    handover_sheet.take(handed.root, again)
    assert len(landed(handed)) == 3


def test_the_landed_file_is_one_that_the_source_reads(handed: Company, tmp_path: Path) -> None:
    """The columns are those of the preset, and the night that follows may see it: it arrived before that night's cut-off."""
    from vesper.clock import cutoff_at
    from vesper.model.source import Source

    file = tmp_path / "out.xlsx"
    handover_sheet.write(handed.root, file)
    fill_in(file, {handed.handovers()[0].handover_id: ("接受", None, None)})
    handover_sheet.take(handed.root, file)
    source = handed.house.definitions.one(Source, "handover_sheet")
    assert {field.column for field in source.fields.values()} == set(landed(handed)[0])
    (csv_file,) = (handed.root / ".vesper" / "landing" / "handover_sheet").glob("*.csv")
    arrived = dt.datetime.fromtimestamp(csv_file.stat().st_mtime, dt.UTC).replace(tzinfo=None)
    assert cutoff_at(dt.date(2026, 3, 2), "Asia/Shanghai") < arrived < cutoff_at(dt.date(2026, 3, 3), "Asia/Shanghai")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("也许", None, None), "row 2"),
        (("拒绝", None, None), "no_budget"),
        (("拒绝", "bored", None), "no_budget"),
        (("接受", None, "昨天"), "2026-03-31 09:30"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_lands_nothing(
    handed: Company, tmp_path: Path, answer: Any, said: str
) -> None:
    file = tmp_path / "out.xlsx"
    handover_sheet.write(handed.root, file)
    ids = [row.handover_id for row in handed.handovers()]
    fill_in(file, dict.fromkeys(ids, answer))
    with pytest.raises(Unanswered) as refused:
        handover_sheet.take(handed.root, file)
    assert said in str(refused.value).replace("第 2 行", "row 2")
    assert not (handed.root / ".vesper" / "landing").exists()


def test_a_withdrawn_hand_over_takes_no_answer(handed: Company, tmp_path: Path) -> None:
    file, (first, _) = tmp_path / "out.xlsx", handed.handovers()
    handover_sheet.write(handed.root, file)
    fill_in(file, {first.handover_id: ("接受", None, None)})
    act(handed.root, first.handover_id, "安", "误判")
    with pytest.raises(Unanswered, match=first.handover_id):
        handover_sheet.take(handed.root, file)


@pytest.mark.requirement("R64", "R115")
def test_withdrawal_closes_the_task_and_is_refused_twice_or_after_acceptance(handed: Company) -> None:
    first, second = handed.handovers()
    assert [task.is_open for task in handed.tasks()] == [True]
    act(handed.root, first.handover_id, "安", "误判")
    assert [task.is_open for task in handed.tasks()] == [False]
    with pytest.raises(Unanswered, match=first.handover_id):
        act(handed.root, first.handover_id, "安", "误判")
    with pytest.raises(Unanswered):
        act(handed.root, "", "安", "误判")
    accept(handed, second.handover_id)
    with pytest.raises(Unanswered, match=second.handover_id):
        act(handed.root, second.handover_id, "安", "误判")


def accept(company: Company, id: str) -> None:
    import sqlalchemy as sa

    from warehouse.ledger.handover_schema import HANDOVER

    with company.house.engine.begin() as connection:
        connection.execute(sa.update(HANDOVER).where(HANDOVER.c.handover_id == id).values(state="accepted"))


@pytest.mark.requirement("R64")
def test_a_task_is_closed_once_by_the_beginning_of_its_number(handed: Company) -> None:
    (task,) = handed.tasks()
    assert task.task_id in listed(handed.root)
    assert task.task_id in close_task(handed.root, task.task_id[:6], "安", "已成交")
    assert task.task_id not in listed(handed.root)
    with pytest.raises(Unanswered):
        close_task(handed.root, task.task_id, "安", "已成交")


def test_without_a_policy_there_is_one_sentence(tmp_path: Path) -> None:
    company = Company(tmp_path / "bare")
    with pytest.raises(Unanswered, match=r"policy/sales\.yml"):
        handover_sheet.write(company.root, tmp_path / "out.xlsx")
    company.house.close()
