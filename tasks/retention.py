"""How long a company keeps its nights: the days of `[retention]` in vesper.toml, counted back from its newest night.

What belongs here: from which business date on nights are kept. What does not: forgetting and deleting (`warehouse/collect.py`).
"""

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from warehouse.collect import Collected, collect
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import POINTER


def retain(root: Path) -> Collected:
    """Forget the nights that are older than the retention, and delete their files. Raises WorkspaceBusy while another process runs.

    The days are counted back from the newest published night, and never from a night after the workspace's clock: neither a pause of
    months nor a run ahead of the calendar takes a night away.
    """
    house = House.open(root)
    try:
        newest = _newest_night(house)
        if newest is None:
            return Collected(0, 0, 0)
        retention = house.workspace.retention
        derived, raw = dt.timedelta(days=retention.derived_days), dt.timedelta(days=retention.raw_days)
        return collect(house.lake, keep_from=newest - derived, keep_raw_from=newest - raw)
    finally:
        house.close()


def _newest_night(house: House) -> dt.date | None:
    with reading(house.engine) as connection:
        newest: dt.date | None = connection.scalar(sa.select(sa.func.max(POINTER.c.business_on)))
    return None if newest is None else min(newest, house.business_on())
