"""Market visibility: how many of the people in a market we know completely (R18..R20, R22, R23).

What belongs here: the ratio of complete contacts to market size, its band and its target, by market and night. What does not: which field is
missing (`visibility_gap.py`) and whom to ask for it (`vesper/measure.py`).

The market's size is an estimate from outside, so the ratio may exceed 1; it is stored as it is and flagged by the band, never clipped (decision 11).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.measure import count_of, counted, each_market, floor_count, is_complete, needed_count, target_count
from vesper.model.market import Market
from vesper.night import Night
from vesper.tables.declare import DATE, FLAG, INTEGER, RATIO, TEXT, column, table

COUNT = (0, 1_000_000_000)
BANDS = ("below", "in_band", "above")

VISIBILITY = table(
    "mart__visibility",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("market_id", TEXT, "Market", required=True),
    column(
        "complete_count",
        INTEGER,
        "Profiles of the market with every required field (R20)",
        required=True,
        between=COUNT,
    ),
    column("counts", TEXT, "What a profile is here (R117)", required=True, among=("contacts", "companies")),
    column("known_count", INTEGER, "Profiles of the market, complete or not", required=True, between=COUNT),
    column(
        "market_size",
        INTEGER,
        "People, or companies, in the market, known or not: an estimate from outside",
        required=True,
        between=(1, COUNT[1]),
    ),
    column("size_source", TEXT, "Who says so", required=True),
    column("size_as_of_on", DATE, "Day the estimate is of", required=True),
    column(
        "visibility_ratio",
        RATIO,
        "complete_count / market_size (R18); above 1 when more are known than were estimated",
        required=True,
        between=(0.0, 1.0),
        severity="warning",
    ),
    column(
        "band",
        TEXT,
        "Where the ratio stands to the market's band of 0.80 to 0.90, both inside (R19)",
        required=True,
        among=BANDS,
    ),
    column("target_ratio", RATIO, "Visibility to reach (R22)", required=True),
    column("target_due_on", DATE, "Day it must be reached", required=True),
    column("size_low", INTEGER, "Lowest plausible size, where the estimate states one", between=(1, COUNT[1])),
    column("size_high", INTEGER, "Highest plausible size, where the estimate states one", between=(1, COUNT[1])),
    column(
        "to_target_count",
        INTEGER,
        "Profiles still to complete until the target is reached; 0 once it is (R22)",
        required=True,
        between=COUNT,
    ),
    column("progress_ratio", RATIO, "Way from where the target began to the target; empty where `from` is not stated"),
    column("is_overdue", FLAG, "The day has passed and the target is not reached", required=True),
    column(
        "definition_hash",
        TEXT,
        "Hash of the market's definition: another list of fields is another hash (R20)",
        required=True,
    ),
    grain=("business_on", "market_id"),
    cut="business_on",
    owner="marketing",
    says="How much of each market is known completely, by night.",
)


@mart(VISIBILITY, stage="measure")
def visibility(night: Night) -> sa.Select[Any]:
    """Tonight's row of each market; the table keeps those of earlier nights, so any past date can be asked again (R23)."""
    return each_market(night, VISIBILITY, market_visibility)


def market_visibility(market: Market, night: Night) -> sa.Select[Any]:
    """The one row of a market."""
    profile = counted(market, night).subquery("profile")
    complete = count_of(profile, is_complete(market, profile))
    size = market.size.value
    band = sa.case(
        (complete < needed_count(market), "below"),
        (complete > floor_count(market.band.high, size), "above"),
        else_="in_band",
    )
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(market.id).label("market_id"),
        complete.label("complete_count"),
        sa.literal(market.counts).label("counts"),
        count_of(profile).label("known_count"),
        sa.literal(size).label("market_size"),
        sa.literal(market.size.source).label("size_source"),
        on(market.size.as_of_on).label("size_as_of_on"),
        (sa.cast(complete, RATIO) / sa.cast(size, RATIO)).label("visibility_ratio"),
        band.label("band"),
        sa.cast(market.target.ratio, RATIO).label("target_ratio"),
        on(market.target.due_on).label("target_due_on"),
        *_progress(market, complete, night),
        sa.literal(hash_of(night, f"markets/{market.id}")).label("definition_hash"),
    ).select_from(profile)


def _progress(market: Market, complete: sa.ColumnElement[int], night: Night) -> list[sa.Label[Any]]:
    """How far the market is from its target, and whether its day has passed (R22)."""
    needed = target_count(market)
    ratio = sa.cast(complete, RATIO) / sa.cast(market.size.value, RATIO)
    start = market.target.start
    way: Any = sa.null() if start is None else (ratio - start.ratio) / (market.target.ratio - start.ratio)
    overdue = sa.and_(complete < needed, sa.literal(night.business_on > market.target.due_on))
    return [
        sa.cast(sa.literal(market.size.low), INTEGER).label("size_low"),
        sa.cast(sa.literal(market.size.high), INTEGER).label("size_high"),
        sa.func.greatest(needed - complete, 0).label("to_target_count"),
        sa.cast(way, RATIO).label("progress_ratio"),
        overdue.label("is_overdue"),
    ]
