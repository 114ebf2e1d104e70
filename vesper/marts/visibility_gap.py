"""The gap map: which required field is missing how often, by market (R21).

What belongs here: have and missing by market and field. What does not: the visibility itself (`visibility.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_hash import hash_of
from vesper.marts import mart
from vesper.measure import count_of, counted, each_market, fields_of
from vesper.model.market import Market
from vesper.night import Night
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, table

COUNT = (0, 1_000_000_000)

VISIBILITY_GAP = table(
    "mart__visibility_gap",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("market_id", TEXT, "Market", required=True),
    column("field", TEXT, "Required field of core__contact", required=True),
    column("have_count", INTEGER, "Profiles of the market with the field", required=True, between=COUNT),
    column(
        "missing_count",
        INTEGER,
        "Profiles of the market without it; with have_count they are the known profiles",
        required=True,
        between=COUNT,
    ),
    column("have_ratio", RATIO, "have_count / known profiles; empty while nobody is known", between=(0.0, 1.0)),
    column("target_ratio", RATIO, "Share of known profiles that should have the field; empty without a target (R22)"),
    column("target_due_on", DATE, "Day it must be reached"),
    column("definition_hash", TEXT, "Hash of the market's definition", required=True),
    grain=("business_on", "market_id", "field"),
    cut="business_on",
    owner="marketing",
    says="For each market and required field: how many known profiles have it, how many lack it, by night.",
)


@mart(VISIBILITY_GAP, stage="measure")
def visibility_gap(night: Night) -> sa.Select[Any]:
    """Tonight's row of each market and required field."""
    return each_market(night, VISIBILITY_GAP, market_gap)


def market_gap(market: Market, night: Night) -> sa.CompoundSelect[Any]:
    """One row for each required field of a market."""
    profile = counted(market, night).cte(f"profile_{market.id}")
    return sa.union_all(*[_field(market, field, profile, night) for field in fields_of(market)])


def _field(market: Market, field: str, profile: sa.CTE, night: Night) -> sa.Select[Any]:
    have, known = count_of(profile, profile.c[field]), count_of(profile)
    target = market.field_targets.get(field)  # type: ignore[call-overload]
    return sa.select(
        on(night.business_on).label("business_on"),
        sa.literal(market.id).label("market_id"),
        sa.literal(field).label("field"),
        have.label("have_count"),
        (known - have).label("missing_count"),
        (sa.cast(have, RATIO) / sa.func.nullif(sa.cast(known, RATIO), 0.0)).label("have_ratio"),
        sa.cast(sa.literal(target and target.ratio), RATIO).label("target_ratio"),
        sa.cast(on(target.due_on) if target else sa.null(), DATE).label("target_due_on"),
        sa.literal(hash_of(night, f"markets/{market.id}")).label("definition_hash"),
    ).select_from(profile)
