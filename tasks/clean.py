"""Cleaning inside the consolidate stage: SQL reads what it can, Python reads each other value once, and one Select looks the results up.

What belongs here: that order, and tables bound for the night. What does not: how a value is read (`vesper/cleaning/`).
"""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.take_in import TakenIn
from vesper.cleaning.look_up import MAIL_DOMAIN, PHONE_REGION, WRITTEN, LookUp
from vesper.consolidate import contact_row, source_record
from vesper.tables.contact import SOURCE_RECORD
from vesper.tables.declare import empty
from warehouse.arrow_schema import arrow_schema
from warehouse.runner import Runner

CARD_FEEDS = ("order_line", "campaign_member", "event", "demographic")


def clean(
    bench: Bench, taken: Iterable[TakenIn], excluded: sa.FromClause | None = None
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The rows of core__source_record: every contact row cleaned, and every card that the shop saw.

    Args:
        excluded: (source, record_key, rule) of rows that a rule keeps out of every contact; bound by the caller.
    """
    zone = bench.night.zone
    sources = list(taken)
    parts: list[sa.Select[Any]] = []
    said = [contact_row.said(one.raw, one.source, zone) for one in sources if one.source.feeds == "contact"]
    if said:
        rows = contact_row.all_said(said)
        bench.read(rows)
        parts.append(cleaned(bench.runner, rows, excluded))
    parts += [
        source_record.of_cards(one.raw, one.source, zone)
        for one in sources
        if one.source.feeds in CARD_FEEDS and "card" in one.raw.c
    ]
    return source_record.all_records(parts) if parts else empty(SOURCE_RECORD)


def cleaned(runner: Runner, rows: sa.Select[Any], excluded: sa.FromClause | None = None) -> sa.Select[Any]:
    """core__source_record of contact rows (`contact_row.all_said`) whose tables are bound: what SQL left over is read and bound here."""
    said = runner.materialize(rows, "said_tonight")
    for kind, (look_up, _) in source_record.LEFT_OVER.items():
        bind(runner, look_up, source_record.left_over(said, kind))
    bind(runner, MAIL_DOMAIN, source_record.mail_domains(said))
    bind(runner, PHONE_REGION, source_record.unplaced(said))
    return source_record.of_contacts(said, excluded)


def bind(runner: Runner, look_up: LookUp, values: sa.Select[Any]) -> None:
    """Read distinct values (one column, `written`) and make the results readable under the look-up's name."""
    # In their order, so that the same values are the same table on every run.
    found = runner.arrow(values.order_by(*values.selected_columns)).column(WRITTEN).to_pylist()
    rows = pa.table(look_up.columns(found), schema=arrow_schema(look_up.table))
    runner.bind_arrow(look_up.table.name, rows)
