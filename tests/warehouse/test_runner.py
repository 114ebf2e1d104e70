"""The runner between Selects: what one call leaves behind does not stand in the way of the next."""

from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from warehouse.lake import Lake
from warehouse.ledger.engine import open_ledger
from warehouse.runner import Runner


def test_rows_can_be_bound_right_after_a_scalar(tmp_path: Path) -> None:
    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with Runner(Lake(tmp_path / "lake", engine)) as runner:
        assert runner.scalar(sa.select(sa.literal(3))) == 3
        runner.bind_arrow("people", pa.table({"name": ["陈"]}))
        people = sa.table("people", sa.column("name"))
        assert runner.scalar(sa.select(sa.func.count()).select_from(people)) == 1
    engine.dispose()
