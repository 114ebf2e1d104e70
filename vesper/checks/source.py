"""Sources: canonical fields of the feed, keys, categories (R2)."""

import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.source import Source
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.reading import Reading

_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the sources."""
    for reading, source in book.of(Source):
        if not _ID.fullmatch(source.id):
            what = _("The source {word} has no system in its name.").format(word=source.id)
            yield reading.problem((), what, _("Name the file <system>_<noun>.yml, e.g. crm_member.yml."))
        if source.zone and source.zone not in available_timezones():
            what = _("{word} is not a time zone.").format(word=source.zone)
            yield reading.problem(("zone",), what, suggestion(source.zone, available_timezones(), _))
        yield from _fields(reading, source, _)
        yield from _key(reading, source, _)
        yield from _categories(reading, source, _)


def _fields(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """Field names and types against the feed's own list."""
    canonical = source.canonical
    for name, field in source.fields.items():
        path = ("fields", name)
        if name not in canonical:
            what = _("{word} is not a field of {feed}.").format(word=name, feed=source.feeds)
            yield reading.problem(path, what, suggestion(name, canonical, _))
        elif field.type not in canonical[name].types:
            what = _("{word} cannot be of type {type}.").format(word=name, type=field.type)
            yield reading.problem(
                (*path, "type"), what, _("Use {types}.").format(types=", ".join(canonical[name].types))
            )
    for name, field_of_feed in canonical.items():
        if field_of_feed.needed and name not in source.fields:
            what = _("A source of {feed} needs the field {word}.").format(feed=source.feeds, word=name)
            yield reading.problem(("fields",), what, _("Map it to a column."))


def _key(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """Key fields are mapped and never empty."""
    for place, name in enumerate(source.key):
        path = ("key", place)
        yield from unknown(
            reading, path, _("The key names {word}, which is not among the fields."), name, set(source.fields), _
        )
        if name in source.fields and not source.fields[name].required:
            what = _("The key field {word} may be empty, so rows could not be told apart.").format(word=name)
            yield reading.problem(path, what, _("Say required: true at the field."))


def _categories(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """Words that other spellings are mapped to must be allowed."""
    for name, field in source.fields.items():
        for spelling, word in field.map.items():
            if field.allowed:
                what = _("{word} is not an allowed value of this category.")
                yield from unknown(reading, ("fields", name, "map", spelling), what, word, set(field.allowed), _)
