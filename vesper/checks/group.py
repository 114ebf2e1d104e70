"""Tags, tiers and personas: what their examples state exists, and whether a product has a fit number of personas (R29)."""

from collections import Counter
from collections.abc import Iterator

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.example import Given
from vesper.model.persona import FEWEST, MOST, Persona
from vesper.model.tier import Tiering
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the examples."""
    for reading in book.readings:
        for place, example in enumerate(getattr(reading.model, "examples", ())):
            yield from _given(book, reading, ("examples", place, "given"), example.given, _)
    for reading, tiering in book.of(Tiering):
        own = {tier.id for tier in tiering.tiers}
        for place, expected in enumerate(tiering.examples):
            path = ("examples", place, "tier")
            yield from unknown(reading, path, _("There is no such tier: {word}."), expected.tier, own, _)


def warnings(book: Book, _: Translate) -> Iterator[Problem]:
    """Products with fewer or more personas than anybody can work with, each in the first of its files."""
    counts = Counter(persona.product for _reading, persona in book.of(Persona))
    said: set[str] = set()
    for reading, persona in book.of(Persona):
        if not FEWEST <= counts[persona.product] <= MOST and persona.product not in said:
            said.add(persona.product)
            what = _("{product} has {count} personas; {fewest} to {most} are of use.").format(
                product=persona.product, count=counts[persona.product], fewest=FEWEST, most=MOST
            )
            yield reading.problem(("product",), what, _("Write some more, or put some together."))


def _given(book: Book, reading: Reading, start: Path, given: Given, _: Translate) -> Iterator[Problem]:
    for number, tag in enumerate(given.tags):
        yield from unknown(reading, (*start, "tags", number), _("There is no tag {word}."), tag, book.ids("tags"), _)
    for number, persona in enumerate(given.personas):
        path = (*start, "personas", number)
        yield from unknown(reading, path, _("There is no persona {word}."), persona, book.ids("personas"), _)
    for tiering, tier in given.tiers.items():
        path = (*start, "tiers", tiering)
        yield from unknown(reading, path, _("There is no tiering {word}."), tiering, book.ids("tiers"), _)
        known = book.tiers.get(tiering)
        if known:
            yield from unknown(reading, path, _("There is no such tier: {word}."), tier, known, _)
