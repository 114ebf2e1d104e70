"""Conditions: what they refer to exists, stands upstream of them, and does not lead back to them."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.conditions import Condition
from vesper.conditions.groups import InGroup
from vesper.conditions.stage import Stage
from vesper.conditions.tier import InTier
from vesper.language import Translate
from vesper.model.condition import ConditionBody, Path
from vesper.problem import Problem
from vesper.reading import Reading

# Kind of definition -> words that stand downstream of it: a night computes tags, tiers, personas, markets, scores, lifecycle and segments in this order.
DOWNSTREAM = {
    "tags": {"tier", "persona", "score", "mql", "lead", "stage", "segment"},
    "tiers": {"persona", "score", "mql", "lead", "stage", "segment"},
    "personas": {"score", "mql", "lead", "stage", "segment"},
    "markets": {"score", "mql", "lead", "stage", "segment"},
    "scoring": {"score", "mql", "lead", "stage", "segment"},
    "lifecycle": {"stage", "segment"},
}


NO_SUCH_GROUP = {
    "segments": "There is no segment {word}.",
    "tags": "There is no tag {word}.",
    "personas": "There is no persona {word}.",
}
HOLDS_WITHOUT = {"lead": {"lead_outcome"}}
"""Feeds that a condition reads and can hold without: a lead is open until somebody says what became of it."""
ONE_IS_ENOUGH = {"contact", "demographic", "company"}
"""Feeds that bring attributes of contacts and their companies."""


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
    """Facts that no source brings. Attributes come from contacts, surveys and companies, of which one is enough."""
    missing = body.feeds - feeds - ONE_IS_ENOUGH - HOLDS_WITHOUT.get(body.word, set())
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
    if isinstance(body, InGroup):
        what = _(NO_SUCH_GROUP[body.folder])
        yield from unknown(reading, (*path, "id"), what, body.group_id, book.ids(body.folder), _)
    if isinstance(body, InTier):
        yield from _tiers(book, reading, path, body, _)
    if isinstance(body, Stage):
        for place, stage in enumerate(body.among):
            yield from unknown_stage(book, reading, (*path, "in", place), stage, _)
    if book.knows_sources:
        for inner, kind in body.event_kinds():
            yield from unknown(
                reading, (*path, *inner), _("No source brings the event {word}."), kind, book.event_kinds, _
            )


def _tiers(book: Book, reading: Reading, path: Path, body: InTier, _: Translate) -> Iterator[Problem]:
    yield from unknown(reading, (*path, "of"), _("There is no tiering {word}."), body.of, book.ids("tiers"), _)
    known = book.tiers.get(body.of)
    for place, tier in enumerate(body.among if known else ()):
        yield from unknown(reading, (*path, "in", place), _("There is no such tier: {word}."), tier, known or set(), _)


def _cycles(book: Book, _: Translate) -> Iterator[Problem]:
    """Groups that lead back to themselves; one problem for each ring, in the first file of it."""
    for folder in NO_SUCH_GROUP:
        homes: dict[str, Reading] = {}
        named: dict[str, list[tuple[str, Path]]] = {}
        for reading, start, one in book.conditions:
            if reading.kind == folder:
                homes[reading.id] = reading
                named.setdefault(reading.id, []).extend(_named(start, one, folder))
        for ring in _rings({id: {name for name, _path in of} & homes.keys() for id, of in named.items()}):
            path = next(path for name, path in named[ring[0]] if name == ring[1])
            what = _("The group leads back to itself: {ring}.").format(ring=" -> ".join(ring))
            yield homes[ring[0]].problem(path, what, _("Drop one of these references."))


def _named(start: Path, condition: Condition, folder: str) -> list[tuple[str, Path]]:
    """The groups of a kind that a condition names, each with the place."""
    bodies = [(body, path) for path, body in condition.walk(start) if isinstance(body, InGroup)]
    return [(body.group_id, path) for body, path in bodies if body.folder == folder]


def _rings(refers: dict[str, set[str]]) -> Iterator[list[str]]:
    """Rings of names that refer to each other, each begun and ended with its first name."""
    while refers:
        try:
            TopologicalSorter({id: sorted(refers[id] & refers.keys()) for id in sorted(refers)}).prepare()
            return
        except CycleError as found:
            ring = list(reversed(found.args[1]))
        first = min(ring)
        yield ring[:-1][ring.index(first) :] + ring[:-1][: ring.index(first)] + [first]
        refers = {id: to for id, to in refers.items() if id not in ring}
