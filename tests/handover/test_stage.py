"""The stage in whole nights of the grocer: only the night of the clock hands over and tells, and a second run of it tells nobody (R62, R63, R64)."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from tasks import alignment_sheet
from tasks.handover import handover
from tasks.sql import Unanswered
from tests.small_grocer import FIRST, LAST, SECOND, GrocerNights, copied
from vesper.marts.handover import HANDOVER as OUT
from vesper.marts.score import SCORE
from warehouse.house import House
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE
from warehouse.runner import Runner


def ledger_rows(root: Path, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    house = House.open(root)
    try:
        with house.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key)))
    finally:
        house.close()


def ready(root: Path) -> dict[str, int]:
    """Score of every contact that is ready on the last night."""
    house = House.open(root)
    try:
        with Runner(house.lake) as runner:
            runner.bind_snapshot(SCORE, house.lake.in_force(SCORE.name))
            wanted = sa.select(SCORE.c.contact_id, SCORE.c.score).where(SCORE.c.is_mql)
            return {row.contact_id: row.score for row in runner.rows(wanted)}
    finally:
        house.close()


@pytest.mark.requirement("R63", "R121")
@pytest.mark.parametrize("on", [FIRST, SECOND])
def test_nights_of_another_date_hand_nobody_over_and_tell_nobody(grocer_nights: GrocerNights, on: dt.date) -> None:
    root = grocer_nights.after[on]
    assert [ledger_rows(root, table) for table in (HANDOVER, HUMAN_TASK, NOTICE)] == [[], [], []]
    (report,) = [r for r in grocer_nights.reports[on] if r.stage == "handover"]
    assert report.rows[OUT.name] == 0 and "rehearsal" in report.facts
    assert not (root / ".vesper" / "notices" / "wecom").exists()


@pytest.mark.requirement("R63", "R64", "R69")
def test_the_night_hands_over_every_mql_and_tells_in_time(grocer_nights: GrocerNights) -> None:
    root = grocer_nights.after[LAST]
    handed = {row.contact_id: row for row in ledger_rows(root, HANDOVER)}
    scores = ready(root)
    assert {id: row.score for id, row in handed.items()} == scores and scores
    assert {row.contact_id for row in ledger_rows(root, HUMAN_TASK)} == {id for id, s in scores.items() if s >= 90}
    assert {row.state for row in ledger_rows(root, NOTICE)} == {"accepted"}
    (report,) = [r for r in grocer_nights.reports[LAST] if r.stage == "handover"]
    assert report.warnings == [] and "later_than_ten_minutes" not in report.facts


@pytest.mark.requirement("R62", "R63")
def test_a_second_run_of_the_stage_changes_nothing(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[LAST], tmp_path / "again")
    before = [ledger_rows(root, table) for table in (HANDOVER, HUMAN_TASK, NOTICE)]
    report = handover(root, LAST, may_send=True)
    assert [ledger_rows(root, table) for table in (HANDOVER, HUMAN_TASK, NOTICE)] == before
    assert report.facts["handed_over_to_sales"] == 0 and report.facts["notices"] == {}


@pytest.mark.requirement("R115")
def test_the_alignment_sheet_counts_every_rule(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = grocer_nights.after[LAST]
    alignment_sheet.write(root, tmp_path / "align.xlsx")
    pages = load_workbook(tmp_path / "align.xlsx").worksheets
    lines = [[cell.value for cell in row] for row in pages[0].iter_rows()]
    handed = len(ledger_rows(root, HANDOVER))
    assert next(line for line in lines if line[0] == "base")[2:6] == [handed, 0, 0, handed]
    assert [page.max_row for page in pages[1:]] == [1, 1]
    with pytest.raises(Unanswered):
        alignment_sheet.write(root, tmp_path / "align.xlsx")


def test_without_a_policy_the_stage_writes_nothing(grocer_nights: GrocerNights, tmp_path: Path) -> None:
    root = copied(grocer_nights.after[SECOND], tmp_path / "bare")
    (root / "definitions" / "policy" / "sales.yml").unlink()
    report = handover(root, SECOND, may_send=False)
    assert set(report.rows) == {"dq__metric"}
