"""Contents: every template can be filled for everybody and lets everybody leave, in each language, each part and each variant (R79, R89)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vesper.checks.book import Book
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.content import BLOCK, BODIES, SUBJECT, Content, Message
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.reading import Reading

if TYPE_CHECKING:
    from vesper.content_template import Fault


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the contents."""
    for reading, content in book.of(Content):
        found = [*_templates(reading, content, _), *_blocks(reading, content, _), *_languages(reading, content, _)]
        yield from found or _whole(reading, content, _)


def _templates(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Each template by itself, where it stands."""
    from vesper.content_template import faults  # most checks of a single file meet no content

    for path, template in _written(content):
        for fault in faults(BLOCK.sub(r"\2", template)):
            yield _problem(reading, path, template, fault, _)


def _written(content: Content) -> Iterator[tuple[Path, str]]:
    """Every template with its place in the text."""
    homes: list[tuple[Path, Message]] = [(("messages", key), message) for key, message in content.messages.items()]
    for place, variant in enumerate(content.variants):
        path: Path = ("variants", place)
        homes += [((*path, "messages", key), message) for key, message in variant.messages.items()]
        for language, blocks in variant.blocks.items():
            yield from (((*path, "blocks", language, name), text) for name, text in blocks.items())
    for path, message in homes:
        if message.subject:
            yield (*path, SUBJECT), message.subject
        for key, short in message.shorts.items():
            yield from (((*path, key, *place), source) for place, source in short.sources.items())
        yield from (((*path, key), body) for key, body in message.bodies.items())


def _blocks(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Blocks that a variant says in other words and the content's own message does not have."""
    own = {str(language): message for language, message in content.messages.items()}
    for place, variant in enumerate(content.variants):
        for language, blocks in variant.blocks.items():
            known = own[language].blocks if language in own else {}
            for name in blocks:
                if known and name not in known:
                    what = _("The message has no block {word}.").format(word=name)
                    yield reading.problem(
                        ("variants", place, "blocks", language, name), what, suggestion(name, known, _)
                    )


def _languages(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Languages that a variant lacks, or has and the content does not."""
    languages = set(content.languages)
    for place, variant in enumerate(content.variants):
        said = {str(language) for language in (*variant.messages, *variant.blocks)}
        own = {str(language) for language in content.messages}
        for language in sorted(languages - said):
            what = _("The variant {word} says nothing in {language}.").format(word=variant.id, language=language)
            yield reading.problem(("variants", place), what, _("Write it in every language of the content."))
        for language in sorted(said - (own if variant.blocks else languages)):
            what = _("The content is not written in {language}, only the variant {word}.")
            path: Path = ("variants", place, "blocks" if variant.blocks else "messages", language)
            yield reading.problem(
                path, what.format(word=variant.id, language=language), _("Write the content in it, too.")
            )


def _whole(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Each message as somebody gets it: the HTML holds what a mail may hold, and there is a way out in both parts."""
    from vesper.content_html import html_faults

    told: set[tuple[str, str, str]] = set()
    for language in content.languages:
        for _id, path, message in content.written(language):
            for fault in html_faults(message, language):
                # A slip in a message that a variant changes some blocks of is told once, there.
                key = (language, fault.what, str(fault.facts))
                if "blocks" not in path or key not in told:
                    told.add(key)
                    yield _in_whole(reading, path, message, fault, _)


def _in_whole(reading: Reading, path: Path, message: Message, fault: "Fault", _: Translate) -> Problem:
    """The body that the fault is in; of a variant that says some blocks in other words, its blocks as a whole."""
    body = fault.part or next(key for key in ("html", "markdown", "text") if key in message.bodies)
    return _problem(reading, path if "blocks" in path else (*path, body), message.bodies[body], fault, _)


def _problem(reading: Reading, path: Path, template: str, fault: "Fault", _: Translate) -> Problem:
    """A fault as a problem of its line; a template of several lines begins on the line below its key."""
    instead = suggestion(fault.word, fault.known, _) if fault.word else _(fault.instead)
    found = reading.problem(path, _(fault.what).format(**fault.facts), instead)
    is_template = path[-1] in (*BODIES, SUBJECT) or path[-3] == "blocks"
    below = fault.line if is_template and "\n" in template else 0
    return Problem(found.file, found.line + below, found.what, found.instead)
