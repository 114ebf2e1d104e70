"""What is missing for market visibility, as Selects for the report page and the measure stage's page: the gap map, and who would close a gap.

What belongs here: choosing and ordering rows of the marts. What does not: how a gap or an estimate is counted (`vesper/marts/visibility_*.py`),
how anything looks (`tasks/report_page/`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.key_figures import titled
from vesper.marts.visibility_gap import VISIBILITY_GAP
from vesper.marts.visibility_source import VISIBILITY_SOURCE
from vesper.model.market import Market
from vesper.model.source import Source
from vesper.night import Night

MOST_GAPS = 8
"""Gaps that are shown with a source for each: more is no order to work in."""


def gaps(night: Night) -> sa.Select[Any]:
    """The gap map of tonight: have, missing, their ratio and the target, by market and field; the largest gap first (R21, R22)."""
    gap = VISIBILITY_GAP.c
    columns = [gap[name] for name in ("field", "have_count", "missing_count", "have_ratio", "target_ratio")]
    return (
        sa.select(gap.market_id, titled(gap.market_id, Market, night).label("market"), *columns)
        .where(gap.business_on == on(night.business_on))
        .order_by(gap.missing_count.desc(), gap.market_id, gap.field)
    )


def best_sources(night: Night) -> sa.Select[Any]:
    """The largest gaps of tonight, each with the source that would close most of it; gaps that no source of ours would close are left out."""
    row = VISIBILITY_SOURCE.c
    names = ("market_id", "field", "missing_count", "source", "absent_count", "fill_ratio", "expected_count")
    place = sa.func.row_number().over(
        partition_by=[row.market_id, row.field], order_by=[row.expected_count.desc(), row.source]
    )
    best = (
        sa.select(*[row[name] for name in names], place.label("place"))
        .where(row.business_on == on(night.business_on), row.expected_count > 0)
        .subquery("best")
    )
    titles = [
        titled(best.c.market_id, Market, night).label("market"),
        titled(best.c.source, Source, night).label("source"),
    ]
    others = [best.c[name] for name in ("field", "missing_count", "absent_count", "fill_ratio", "expected_count")]
    return (
        sa.select(best.c.market_id, best.c.source.label("source_id"), *titles, *others)
        .where(best.c.place == 1)
        .order_by(best.c.missing_count.desc(), best.c.market_id, best.c.field)
        .limit(MOST_GAPS)
    )
