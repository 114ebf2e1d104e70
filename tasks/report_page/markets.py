"""Market visibility on the page: each market's bar against its band, the gap map, and what to collect from how many people."""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.marts.visibility import VISIBILITY
from vesper.marts.visibility_gap import VISIBILITY_GAP
from vesper.measure import fields_to_ask, needed_count, people_to_ask
from vesper.model.market import Market
from vesper.night import Night
from vesper.visibility_figures import best_sources
from vesper.watch import of_tonight


@dataclass(frozen=True)
class Ask:
    """A group of people who lack the same fields."""

    missing: str
    missing_count: int
    people: int


@dataclass(frozen=True)
class MarketView:
    """One market tonight. `asks` and `people` are empty unless it stands below its band."""

    market: Market
    row: Any
    gaps: tuple[Any, ...]
    asks: tuple[Ask, ...]
    people: tuple[Any, ...]

    @property
    def low_ratio(self) -> float | None:
        """Visibility if the market is as large as it may be; None where the estimate states no range."""
        return None if self.row.size_high is None else int(self.row.complete_count) / int(self.row.size_high)

    @property
    def high_ratio(self) -> float | None:
        """Visibility if the market is as small as it may be; None where the estimate states no range."""
        return None if self.row.size_low is None else int(self.row.complete_count) / int(self.row.size_low)

    @property
    def widest_ratio(self) -> float:
        """The largest share that is drawn."""
        row = self.row
        return max(float(row.visibility_ratio), float(row.target_ratio), self.market.band.high, self.high_ratio or 0.0)

    @property
    def needed(self) -> int:
        """Complete profiles still needed to enter the band."""
        return max(needed_count(self.market) - int(self.row.complete_count), 0)

    @property
    def short(self) -> int:
        """How many of the needed people are not known at all."""
        return self.needed - len(self.people)

    @property
    def reachable_ratio(self) -> float:
        """Visibility when everybody asked has answered."""
        return (int(self.row.complete_count) + len(self.people)) / int(self.row.market_size)

    def gap(self, field: str) -> Any | None:
        """The gap of a field; None where the market does not require it."""
        return next((gap for gap in self.gaps if gap.field == field), None)

    @property
    def first_ask(self) -> Ask | None:
        """The largest of the cheapest questions: the one to begin with."""
        return self.asks[0] if self.asks else None


def read_markets(reader: Reader, night: Night) -> list[MarketView]:
    """Every market of tonight that is still defined, the least visible first."""
    markets = night.definitions.of(Market)
    gaps: dict[str, list[Any]] = {}
    for gap in reader.rows(of_tonight(VISIBILITY_GAP, night)):
        gaps.setdefault(gap.market_id, []).append(gap)
    rows = [row for row in reader.rows(of_tonight(VISIBILITY, night)) if row.market_id in markets]
    rows.sort(key=lambda row: (row.visibility_ratio, row.market_id))
    return [_view(reader, night, markets[row.market_id], row, gaps.get(row.market_id, [])) for row in rows]


@dataclass(frozen=True)
class SourceView:
    """A gap of tonight and the source that would close most of it."""

    market: Market
    row: Any


def read_sources(reader: Reader, night: Night) -> list[SourceView]:
    """The largest gaps that a source of ours could narrow, the largest first (R20, R22)."""
    markets = night.definitions.of(Market)
    return [
        SourceView(markets[row.market_id], row) for row in reader.rows(best_sources(night)) if row.market_id in markets
    ]


def _view(reader: Reader, night: Night, market: Market, row: Any, gaps: list[Any]) -> MarketView:
    asks: tuple[Ask, ...] = ()
    people: tuple[Any, ...] = ()
    if row.band == "below":
        found = reader.rows(fields_to_ask(market, night))
        asks = tuple(Ask(ask.missing, ask.missing_count, ask.people_count) for ask in found)
        people = tuple(reader.rows(people_to_ask(market, night)))
    order = {field: place for place, field in enumerate(market.required_fields)}
    return MarketView(market, row, tuple(sorted(gaps, key=lambda gap: order.get(gap.field, len(order)))), asks, people)
