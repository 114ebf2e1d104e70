"""Market visibility on the page: each market's bar against its band, the gap map, and what to collect from how many people."""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.marts.visibility import VISIBILITY
from vesper.marts.visibility_gap import VISIBILITY_GAP
from vesper.measure import fields_to_ask, needed_count, people_to_ask
from vesper.model.market import Market
from vesper.night import Night
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


def _view(reader: Reader, night: Night, market: Market, row: Any, gaps: list[Any]) -> MarketView:
    asks: tuple[Ask, ...] = ()
    people: tuple[Any, ...] = ()
    if row.band == "below":
        found = reader.rows(fields_to_ask(market, night))
        asks = tuple(Ask(ask.missing, ask.missing_count, ask.people_count) for ask in found)
        people = tuple(reader.rows(people_to_ask(market, night)))
    order = {field: place for place, field in enumerate(market.required_fields)}
    return MarketView(market, row, tuple(sorted(gaps, key=lambda gap: order.get(gap.field, len(order)))), asks, people)
