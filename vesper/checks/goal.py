"""Goals: the business goal, the stages, the events and the figure that they name exist (R24, R25)."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.goal import EventCount, Goal, Passed, Returned
from vesper.problem import Problem
from vesper.reading import Reading
from vesper.watch import FIGURES


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the goals."""
    business = {reading.id for reading, goal in book.of(Goal) if goal.level == "business"}
    for reading, goal in book.of(Goal):
        if goal.serves:
            yield from unknown(reading, ("serves",), _("There is no business goal {word}."), goal.serves, business, _)
        yield from _figure(book, reading, goal, _)


def _figure(book: Book, reading: Reading, goal: Goal, _: Translate) -> Iterator[Problem]:
    asked = goal.measures.stated
    if isinstance(asked, str):
        said = _("Nobody measures {word}.")
        yield from unknown(reading, ("measures", "monitor"), said, asked, set(FIGURES), _)
    elif isinstance(asked, EventCount) and book.knows_sources:
        said = _("No source brings the event {word}.")
        for place, kind in enumerate(asked.kind):
            yield from unknown(reading, ("measures", "events", "kind", place), said, kind, book.event_kinds, _)
    elif isinstance(asked, Passed | Returned):
        word = "passed" if isinstance(asked, Passed) else "returned"
        yield from unknown_stage(book, reading, ("measures", word, "stage"), asked.stage, _)
        for place, stage in enumerate(asked.to):
            yield from unknown_stage(book, reading, ("measures", word, "to", place), stage, _)
