"""What each condition means, in plain Python, contact by contact: the yardstick that the Selects are held against.

What belongs here: meanings, written without a look at the SQL. What does not: the product (it never loops over contacts).

A verdict is true, false or unknown (None), with the facts it rests on.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.conditions.oracle_of_people import age, anniversary, attribute, company, persona, tag, tier
from tests.conditions.verdict import Case, Verdict, inside, seen
from tests.conditions.world import Event, Order
from vesper.conditions.rfm import Rfm
from vesper.model.policy import ReplenishmentSettings, RfmSettings

__all__ = ["MEANINGS", "Case", "judge"]

RFM_DAYS = RfmSettings().within.days
RHYTHM = ReplenishmentSettings()


def judge(condition: Any, case: Case) -> Verdict:
    """The verdict of any condition."""
    return MEANINGS[condition.word](condition.body, case)


def orders(body: Any, case: Case) -> Verdict:
    found: list[Order] = case.recent(case.facts.orders, body.within)
    return seen(inside(len(found), body.minimum, body.at_most), [order.ordered_at for order in found])


def spent(body: Any, case: Case) -> Verdict:
    found: list[Order] = case.recent(case.facts.orders, body.within)
    paid = sum((amount for order in found for amount in order.amounts), Decimal(0))
    return seen(inside(paid, body.at_least, body.at_most), [order.ordered_at for order in found])


def bought(body: Any, case: Case) -> Verdict:
    found: list[Order] = [o for o in case.recent(case.facts.orders, body.within) if has_line(o, body)]
    return seen(inside(len(found), body.minimum, body.at_most), [order.ordered_at for order in found])


def has_line(order: Order, lines: Any) -> bool:
    """Whether one line of the order passes every test that is written."""
    return any(
        (lines.category is None or category in lines.category)
        and (lines.product_code is None or product in lines.product_code)
        for category, product in zip(order.categories, order.products, strict=True)
    )


def events(body: Any, case: Case) -> Verdict:
    found = [event for event in case.recent(case.facts.events, body.within) if meant(event, body)]
    if body.count == "events":
        return seen(inside(len(found), body.minimum, body.at_most), [event.at for event in found])
    unit = {"messages": "message_id", "days": "on", "contents": "content_id"}[body.count]
    found = [event for event in found if getattr(event, unit) is not None]
    number = len({getattr(event, unit) for event in found})
    return seen(inside(number, body.minimum, body.at_most), [event.at for event in found], number)


def meant(event: Event, asked: Any) -> bool:
    """Whether an event passes every test that is written; what it does not say fails its test."""
    tests = [not event.is_machine, event.kind in asked.kind]
    pairs = (
        (event.content_id, asked.content_id),
        (event.product_code, asked.product_code),
        (event.series_id, asked.series),
    )
    tests += [value in words for value, words in pairs if words is not None]
    texts = ((event.url, asked.url), (event.keyword, asked.keyword))
    tests += [value is not None and passes(value, test) for value, test in texts if test is not None]
    if asked.duration_at_least is not None:
        tests.append((event.duration_seconds or 0) >= asked.duration_at_least.seconds)
    if asked.amount_at_least is not None:
        tests.append(event.amount is not None and event.amount >= asked.amount_at_least)
    return all(tests)


def passes(value: str, test: Any) -> bool:
    if test.among:
        return value in test.among
    if test.contains:
        return any(word in value for word in test.contains)
    return value.startswith(tuple(test.starts_with))


def last_event(body: Any, case: Case) -> Verdict:
    found = [event for event in case.recent(case.facts.events, None) if meant(event, body)]
    if not found:
        return Verdict(None)
    days = min((case.night.business_on - event.on).days for event in found)
    last = max(event.at for event in found)
    return Verdict(inside(days, body.at_least_days_ago, body.at_most_days_ago), 1, last, last)


def unanswered(body: Any, case: Case) -> Verdict:
    happened = case.recent(case.facts.events, body.within)
    sent = [event.at for event in happened if meant(event, body.sent)]
    if any(meant(event, body.answer) for event in happened):
        return Verdict(False)
    return seen(len(sent) >= body.at_least if sent else None, sent)


def response(body: Any, case: Case) -> Verdict:
    """Every event under `to` with its answers: the largest number counts, and what an open window could change is unknown."""
    begun = [event for event in case.recent(case.facts.events, body.to_within) if meant(event, body.to)]
    if body.same == "series":
        begun = [event for event in begun if event.series_id is not None]
    answers = {anchor: answers_to(anchor, body, case) for anchor in begun}
    if not answers:
        return Verdict(None)
    number = max(map(len, answers.values()))
    instants = [event.at for anchor, found in answers.items() for event in (anchor, *found)]
    could_be = (inside(more, body.minimum, body.at_most) for more in range(number, number + 9))
    is_open = any(anchor.at + body.within.timedelta > case.night.cutoff_at for anchor in answers)
    is_settled = body.settles == "daily" or not is_open or len(set(could_be)) == 1
    return seen(inside(number, body.minimum, body.at_most) if is_settled else None, instants, number)


def answers_to(anchor: Event, body: Any, case: Case) -> list[Event]:
    return [
        event
        for event in case.recent(case.facts.events, None)
        if meant(event, body.of)
        and anchor.at < event.at <= anchor.at + body.within.timedelta
        and (body.same == "any" or event.series_id == anchor.series_id)
    ]


def sequence(body: Any, case: Case) -> Verdict:
    """Every chain of facts, tried one by one."""
    last = body.steps[-1]
    present = body.steps[:-1] if last.is_absent else body.steps
    chains = [[at] for at in instants_of(present[0], case, body.within)]
    for step in present[1:]:
        longest = step.within.timedelta if step.within else dt.timedelta.max
        nexts = instants_of(step, case)
        chains = [[*chain, at] for chain in chains for at in nexts if chain[-1] < at and at - chain[-1] <= longest]
    waiting = []
    if last.is_absent:
        missed, length = instants_of(last, case), last.within.timedelta
        free = [chain for chain in chains if not any(chain[-1] < at <= chain[-1] + length for at in missed)]
        chains = [chain for chain in free if chain[-1] + length <= case.night.cutoff_at]
        waiting = [chain for chain in free if chain[-1] + length > case.night.cutoff_at]
    if not chains:
        return Verdict(None if waiting else False)
    latest = max(chains, key=lambda chain: (chain[-1], chain[0]))
    return Verdict(True, len(present), latest[0], latest[-1])


def instants_of(step: Any, case: Case, within: Any = None) -> list[dt.datetime]:
    if step.of_events:
        return [event.at for event in case.recent(case.facts.events, within) if meant(event, step.of_events)]
    lines = step.order or step.no_order
    return [order.ordered_at for order in case.recent(case.facts.orders, within) if has_line(order, lines)]


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


def activity(body: Any, case: Case) -> Verdict:
    if not case.recent(case.facts.orders, None):
        return Verdict(None)
    pairs = [(r, f) for r in range(1, 6) for f in range(1, 6)]
    ranks = {r + f for r, f in pairs if rfm(Rfm.model_validate({"recency": [r], "frequency": [f]}), case).truth} or {0}
    level = "high" if max(ranks) >= 8 else "medium" if max(ranks) >= 5 else "low"
    return seen(level in body.level, [order.ordered_at for order in case.recent(case.facts.orders, None)])


def stage(body: Any, case: Case) -> Verdict:
    return Verdict(case.facts.stages[case.id] in body.among, 1)


def segment(body: Any, case: Case) -> Verdict:
    return Verdict(case.id in case.facts.segments.get(body.group_id, frozenset()), 1)


def score(body: Any, case: Case) -> Verdict:
    return Verdict(inside(case.facts.scores[case.id], body.at_least, body.at_most), 1)


def mql(body: Any, case: Case) -> Verdict:
    return Verdict(case.id in case.facts.mqls, 1)


def bant(body: Any, case: Case) -> Verdict:
    said = [one for one in case.facts.sales.bant if (one.contact_id, one.dimension) == (case.id, body.dimension)]
    said = [one for one in said if one.at <= case.night.cutoff_at]
    newest = max(reversed(said), key=lambda one: (one.at, one.source, case.facts.sales.bant.index(one)), default=None)
    if body.presence == "missing":
        return Verdict(newest is None)
    if newest is None:
        return Verdict(None if body.among else False)
    return Verdict(body.among is None or newest.value in body.among, 1, newest.at, newest.at)


def outcome(body: Any, case: Case) -> Verdict:
    found = [one for one in case.recent(case.facts.sales.outcomes, body.within) if one.outcome in body.among]
    found = [one for one in found if not body.reason or one.reason in body.reason]
    return seen(inside(len(found), body.minimum, body.at_most), [one.at for one in found])


def lead(body: Any, case: Case) -> Verdict:
    mine = case.facts.leads.get(case.id)
    if mine is None:
        return Verdict(False)
    answers = [
        body.status is None or mine.status in body.status,
        body.recycled_at_least is None or mine.recycle_count >= body.recycled_at_least,
        body.reason is None or mine.reason in body.reason,
    ]
    begun = mine.opened_at if mine.status == "open" else mine.closed_at
    return Verdict(all(answers), 1, begun, begun)


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
    "last_event": last_event,
    "unanswered": unanswered,
    "response": response,
    "sequence": sequence,
    "rfm": rfm,
    "replenishment_due": replenishment_due,
    "attribute": attribute,
    "company": company,
    "anniversary": anniversary,
    "age": age,
    "activity": activity,
    "tag": tag,
    "persona": persona,
    "tier": tier,
    "stage": stage,
    "segment": segment,
    "score": score,
    "mql": mql,
    "bant": bant,
    "outcome": outcome,
    "lead": lead,
    "always": always,
    "all": every,
    "any": either,
    "not": negation,
}
