"""What each condition means, in plain Python, contact by contact: the yardstick that the Selects are held against.

What belongs here: meanings, written without a look at the SQL. What does not: the product (it never loops over contacts).

A verdict is true, false or unknown (None), with the facts it rests on.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.conditions.world import Event, Facts, Order
from vesper.model.policy import ReplenishmentSettings, RfmSettings
from vesper.night import Night

RFM_DAYS = RfmSettings().within.days
RHYTHM = ReplenishmentSettings()


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds for a contact, and the number, first and last instant of the facts behind it."""

    truth: bool | None
    count: int = 0
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None


@dataclass(frozen=True)
class Case:
    """One contact of one company on one night."""

    id: str
    facts: Facts
    night: Night

    def recent(self, rows: Iterable[Any], within: Any) -> list[Any]:
        """Rows of the contact inside the window: `7d` is the business date and the six days before."""
        days = within.days if within else 10**5
        mine = [row for row in rows if row.contact_id == self.id]
        return [row for row in mine if 0 <= (self.night.business_on - row.on).days < days]


def judge(condition: Any, case: Case) -> Verdict:
    """The verdict of any condition."""
    return MEANINGS[condition.word](condition.body, case)


def seen(truth: bool | None, instants: Iterable[dt.datetime], count: int | None = None) -> Verdict:
    found = sorted(instants)
    return Verdict(
        truth, len(found) if count is None else count, found[0] if found else None, found[-1] if found else None
    )


def inside(figure: Any, least: Any, most: Any) -> bool:
    return (least is None or figure >= least) and (most is None or figure <= most)


def orders(body: Any, case: Case) -> Verdict:
    found: list[Order] = case.recent(case.facts.orders, body.within)
    return seen(inside(len(found), body.minimum, body.at_most), [order.ordered_at for order in found])


def spent(body: Any, case: Case) -> Verdict:
    found: list[Order] = case.recent(case.facts.orders, body.within)
    paid = sum((amount for order in found for amount in order.amounts), Decimal(0))
    return seen(inside(paid, body.at_least, body.at_most), [order.ordered_at for order in found])


def bought(body: Any, case: Case) -> Verdict:
    found: list[Order] = [
        o for o in case.recent(case.facts.orders, body.within) if set(o.categories) & set(body.category)
    ]
    return seen(inside(len(found), body.minimum, body.at_most), [order.ordered_at for order in found])


def events(body: Any, case: Case) -> Verdict:
    happened: list[Event] = case.recent(case.facts.events, body.within)
    found = [event for event in happened if event.kind == body.kind and not event.is_machine]
    return seen(inside(len(found), body.minimum, body.at_most), [event.at for event in found])


def last_order(body: Any, case: Case) -> Verdict:
    found: list[Order] = case.recent(case.facts.orders, None)
    if not found:
        return Verdict(None)
    days = min((case.night.business_on - order.on).days for order in found)
    last = max(order.ordered_at for order in found)
    return Verdict(inside(days, body.at_least_days_ago, body.at_most_days_ago), 1, last, last)


def rfm(body: Any, case: Case) -> Verdict:
    def lately(id: str) -> list[Order]:
        return [
            o for o in case.facts.orders if o.contact_id == id and 0 <= (case.night.business_on - o.on).days < RFM_DAYS
        ]

    buyers = [id for id in case.facts.contacts if lately(id)]
    if case.id not in buyers:
        return Verdict(None)
    figures: list[tuple[Any, Callable[[str], Any]]] = [
        (body.recency, lambda id: max(order.on for order in lately(id))),
        (body.frequency, lambda id: len(lately(id))),
        (body.money, lambda id: sum((amount for order in lately(id) for amount in order.amounts), Decimal(0))),
    ]
    holds = all(not wanted or fifth(case.id, buyers, figure) in wanted for wanted, figure in figures)
    return seen(holds, [order.ordered_at for order in case.recent(case.facts.orders, None)])


def fifth(id: str, buyers: list[str], figure: Callable[[str], Any]) -> int:
    """The fifth a buyer stands in: fifths differ by one buyer at most, the lower ones being the larger."""
    place = sorted(buyers, key=lambda buyer: (figure(buyer), buyer)).index(id)
    size, larger = divmod(len(buyers), 5)
    if place < larger * (size + 1):
        return place // (size + 1) + 1
    return larger + (place - larger * (size + 1)) // size + 1


def replenishment_due(body: Any, case: Case) -> Verdict:
    due = [found for category in dict.fromkeys(body.category) if (found := rhythm_due(category, body, case))]
    return seen(bool(due), [at for _, instants in due for at in instants], count=sum(days for days, _ in due))


def rhythm_due(category: str, body: Any, case: Case) -> tuple[int, list[dt.datetime]] | None:
    """Purchase days and instants of a category whose next need lies between tonight and the end of the window."""
    found: list[Order] = [o for o in case.recent(case.facts.orders, RHYTHM.within) if category in o.categories]
    days = sorted({order.on for order in found})
    if len(days) < RHYTHM.minimum_purchases:
        return None
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    ahead = (days[-1] + dt.timedelta(days=gaps[(len(gaps) - 1) // 2]) - case.night.business_on).days
    return (len(days), [order.ordered_at for order in found]) if 0 <= ahead <= body.within.days else None


def attribute(body: Any, case: Case) -> Verdict:
    value = case.facts.contacts[case.id].get(body.field)
    if body.presence:
        return Verdict((value is not None) == (body.presence == "known"), 0 if body.presence == "missing" else 1)
    return Verdict(None if value is None else value in body.among, 1)


def stage(body: Any, case: Case) -> Verdict:
    return Verdict(case.facts.stages[case.id] in body.among, 1)


def segment(body: Any, case: Case) -> Verdict:
    return Verdict(case.id in case.facts.segments.get(body.segment_id, frozenset()), 1)


def score(body: Any, case: Case) -> Verdict:
    return Verdict(inside(case.facts.scores[case.id], body.at_least, body.at_most), 1)


def always(body: Any, case: Case) -> Verdict:
    return Verdict(True, 1)


def every(body: Any, case: Case) -> Verdict:
    verdicts = [judge(part, case) for part in body.root]
    truths = [verdict.truth for verdict in verdicts]
    truth = False if False in truths else None if None in truths else True
    return together(truth, verdicts)


def either(body: Any, case: Case) -> Verdict:
    verdicts = [judge(part, case) for part in body.root]
    truths = [verdict.truth for verdict in verdicts]
    truth = True if True in truths else None if None in truths else False
    return together(truth, [verdict for verdict in verdicts if verdict.truth])


def together(truth: bool | None, verdicts: list[Verdict]) -> Verdict:
    instants = [at for verdict in verdicts for at in (verdict.first_at, verdict.last_at) if at]
    return seen(truth, instants, count=sum(verdict.count for verdict in verdicts))


def negation(body: Any, case: Case) -> Verdict:
    inner = judge(body.root, case).truth
    return Verdict(None if inner is None else not inner)


MEANINGS: dict[str, Callable[[Any, Case], Verdict]] = {
    "orders": orders,
    "spent": spent,
    "bought": bought,
    "events": events,
    "last_order": last_order,
    "rfm": rfm,
    "replenishment_due": replenishment_due,
    "attribute": attribute,
    "stage": stage,
    "segment": segment,
    "score": score,
    "always": always,
    "all": every,
    "any": either,
    "not": negation,
}
