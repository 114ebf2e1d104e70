"""Contact rows through the whole cleaning, on the runner that a night uses: values in, core__source_record out."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.clean import cleaned
from vesper.consolidate import contact_row
from vesper.model.feed import CANONICAL
from vesper.model.source import Source
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.raw import raw_table
from warehouse.arrow_schema import arrow_schema
from warehouse.lake import Lake
from warehouse.ledger.engine import open_ledger
from warehouse.runner import Runner
from warehouse.sql_text import shaped

ZONE = "Asia/Shanghai"
AT = dt.datetime(2025, 3, 1, 9)


def contact_source(*names: str, id: str = "crm_member", **settings: Any) -> Source:
    """A source of contacts with these canonical fields, each in a column of its own name."""
    types = {name: CANONICAL["contact"][name].types[0] for name in names}
    fields = {name: {"column": name, "type": types[name]} for name in names}
    declared = {
        "says": "测试用。", "owner": "data@example.com", "system": "csv", "path": f"{id}/{{on}}.csv", "feeds": "contact", "late": "warn",
        "cadence": {"every": "irregular"}, "rows": {"min": 0, "max": 1000}, "key": ("member_id",), "trust": 50,
    }  # fmt: skip
    return Source.model_validate({"id": id, **declared, "fields": fields, **settings})


class Cleaning:
    """A runner of its own, closed with the test."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.runner = Runner(Lake(folder / "lake", self.engine))

    def close(self) -> None:
        self.runner.__exit__()
        self.engine.dispose()

    def bind(self, source: Source, rows: Iterable[Mapping[str, Any]]) -> sa.Select[Any]:
        """Rows of a source, bound as its raw table; their keys are numbers unless they say otherwise."""
        raw = raw_table(source)
        arrived = {"received_at": AT, "file": "a.csv"}
        whole = [{"member_id": str(n), **arrived, "source_row": n, **row} for n, row in enumerate(rows)]
        self.runner.bind_arrow(raw.name, pa.Table.from_pylist(whole, schema=arrow_schema(raw)))
        return contact_row.said(raw, source, ZONE)

    def records(self, *said: sa.Select[Any], excluded: sa.FromClause | None = None) -> list[dict[str, Any]]:
        """core__source_record, in the declared types and in the order of its grain."""
        clean = shaped(cleaned(self.runner, contact_row.all_said(said), excluded), SOURCE_RECORD)
        ordered = clean.order_by(*[clean.selected_columns[name] for name in SOURCE_RECORD.info["grain"]])
        return self.runner.arrow(ordered).to_pylist()

    def of(self, *rows: Mapping[str, Any], **settings: Any) -> list[dict[str, Any]]:
        """Rows of one source with the fields that they name."""
        names = dict.fromkeys(["member_id", *(name for row in rows for name in row)])
        return self.records(self.bind(contact_source(*names, **settings), rows))
