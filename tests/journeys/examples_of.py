"""Examples of journeys as tests: one invented person, day by day, through the engine of the night and the tick, with a clock that is played.

What belongs here: playing an example and telling what came. What does not: which journeys there are (`test_examples.py`).

A turn comes whenever something happens or a wait is over, as the tick does, and each evening at 21:00, as the night does.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from tests.conditions.examples_of import WHO, attributes_of, event_of, order_of
from tests.conditions.world import TONIGHT, Event, Order
from tests.journeys.company import DAY_1, ZONE, Company
from tests.journeys.test_engine import emptied
from vesper.clock import instant, local_time
from vesper.journey.turn import REFUSED_NOT
from vesper.model.example import EventFact, OrderFact
from vesper.model.from_matrix import FromMatrix
from vesper.model.journey import ACTIONS, Journey
from vesper.model.journey_example import JourneyExample
from vesper.send import message_id
from vesper.sent import sent_by
from warehouse.ledger.journey import next_due

NOON = dt.time(12)
CONTENT = 'says: x\nowner: o\nmessages:\n  zh_CN: {subject: 你好, text: "退订：{{ unsubscribe_url }}"}\n'
MATRIX = """says: x
owner: o
channels: [email]
rows: [{{id: everybody, stages: [{stages}], content: by_matrix}}]
"""
"""A matrix that has the same for everybody the journey speaks to."""
POOL = "says: x\nowner: o\nmade: {count: 9}\nwarn_below: 0\n"


@dataclass(frozen=True)
class Got:
    """What the person came to at one acting step."""

    on: str
    at: str
    step: str
    gets: str | None
    reason: str | None


def play(company: Company, journey: Journey, text: str, example: JourneyExample) -> tuple[list[Got], str]:
    """What the person gets, in its order, and how it ends."""
    emptied(company)
    company.texts.clear()
    running = journey.model_copy(
        update={"state": "full", "starts_on": DAY_1, "ends_on": DAY_1 + dt.timedelta(days=1000), "max_people": 10}
    )
    contents = {f"content__{sent.content}": CONTENT for sent in sent_by(journey) if isinstance(sent.content, str)}
    pools = {f"coupons__{step.give.pool}": POOL for step in journey.steps if step.give}
    stages = ", ".join(journey.brief.stages)
    matrices = {sent.name.replace("/", "__"): MATRIX.format(stages=stages) for sent in sent_by(journey)}
    by_matrix = {name: text for name, text in matrices.items() if name.startswith("matrix")}
    if by_matrix:
        contents["content__by_matrix"] = CONTENT
    company.define(**contents, **pools, **by_matrix, **{f"journeys__{journey.id}": text})
    company.models = {("journeys", journey.id): running}
    _know(company, journey, example)
    _run(company, example)
    return _got(company, journey), _ended(company)


def _know(company: Company, journey: Journey, example: JourneyExample) -> None:
    given = example.given
    attributes = {"email": "one@example.com", **attributes_of(given)}
    before = [event_of(one, ZONE) for one in given.events]
    company.know(
        [],
        [*before, *[_event(one, journey) for one in example.happens]],
        attributes={WHO: attributes},
        orders=tuple([order_of(one, ZONE) for one in given.orders] + [_order(one) for one in example.orders]),
        segments={WHO: frozenset(given.segments)},
        tags={tag: frozenset({WHO}) for tag in given.tags},
    )
    company.consenting = [WHO] if example.consents else []
    company.stages = {WHO: given.stage or journey.brief.stages[0]}


def _event(one: Any, journey: Journey) -> Event:
    on = DAY_1 + dt.timedelta(days=one.on.number - 1)
    fact = EventFact.model_validate({**one.model_dump(exclude={"on", "message"}), "on": "today"})
    led_by = message_id(journey.id, WHO, one.message) if one.message else None
    made = event_of(fact, ZONE)
    moment = instant(on, one.at.time if one.at else NOON, ZONE)
    return Event(**{**vars(made), "on": on, "moment": moment, "message_id": led_by})


def _order(one: Any) -> Order:
    on = DAY_1 + dt.timedelta(days=one.on.number - 1)
    made = order_of(OrderFact.model_validate({**one.model_dump(exclude={"on"}), "on": "today"}), ZONE)
    return Order(**{**vars(made), "on": on, "at": instant(on, one.at.time if one.at else NOON, ZONE)})


def _run(company: Company, example: JourneyExample) -> None:
    """Turns at every instant that matters, a night at the end of each day; days on which nothing can happen are passed over."""
    moments = sorted({event.at for event in company.facts.events if event.at >= instant(DAY_1, dt.time(), ZONE)})
    last = instant(DAY_1 + dt.timedelta(days=example.days), dt.time(), ZONE)
    night = DAY_1
    while True:
        asks_nightly = _asks_nightly(company)
        due = next_due(company.engine)
        night_at = instant(night, dt.time(20), ZONE)
        at = min([moment for moment in (*moments[:1], due) if moment is not None] or [last])
        if min(at, night_at) >= last:
            return
        if at < night_at or not asks_nightly:
            company.tick(min(at, last))
            moments = moments[1:] if moments[:1] == [at] else moments
            night = max(night, local_time(at, ZONE).date())
            if at >= last:
                return
            continue
        company.night(night)
        night += dt.timedelta(days=1)


def _asks_nightly(company: Company) -> bool:
    """Whether somebody may yet enter by a condition, which nights alone look at."""
    by_condition = [one for one in company.models.values() if one.entry.when is not None]
    return any(one.reentry != "never" or not company.entries() for one in by_condition)


def _got(company: Company, journey: Journey) -> list[Got]:
    acting = {step.id: step for step in journey.steps if step.kind in ACTIONS}
    found = []
    visits = sorted(company.visits(), key=lambda row: (row["occurrence"], row["number"]))
    for visit in visits:
        step = acting.get(visit["step_id"])
        if step is None or visit["outcome"] is None:
            continue
        local = local_time(visit["at"], ZONE)
        sent = step.send.content if step.send else None
        named = sent.matrix if isinstance(sent, FromMatrix) else sent
        thing = named or (step.give.pool if step.give else step.task.kind if step.task else "")
        is_given = visit["outcome"] in REFUSED_NOT
        day = f"day {(local.date() - DAY_1).days + 1}"
        found.append(
            Got(
                day,
                local.strftime("%H:%M"),
                step.id,
                thing if is_given else None,
                None if is_given else visit["outcome"],
            )
        )
    return found


def _ended(company: Company) -> str:
    states = [row["state"] for row in company.entries()]
    return states[-1] if states else "never_entered"


def mistakes(example: JourneyExample, got: list[Got], ended: str) -> list[str]:
    """How what came differs from what the example says."""
    wrong = [] if example.ends in (None, ended) else [f"it ends {ended}, not {example.ends}"]
    if len(got) != len(example.expect):
        wrong.append(f"came: {got}")
    for came, expected in zip(got, example.expect, strict=False):
        stated = (expected.on, expected.at or came.at, expected.step, expected.gets, expected.reason)
        if stated != (came.on, came.at, came.step, came.gets, came.reason):
            wrong.append(f"expected {stated}, came {came}")
    return wrong


__all__ = ["TONIGHT", "mistakes", "play"]
