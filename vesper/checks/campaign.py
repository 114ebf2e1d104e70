"""Campaigns and their content: segment, content and stages exist, templates can be filled (R72, R83, R89)."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.campaign import Campaign
from vesper.model.content import CONTENT_WORDS, Content
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the campaigns and contents."""
    for reading, campaign in book.of(Campaign):
        yield from unknown(
            reading, ("segment",), _("There is no segment {word}."), campaign.segment, book.ids("segments"), _
        )
        yield from unknown(
            reading, ("content",), _("There is no content {word}."), campaign.content, book.ids("content"), _
        )
        for place, stage in enumerate(campaign.brief.stages):
            yield from unknown_stage(book, reading, ("brief", "stages", place), stage, _)
    for reading, content in book.of(Content):
        for language, message in content.messages.items():
            for part, template in (("subject", message.subject), ("text", message.text)):
                yield from _template(reading, ("messages", language, part), template, _)


def _template(reading: Reading, path: tuple[str, ...], template: str, _: Translate) -> Iterator[Problem]:
    """A template that Jinja cannot read, or that names a word nobody fills."""
    # Imported here: most checks of a single file meet no content.
    from jinja2 import TemplateSyntaxError
    from jinja2.meta import find_undeclared_variables
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        named = find_undeclared_variables(ImmutableSandboxedEnvironment().parse(template))
    except TemplateSyntaxError as error:
        what = _("The template cannot be read: {reason}.").format(reason=str(error.message).rstrip("."))
        yield reading.problem(path, what, _("Check the braces around {{ and }}."))
        return
    for word in sorted(named - set(CONTENT_WORDS)):
        what = _("A content has no word {word}.").format(word=word)
        yield reading.problem(path, what, suggestion(word, CONTENT_WORDS, _))
