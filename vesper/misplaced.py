"""Files and folders below `definitions/` that would be passed over in silence, because nobody looks for definitions there.

What belongs here: names and places. What does not: what a definition says (`reading.py`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from vesper.language import Translate
from vesper.model.kinds import FOLDERS, POLICIES
from vesper.nearest import suggestion
from vesper.problem import DefinitionsInvalid, Problem

_STEM = re.compile(r"[a-z][a-z0-9_]*")


def refuse_misplaced(root: Path, _: Translate) -> None:
    """Raises DefinitionsInvalid while there is one: half a company must not come into force."""
    found = sorted(misplaced(root, _))
    if found:
        raise DefinitionsInvalid(found)


def misplaced(root: Path, _: Translate) -> Iterator[Problem]:
    """Each of them, with where it belongs."""
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
