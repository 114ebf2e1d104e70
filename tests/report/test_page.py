"""The page of a company that has published little: what no stage has written yet reads as nothing, and a night of the past hides no newer one."""

import datetime as dt
from pathlib import Path

import pytest

from tasks.bench import Bench
from tasks.page import write_page
from tests.report.page import Page
from tests.sources.night_of import FIRST, HEAD, OneSource
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.stage_report import StageReport
from vesper.tables.declare import empty
from warehouse.house import House
from warehouse.runner import Runner


def publish_segments(root: Path, on: dt.date) -> None:
    house = House.open(root)
    try:
        with Runner(house.lake) as runner:
            bench = Bench(house, house.night(on), runner, StageReport("segment", on), "quick")
            bench.fill(SEGMENT_MEMBER, empty(SEGMENT_MEMBER))
            house.lake.publish(list(bench.candidates.values()), on, "quick", [])
    finally:
        house.close()


@pytest.mark.requirement("R111")
def test_tables_that_nobody_has_published_read_as_no_rows(tmp_path: Path) -> None:
    company = OneSource(tmp_path, f'system: csv\npath: "crm_lead/{{on}}.csv"\n{HEAD}')
    publish_segments(company.root, FIRST)
    page = write_page(company.root, FIRST)
    assert page is not None
    shown = Page(page)
    assert (
        not {"goals", "groups", "sales"} & shown.tables.keys() and "Nobody was scored tonight." in shown.texts["score"]
    )
    assert write_page(company.root, FIRST - dt.timedelta(days=1)) is None
