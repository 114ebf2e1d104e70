"""Sources: canonical fields of the feed, keys, categories (R2)."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from zoneinfo import available_timezones

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.feed import OPEN_FEEDS, RESERVED
from vesper.model.pull import variables
from vesper.model.source import Source
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.reading import Reading

_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_ODD = re.compile(r"[*?\[\]{}'\"\x00-\x1f]")
_DOOR = re.compile(r"auth|token|secret|passw|api.?key|session|cookie", re.IGNORECASE)


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the sources."""
    for reading, source in book.of(Source):
        if not _ID.fullmatch(source.id):
            what = _("The source {word} has no system in its name.").format(word=source.id)
            yield reading.problem((), what, _("Name the file <system>_<noun>.yml, e.g. crm_member.yml."))
        if source.zone and source.zone not in available_timezones():
            what = _("{word} is not a time zone.").format(word=source.zone)
            yield reading.problem(("zone",), what, suggestion(source.zone, available_timezones(), _))
        yield from _path(reading, source, _)
        yield from _secrets(reading, source, _)
        yield from _fields(reading, source, _)
        yield from _key(reading, source, _)
        yield from _categories(reading, source, _)


def _path(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """The landed file lies below the landing folder, and its name means one file."""
    parts = PurePosixPath(source.path).parts
    what = None
    if ".." in parts or source.path.startswith(("/", "~")) or "\\" in source.path:
        what = _("The path {word} leads out of the landing folder.")
    elif source.path.count("{on}") != 1 or "{on}" not in parts[-1] or _ODD.search(source.path.replace("{on}", "")):
        what = _("The path {word} does not name one file a day.")
    if what:
        todo = _("Write a path below it such as {example}.").format(example=f"{source.id}/{{on}}.csv")
        yield reading.problem(("path",), what.format(word=source.path), todo)


def _secrets(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """What opens a door stands in the environment, never in a definition: definitions are kept for ever."""
    stated: list[tuple[tuple[str, ...], str]] = []
    if source.sql:
        stated.append((("sql", "url"), source.sql.url))
    if source.http:
        parts = (("headers", source.http.headers), ("params", source.http.params))
        stated += [
            (("http", part, name), text) for part, texts in parts for name, text in texts.items() if _is_door(name)
        ]
        stated += [(("http", "password"), source.http.password)] if source.http.password else []
        stated += [(("http", "url"), source.http.url)] if _is_door(source.http.url.partition("?")[2]) else []
    for path, text in stated:
        if not variables(text):
            what = _("A password, key or token does not stand in a definition.")
            yield reading.problem(path, what, _("Put it into a variable of the environment and write ${NAME} here."))


def _is_door(name: str) -> bool:
    return bool(_DOOR.search(name))


def _fields(reading: Reading, source: Source, _: Translate) -> Iterator[Problem]:
    """Field names and types against the feed's own list."""
    canonical = source.canonical
    for name, field in source.fields.items():
        path = ("fields", name)
        if name in RESERVED:
            what = _("{word} is a column that Vesper adds itself.").format(word=name)
            yield reading.problem(path, what, _("Give the field another name."))
        elif source.feeds in OPEN_FEEDS:
            continue
        elif name not in canonical:
            what = _("{word} is not a field of {feed}.").format(word=name, feed=source.feeds)
            yield reading.problem(path, what, suggestion(name, canonical, _))
        elif field.type not in canonical[name].types:
            what = _("{word} cannot be of type {type}.").format(word=name, type=field.type)
            yield reading.problem(
                (*path, "type"), what, _("Use {types}.").format(types=", ".join(canonical[name].types))
            )
        else:
            for place, word in enumerate(field.allowed if canonical[name].words else ()):
                what = _("{word} is no value of the feed's own list.")
                yield from unknown(reading, (*path, "allowed", place), what, word, set(canonical[name].words), _)
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
