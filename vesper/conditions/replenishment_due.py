"""`replenishment_due: {category: [COFFEE], within: 3d}`: the contact's own rhythm says that the category is needed soon (R37)."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field

from vesper.analysis import replenishment_settings
from vesper.clock import on
from vesper.conditions.people import Asked, People, evidence
from vesper.conditions.tally import in_window, left_window
from vesper.model.condition import ConditionBody
from vesper.model.definition import Strict, Text
from vesper.model.timing import Days
from vesper.night import Night
from vesper.tables.order import ORDER_LINE

DAY = dt.timedelta(days=1)


class ReplenishmentDue(ConditionBody, Strict):
    """Last purchase plus the contact's usual gap falls between the business date and `within` days after it."""

    word: ClassVar[str] = "replenishment_due"
    feeds: ClassVar[frozenset[str]] = frozenset({"order_line", "product"})

    category: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Product categories, spelled as in the catalogue; each has its own rhythm, any that is due matches."""
    within: Days
    """How far ahead of the predicted day it starts to match."""

    def people(self, asked: Asked) -> People:
        """Contacts with a category that their own rhythm says is due."""
        need = next_need(self.category, asked.night).subquery("need")
        until = asked.night.business_on + self.within.timedelta
        return (
            sa.select(
                *evidence(
                    need.c.contact_id,
                    sa.func.sum(need.c.purchase_days),
                    sa.func.min(need.c.first_at),
                    sa.func.max(need.c.last_at),
                )
            )
            .where(need.c.next_need_on.between(on(asked.night.business_on), on(until)))
            .group_by(need.c.contact_id)
        )

    def moved(self, asked: Asked, since: dt.date) -> Iterator[sa.Select[Any]]:
        """Contacts whose next need came near or passed, or with a purchase at an edge of the days that make a rhythm."""
        night, line = asked.night, ORDER_LINE.c
        window, of_category = replenishment_settings(night).within, line.category.in_(self.category)
        yield from left_window(line.contact_id, line.ordered_on, window, night, since, of_category)
        need, ahead = next_need(self.category, night).subquery("need").c, self.within.timedelta
        came = need.next_need_on.between(on(since + ahead + DAY), on(night.business_on + ahead))
        passed = need.next_need_on.between(on(since), on(night.business_on - DAY))
        yield sa.select(need.contact_id).where(sa.or_(came, passed))


def next_need(categories: Sequence[str], night: Night) -> sa.Select[Any]:
    """One row per contact and category whose rhythm is known: the day of the next need (R37).

    The next need is the last purchase day plus the median gap between purchase days; of two gaps in the middle, the shorter. A rhythm is known
    from policy/analysis `replenishment.minimum_purchases` purchase days on.
    """
    gaps = _gaps(categories, night).subquery("gaps").c
    usual = sa.cast(sa.func.percentile_disc(0.5).within_group(gaps.gap_days), sa.Integer)
    last_on: sa.ColumnElement[Any] = sa.func.max(gaps.ordered_on)
    return (
        sa.select(
            gaps.contact_id,
            gaps.category,
            sa.func.count().label("purchase_days"),
            usual.label("gap_days"),
            last_on.label("last_purchase_on"),
            (last_on + usual).label("next_need_on"),
            sa.func.min(gaps.first_at).label("first_at"),
            sa.func.max(gaps.last_at).label("last_at"),
        )
        .group_by(gaps.contact_id, gaps.category)
        .having(sa.func.count() >= replenishment_settings(night).minimum_purchases)
    )


def _gaps(categories: Sequence[str], night: Night) -> sa.Select[Any]:
    """One row per contact, category and purchase day, with the days since the purchase day before it."""
    line = ORDER_LINE.c
    within = replenishment_settings(night).within
    first, last = sa.func.min(line.ordered_at).label("first_at"), sa.func.max(line.ordered_at).label("last_at")
    purchases = sa.select(line.contact_id, line.category, line.ordered_on, first, last)
    bought = line.contact_id.is_not(None), line.category.in_(categories), in_window(line.ordered_on, within, night)
    day = purchases.where(*bought).group_by(line.contact_id, line.category, line.ordered_on).subquery("days")
    earlier = sa.func.lag(day.c.ordered_on).over(
        partition_by=[day.c.contact_id, day.c.category], order_by=day.c.ordered_on
    )
    return sa.select(day, sa.func.date_diff("day", earlier, day.c.ordered_on).label("gap_days"))
