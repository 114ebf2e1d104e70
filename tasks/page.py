"""The report page of the newest night, written from what is published: tables through views, stages through their kept reports."""

import datetime as dt
from pathlib import Path

from tasks.kept_reports import kept_reports
from tasks.report import write_report
from tasks.sql import declared_tables, open_views, published
from vesper.marts.score import PREVIOUS_SCORE, SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from warehouse.house import House
from warehouse.runner import Runner

STAGES = ("consolidate", "measure", "score", "handover", "segment", "send", "watch")


def write_page(root: Path, business_on: dt.date) -> Path | None:
    """Write the page of a night; None for a night of the past, whose page would hide today's."""
    house = House.open(root)
    try:
        newest = house.lake.in_force(SEGMENT_MEMBER.name)
        if newest is None or newest.business_on != business_on:
            return None
        store = house.workspace.store
        with open_views(root) as runner:
            _bind_the_rest(runner, house, business_on)
            reports = kept_reports(store, business_on, STAGES)
            return write_report(runner, house.night(business_on), reports, store / "report")
    finally:
        house.close()


def _bind_the_rest(runner: Runner, house: House, business_on: dt.date) -> None:
    """What no stage has published reads as no rows, e.g. hand-overs of a company that hands nobody over; and last night's scores."""
    there = published(house)
    for name, table in declared_tables(house).items():
        if name not in there:
            runner.bind_snapshot(table, None)
    runner.bind_snapshot(PREVIOUS_SCORE, house.lake.before(SCORE.name, business_on))
