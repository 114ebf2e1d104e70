"""Values that conditions name: where the sources, or the table itself, list every value that a field can have, another one would never match."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown
from vesper.conditions.attribute import Attribute
from vesper.conditions.bought import Bought
from vesper.conditions.company import OfCompany
from vesper.language import Translate
from vesper.model.condition import ConditionBody
from vesper.model.source import Source
from vesper.problem import Problem
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """Values outside the lists, each with the nearest one inside."""
    if not book.knows_sources:
        return
    for reading, start, condition in book.conditions:
        for path, body in condition.walk(start):
            key, words, known = _asked(book, body)
            for place, word in enumerate(words if known else ()):
                what = _("No source says {word} here.")
                yield from unknown(reading, (*path, key, place), what, word, known, _)


def _asked(book: Book, body: ConditionBody) -> tuple[str, tuple[str, ...], set[str]]:
    """The key that the values stand under, the values, and every value that there can be; the last is empty where nobody lists them."""
    if isinstance(body, Bought):
        return "category", body.category or (), _listed(book, {"product"}, "category")
    if isinstance(body, Attribute):
        fixed = CONTACT.c[body.field].info["among"] or ()
        return "in", body.among or (), set(fixed) or _listed(book, {"contact", "demographic"}, body.field)
    if isinstance(body, OfCompany):
        fixed = COMPANY.c[body.field].info["among"] or ()
        return "in", body.among or (), set(fixed) or _listed(book, {"contact", "company"}, body.field)
    return "", (), set()


def _listed(book: Book, feeds: set[str], field: str) -> set[str]:
    """Every value that the sources let in; empty as soon as one of them lets in any."""
    sources = [source for _reading, source in book.of(Source) if source.feeds in feeds and field in source.fields]
    if not all(source.fields[field].allowed for source in sources):
        return set()
    return {word for source in sources for word in source.fields[field].allowed}
