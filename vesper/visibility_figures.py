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
    """The largest gaps of tonight, each with the source that would close most of it; gaps that no source of ours would close are left out.

    missing_count is the gap map's, in what the market counts; absent_count and expected_count are contacts, for sources bring contacts.
    """
    gap, best = VISIBILITY_GAP.c, _best_source(night).subquery("best")
    tonight = sa.and_(gap.business_on == on(night.business_on), gap.missing_count > 0, best.c.place == 1)
    same = sa.and_(best.c.market_id == gap.market_id, best.c.field == gap.field)
    return (
        sa.select(
            gap.market_id,
            best.c.source.label("source_id"),
            titled(gap.market_id, Market, night).label("market"),
            gap.field,
            gap.missing_count,
            titled(best.c.source, Source, night).label("source"),
            *[best.c[name] for name in ("absent_count", "fill_ratio", "expected_count")],
        )
        .join_from(VISIBILITY_GAP, best, same)
        .where(tonight)
        .order_by(gap.missing_count.desc(), gap.market_id, gap.field)
        .limit(MOST_GAPS)
    )


def _best_source(night: Night) -> sa.Select[Any]:
    """Sources by what they could bring to each gap: `place` 1 is the best."""
    row = VISIBILITY_SOURCE.c
    names = ("market_id", "field", "source", "absent_count", "fill_ratio", "expected_count")
    place = sa.func.row_number().over(
        partition_by=[row.market_id, row.field], order_by=[row.expected_count.desc(), row.source]
    )
    mine = sa.and_(row.business_on == on(night.business_on), row.expected_count > 0)
    return sa.select(*[row[name] for name in names], place.label("place")).where(mine)
