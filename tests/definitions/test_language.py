"""Catalogues: every message that the sources can show has a Chinese text, with the same places for names and numbers (R111)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from tests.catalogues import translated
from vesper.language import translator

# Functions whose literal arguments are message ids; wrong() and fault() carry two, what is wrong and what would be right.
KEYWORDS = {"_": None, "translate": None, "wrong": (1, 2), "fault": (2, 3)}
ROOMS = ("vesper", "warehouse", "connectors", "data_quality", "tasks", "flows", "deployments", "intake", "cli")
PLACE = re.compile(r"(?<!\{)\{(\w+)[^{}]*\}(?!\})")


def messages(file: Path) -> Iterator[str]:
    with file.open("rb") as source:
        for _line, found, _comments, _context in extract("python", source, keywords=KEYWORDS):
            yield from (message for message in (found if isinstance(found, tuple) else (found,)) if message)


def missing(repository: Path, room: str) -> list[str]:
    """Messages of a room without a Chinese text, with their file."""
    place = repository / room
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    known = translated(repository)
    return [f"{f.relative_to(repository)}: {text}" for f in files for text in messages(f) if text not in known]


@pytest.mark.requirement("R111")
@pytest.mark.parametrize("room", ROOMS)
def test_every_message_has_a_chinese_text(repository: Path, room: str) -> None:
    assert missing(repository, room) == []


def test_places_for_names_and_numbers_are_kept(repository: Path) -> None:
    for catalogue in sorted((repository / "locales").rglob("*.po")):
        with catalogue.open(encoding="utf-8") as text:
            for message in read_po(text):
                if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string:
                    assert set(PLACE.findall(message.id)) == set(PLACE.findall(message.string)), (catalogue, message.id)


def test_a_message_stands_in_one_catalogue(repository: Path) -> None:
    """Two catalogues with two texts for one message: which of them people read would be chance."""
    homes: dict[object, list[str]] = {}
    for catalogue in sorted((repository / "locales" / "zh_CN").rglob("*.po")):
        with catalogue.open(encoding="utf-8") as text:
            for message in read_po(text):
                if message.id:
                    homes.setdefault((message.context, message.id), []).append(catalogue.name)
    assert {message: files for message, files in homes.items() if len(files) > 1} == {}


def test_catalogues_of_a_folder_are_merged(tmp_path: Path) -> None:
    folder = tmp_path / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "a.po").write_text(head + 'msgid "one"\nmsgstr "一"\n', encoding="utf-8")
    (folder / "b.po").write_text(head + 'msgid "two"\nmsgstr "二"\n', encoding="utf-8")
    chinese = translator("zh_CN", tmp_path)
    assert [chinese(text) for text in ("one", "two", "three")] == ["一", "二", "three"]
    assert translator("en", tmp_path)("one") == "one"
