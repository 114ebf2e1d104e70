"""Recommendations: what a content recommends exists, and so does what the rules read (R118)."""

import re
from collections.abc import Iterator

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.content import Content
from vesper.model.recommendation import RULES, Recommendation, RecommendationRule
from vesper.problem import Problem
from vesper.reading import Reading

FEEDS = {"bought_with": ("order_line",), "replenishment": ("order_line", "product"), "list": ()}
_WORD = re.compile(r"\brecommended\b")


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the recommendations, and with contents that name one."""
    for reading, content in book.of(Content):
        if content.recommends is not None:
            what = _("There is no recommendation {word}.")
            yield from unknown(reading, ("recommends",), what, content.recommends, book.ids("recommendations"), _)
    for reading, recommendation in book.of(Recommendation):
        for place, rule in enumerate(recommendation.rules):
            yield from _rule(book, reading, place, rule, _)


def warnings(book: Book, _: Translate) -> Iterator[Problem]:
    """Contents that show what is recommended, and recommend nothing."""
    for reading, content in book.of(Content):
        if content.recommends is None and _shows(content):
            what = _("It shows what is recommended, and recommends nothing: the list is always empty.")
            yield reading.problem((), what, _("Write recommends: and a recommendation."))


def _shows(content: Content) -> bool:
    """Whether any message of it has the word."""
    messages = [found for language in content.languages for _id, _path, found in content.written(language)]
    return any(_WORD.search(body) for message in messages for body in message.bodies.values())


def _rule(book: Book, reading: Reading, place: int, rule: RecommendationRule, _: Translate) -> Iterator[Problem]:
    if rule.list is not None and rule.list.segment is not None:
        path = ("rules", place, "list", "segment")
        yield from unknown(reading, path, _("There is no segment {word}."), rule.list.segment, book.ids("segments"), _)
    word = next(word for word in RULES if getattr(rule, word) is not None)
    missing = [feed for feed in FEEDS[word] if feed not in book.feeds]
    if book.knows_sources and missing:
        what = _("No source feeds {feed}, so {word} can never hold.").format(feed=", ".join(missing), word=word)
        yield reading.problem(("rules", place, word), what, _("Define such a source first."))
