"""Conditions: what they refer to exists, stands upstream of them, and does not lead back to them."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.conditions.events import Events
from vesper.conditions.segment import InSegment
from vesper.conditions.stage import Stage
from vesper.language import Translate
from vesper.model.condition import ConditionBody, Path
from vesper.problem import Problem
from vesper.reading import Reading

# Kind of definition -> words that stand downstream of it: a night computes measure, score, lifecycle and segments in this order.
DOWNSTREAM = {
    "markets": {"score", "stage", "segment"},
    "scoring": {"score", "stage", "segment"},
    "lifecycle": {"stage", "segment"},
}


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the conditions of all definitions."""
    for reading, start, condition in book.conditions:
        for path, body in condition.walk(start):
            yield from _upstream(reading, path, body, _)
            yield from _references(book, reading, path, body, _)
            if book.knows_sources:
                yield from _fed(reading, path, body, book.feeds, _)
    yield from _cycles(book, _)


def _fed(reading: Reading, path: Path, body: ConditionBody, feeds: set[str], _: Translate) -> Iterator[Problem]:
    """Facts that no source brings. Attributes come from contacts and surveys, of which one is enough."""
    missing = body.feeds - feeds - {"contact", "demographic"}
    if missing:
        what = _("No source feeds {feed}, so {word} can never hold.").format(
            feed=", ".join(sorted(missing)), word=body.word
        )
        yield reading.problem(path, what, _("Define such a source first."))


def _upstream(reading: Reading, path: Path, body: ConditionBody, _: Translate) -> Iterator[Problem]:
    if body.word in DOWNSTREAM.get(reading.kind, set()):
        what = _("{word} is found after {kind} in the night, so it cannot be asked for here.")
        yield reading.problem(path, what.format(word=body.word, kind=reading.kind), _("Ask for the facts behind it."))


def _references(book: Book, reading: Reading, path: Path, body: ConditionBody, _: Translate) -> Iterator[Problem]:
    if isinstance(body, InSegment):
        yield from unknown(
            reading, (*path, "id"), _("There is no segment {word}."), body.segment_id, book.ids("segments"), _
        )
    if isinstance(body, Stage):
        for place, stage in enumerate(body.among):
            yield from unknown_stage(book, reading, (*path, "in", place), stage, _)
    if isinstance(body, Events) and book.knows_sources:
        yield from unknown(
            reading, (*path, "kind"), _("No source brings the event {word}."), body.kind, book.event_kinds, _
        )


def _cycles(book: Book, _: Translate) -> Iterator[Problem]:
    """Segments that lead back to themselves; one problem for each ring, in the first file of it."""
    refers: dict[str, set[str]] = {}
    homes = {
        reading.id: (reading, start, condition)
        for reading, start, condition in book.conditions
        if reading.kind == "segments"
    }
    for id, (_reading, start, condition) in homes.items():
        refers[id] = {
            body.segment_id for _path, body in condition.walk(start) if isinstance(body, InSegment)
        } & homes.keys()
    while refers:
        try:
            TopologicalSorter({id: sorted(refers[id] & refers.keys()) for id in sorted(refers)}).prepare()
            return
        except CycleError as found:
            ring = list(reversed(found.args[1]))
        first = min(ring)
        turned = ring[:-1][ring.index(first) :] + ring[:-1][: ring.index(first)] + [first]
        reading, start, condition = homes[first]
        path = next(path for path, body in condition.walk(start) if getattr(body, "segment_id", None) == turned[1])
        what = _("The segment leads back to itself: {ring}.").format(ring=" -> ".join(turned))
        yield reading.problem(path, what, _("Drop one of these references."))
        refers = {id: to for id, to in refers.items() if id not in ring}
