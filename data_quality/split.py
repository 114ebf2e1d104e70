"""Where judged rows go: the good ones on, the broken ones to quarantine, and how many of each. The judgement itself is
row_rules.py.

Each function takes the result of `row_rules.typed`, as a subquery or as a table the runner has bound, so a caller may
judge once and read thrice.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from data_quality.row_rules import BOOKKEEPING
from vesper import clock
from vesper.model.source import Source


def clean_select(judged: sa.FromClause, source: Source) -> sa.Select[Any]:
    """The good rows: declared fields, `file`, `source_row`, `received_at`."""
    return sa.select(*[judged.c[name] for name in (*source.fields, *BOOKKEEPING)]).where(
        judged.c.failed_rule.is_(None), ~judged.c.is_superseded
    )


def quarantine_select(
    judged: sa.FromClause, source: Source, business_on: dt.date, stage: str = "consolidate"
) -> sa.Select[Any]:
    """The broken rows in the columns of dq__quarantine; `row_key` is file:row."""
    row_key = judged.c.file + ":" + sa.cast(judged.c.source_row, sa.String)
    return sa.select(
        clock.on(business_on).label("business_on"),
        sa.literal(stage).label("stage"),
        sa.literal(source.id).label("source"),
        row_key.label("row_key"),
        judged.c.failed_rule.label("rule_id"),
        judged.c.row_json,
    ).where(judged.c.failed_rule.is_not(None))


def count_select(judged: sa.FromClause) -> sa.Select[Any]:
    """Rows by file and outcome: `outcome` is "good", "superseded", or the broken rule; their sum is what was received."""
    kept = sa.case((judged.c.is_superseded, "superseded"), else_="good")
    outcome = sa.func.coalesce(judged.c.failed_rule, kept).label("outcome")
    return sa.select(judged.c.file, outcome, sa.func.count().label("row_count")).group_by(judged.c.file, outcome)
