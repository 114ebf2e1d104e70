"""Journeys and coupons: every step that is named exists and can be come to, no circle is endless, what is sent or given exists (R73, R102).

What belongs here: what lies between the steps of a journey, and between it and other definitions. What does not: one step by itself (its model),
what campaigns and journeys share (`outreach.py`), conditions (`condition.py`).
"""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.coupon import Coupons
from vesper.model.journey import ACTIONS, WAITS, Journey
from vesper.model.journey_when import END, ENTRY
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the journeys and pools."""
    for reading, journey in book.of(Journey):
        yield from _names(reading, journey, _)
        yield from _ways(reading, journey, _)
        yield from _named_steps(reading, journey, _)
        yield from _things(book, reading, journey, _)
        yield from _events(book, reading, journey, _)
        if not any(_unknown_ways(journey)) and len({step.id for step in journey.steps}) == len(journey.steps):
            yield from _graph(reading, journey, _)
    for reading, pool in book.of(Coupons):
        if pool.redeemed and book.knows_sources:
            for place, kind in pool.redeemed.event.kinds:
                what = _("No source brings the event {word}.")
                yield from unknown(reading, ("redeemed", "event", *place), what, kind, book.event_kinds, _)


def _names(reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    """Names of steps and exits that are there twice, or that mean something else."""
    for key, ids in (("steps", [one.id for one in journey.steps]), ("exits", [one.id for one in journey.exits])):
        for number, id in enumerate(ids):
            if id in ids[:number]:
                yield reading.problem(
                    (key, number, "id"), _("{word} is there twice.").format(word=id), _("Give one of them another id.")
                )
            if key == "steps" and id in (ENTRY, END):
                what = _("{word} is no name for a step.").format(word=id)
                yield reading.problem((key, number, "id"), what, _("Give it another id."))


def _unknown_ways(journey: Journey) -> Iterator[tuple[Path, str]]:
    known = {step.id for step in journey.steps} | {END}
    for number, step in enumerate(journey.steps):
        here: Path = ("steps", number)
        ways = [((*here, "branch", place, "go"), case.go) for place, case in enumerate(step.branch or ())]
        ways += [((*here, key), way) for key in ("go", "otherwise") if (way := getattr(step, key)) is not None]
        yield from ((path, way) for path, way in ways if way not in known)


def _ways(reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    known = {step.id for step in journey.steps} | {END}
    for path, way in _unknown_ways(journey):
        yield from unknown(reading, path, _("The journey has no step {word}."), way, known, _)


def _named_steps(reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    """Steps that a question or an example names; a question about a message needs a step that sends one."""
    kinds = {step.id: step.kind for step in journey.steps}
    does = {"sent": "send", "opened": "send", "clicked": "send", "redeemed": "give", "closed": "task"}
    for start, when in journey.asked():
        for path, step in when.steps:
            yield from unknown(reading, (*start, *path), _("The journey has no step {word}."), step, set(kinds), _)
            word = str(path[-1])
            if step in kinds and word in does and kinds[step] != does[word]:
                what = _("{word} asks about {kind}, and the step {step} is {other}.")
                said = what.format(word=word, kind=does[word], step=step, other=kinds[step])
                yield reading.problem((*start, *path), said, _("Name another step."))
    acting = {id for id, kind in kinds.items() if kind in ACTIONS}
    for number, example in enumerate(journey.examples):
        for place, outcome in enumerate(example.expect):
            path = ("examples", number, "expect", place, "step")
            what = _("No step {word} sends or gives anything.")
            yield from unknown(reading, path, what, outcome.step, acting, _)


def _things(book: Book, reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    """Pools of coupons; contents are looked up in `outreach.py`."""
    for number, step in enumerate(journey.steps):
        if step.give is not None:
            path: Path = ("steps", number, "give", "pool")
            yield from unknown(reading, path, _("There are no coupons {word}."), step.give.pool, book.ids("coupons"), _)


def _events(book: Book, reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    """Kinds of event that no source brings: the journey would never begin, or never go on."""
    if not book.knows_sources:
        return
    what = _("No source brings the event {word}.")
    if journey.entry.event is not None:
        for place, kind in journey.entry.event.kinds:
            yield from unknown(reading, ("entry", "event", *place), what, kind, book.event_kinds, _)
    for start, when in journey.asked():
        for path, kind in when.kinds:
            yield from unknown(reading, (*start, *path), what, kind, book.event_kinds, _)


def _graph(reading: Reading, journey: Journey, _: Translate) -> Iterator[Problem]:
    """Steps that nobody comes to, circles without a wait, and actions in a circle."""
    ways = {step.id: {way for way in journey.ways(step) if way != END} for step in journey.steps}
    place = {step.id: number for number, step in enumerate(journey.steps)}
    reached = _reached(journey.steps[0].id, ways)
    for id in sorted(ways.keys() - reached, key=place.__getitem__):
        what = _("Nobody ever comes to the step {word}.").format(word=id)
        yield reading.problem(("steps", place[id], "id"), what, _("Lead a way there, or drop it."))
    kinds = {step.id: step.kind for step in journey.steps}
    ring = _ring(
        {id: {way for way in to if kinds[way] not in WAITS} for id, to in ways.items() if kinds[id] not in WAITS}
    )
    if ring:
        what = _("The steps go round without a wait: {ring}.").format(ring=" -> ".join(ring))
        yield reading.problem(("steps", place[ring[0]], "id"), what, _("Put a wait between them, or go to end."))
    for id in sorted(ways, key=place.__getitem__):
        if kinds[id] in ACTIONS and id in _reached_from(ways[id], ways):
            what = _("The step {word} lies in a circle, and it does its work once for each entry.").format(word=id)
            yield reading.problem(("steps", place[id], "id"), what, _("Take it out of the circle."))


def _reached(first: str, ways: Mapping[str, set[str]]) -> set[str]:
    return {first} | _reached_from(ways[first], ways)


def _reached_from(these: set[str], ways: Mapping[str, set[str]]) -> set[str]:
    """These steps and every one after them."""
    seen, waiting = set[str](), list(these)
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            waiting += sorted(ways.get(id, set()))
    return seen


def _ring(ways: Mapping[str, set[str]]) -> list[str]:
    """Steps that lead back to the first of them; none where there is no circle."""
    try:
        TopologicalSorter({id: sorted(to & ways.keys()) for id, to in sorted(ways.items())}).prepare()
    except CycleError as found:
        return list(reversed(found.args[1]))
    return []
