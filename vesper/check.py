"""`vesper check`: everything wrong with a workspace's definitions, each with file, line, and what would be right.

What belongs here: the workspace as a folder of files. What does not: one text (`reading.py`) and what lies between texts (`cross_check.py`).
Imports no Prefect, pandas or Great Expectations: it runs on every save.
"""

from dataclasses import dataclass
from pathlib import Path

from vesper.checks.book import Book
from vesper.checks.channel import workspace_warnings as of_channels
from vesper.checks.outreach import workspace_warnings
from vesper.cross_check import cross_check, cross_warnings
from vesper.language import translator
from vesper.load import definition_texts, read_workspace
from vesper.misplaced import misplaced
from vesper.problem import DefinitionsInvalid, Problem
from vesper.reading import read_key

_LANGUAGE = "zh_CN"


@dataclass(frozen=True)
class Checked:
    """What `check` found, in the order of files and lines."""

    problems: tuple[Problem, ...]
    """The definitions cannot be used while there is one."""
    warnings: tuple[Problem, ...] = ()
    """They can be used as they are, and somebody should look."""


def check(root: Path) -> list[Problem]:
    """Every problem of a workspace, in the order of files and lines; none when its definitions can be used."""
    return list(checked(root).problems)


def checked(root: Path) -> Checked:
    """Every problem and every warning of a workspace."""
    found: list[Problem] = []
    language, workspace = _LANGUAGE, None
    try:
        workspace = read_workspace(root)
        language = workspace.company.language
    except DefinitionsInvalid as invalid:
        found += invalid.problems
    _ = translator(language)
    found += misplaced(root, _)
    try:
        texts = definition_texts(root, _)
    except DefinitionsInvalid as unreadable:
        return Checked(tuple(sorted({*found, *unreadable.problems})))
    readings = [read_key(key, text, _) for key, text in texts.items()]
    found += [problem for reading in readings for problem in reading.problems]
    warnings = cross_warnings(readings, _)
    if workspace:
        book = Book(tuple(readings))
        warnings = sorted({*warnings, *workspace_warnings(book, workspace, _), *of_channels(book, workspace, _)})
    return Checked(tuple(sorted({*found, *cross_check(readings, _)})), tuple(warnings))
