"""`vesper check`: everything wrong with a workspace's definitions, each with file, line, and what would be right.

What belongs here: the workspace as a folder of files. What does not: one text (`reading.py`) and what lies between texts (`cross_check.py`).
Imports no Prefect, pandas or Great Expectations: it runs on every save.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from vesper.cross_check import cross_check
from vesper.language import Translate, translator
from vesper.load import definition_texts, read_workspace
from vesper.model.kinds import FOLDERS, POLICIES
from vesper.nearest import suggestion
from vesper.problem import DefinitionsInvalid, Problem
from vesper.reading import read_key

_STEM = re.compile(r"[a-z][a-z0-9_]*")
_LANGUAGE = "zh_CN"


def check(root: Path) -> list[Problem]:
    """Every problem of a workspace, in the order of files and lines; none when its definitions can be used."""
    found: list[Problem] = []
    language = _LANGUAGE
    try:
        language = read_workspace(root).company.language
    except DefinitionsInvalid as invalid:
        found += invalid.problems
    _ = translator(language)
    found += _folder(root, _)
    try:
        texts = definition_texts(root, _)
    except DefinitionsInvalid as unreadable:
        return sorted({*found, *unreadable.problems})
    readings = [read_key(key, text, _) for key, text in texts.items()]
    found += [problem for reading in readings for problem in reading.problems]
    return sorted({*found, *cross_check(readings, _)})


def _folder(root: Path, _: Translate) -> Iterator[Problem]:
    """Files and folders that would be passed over in silence."""
    for place in sorted((root / "definitions").iterdir()) if (root / "definitions").is_dir() else []:
        name = place.relative_to(root).as_posix()
        if place.name.startswith("."):
            continue
        if place.is_file():
            yield Problem(
                name, 1, _("A definition lies in the folder of its kind."), suggestion(place.stem, FOLDERS, _)
            )
        elif place.name not in FOLDERS:
            yield Problem(
                name,
                1,
                _("{word} is no kind of definition.").format(word=place.name),
                suggestion(place.name, FOLDERS, _),
            )
        else:
            for file in sorted(place.iterdir()):
                yield from _file(file, file.relative_to(root).as_posix(), _)


def _file(file: Path, name: str, _: Translate) -> Iterator[Problem]:
    """One entry of a kind's folder."""
    if file.name.startswith("."):
        return
    if file.is_dir():
        yield Problem(name, 1, _("A folder inside a kind's folder is not read."), _("Move its files one folder up."))
    elif file.suffix != ".yml":
        yield Problem(
            name,
            1,
            _("Definitions end in .yml; this file is not read."),
            _("Call it {word}.").format(word=f"{file.stem}.yml"),
        )
    elif not _STEM.fullmatch(file.stem):
        what = _("{word} cannot be an id.").format(word=file.stem)
        better = re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_") or "new_name"
        yield Problem(
            name, 1, what, _("Use small letters, digits and underscores, e.g. {word}.yml.").format(word=better)
        )
    elif file.parent.name == "policy" and file.stem not in POLICIES:
        yield Problem(
            name, 1, _("There is no policy {word}.").format(word=file.stem), suggestion(file.stem, POLICIES, _)
        )
