"""What is wrong in a `vesper.toml`, as sentences with a line.

What belongs here: wording the errors of the workspace file. What does not: its settings (`model/workspace.py`).
"""

import re
import tomllib

from pydantic import ValidationError

from vesper.language import Translate, translator
from vesper.model.condition import Path
from vesper.model.workspace import Workspace
from vesper.problem import Problem
from vesper.sentences import problem_of
from vesper.yaml_text import Tree

_HEADER = re.compile(r"\s*\[([\w.]+)\]")
_ENTRY = re.compile(r"\s*([\w-]+)\s*=")
_LANGUAGE = re.compile(r"^\s*language\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)


def workspace_problems(text: str, error: Exception) -> list[Problem]:
    """The problems behind the error that reading the text gave, in the language that it asks for."""
    asked = _LANGUAGE.search(text)
    _ = translator(asked.group(1) if asked else "zh_CN")
    if isinstance(error, tomllib.TOMLDecodeError):
        at = re.search(r"line (\d+)", str(error))
        what = _("This is not valid TOML: {reason}.").format(reason=str(error).rstrip("."))
        return [
            Problem(
                "vesper.toml", int(at.group(1)) if at else 1, what, _("Check quotes, brackets and equals signs here.")
            )
        ]
    if not isinstance(error, ValidationError):
        return [
            Problem(
                "vesper.toml", 1, _("The file sets the folder itself."), _("Drop `root`: the file's place says it.")
            )
        ]
    return _validation_problems(Tree(None, _lines(text)), error, _)


def _validation_problems(tree: Tree, error: ValidationError, _: Translate) -> list[Problem]:
    found = []
    for item in error.errors(include_url=False):
        problem = problem_of(item, tree, "vesper.toml", Workspace, _)
        if item["loc"] == ("company", "zone"):
            what = _("company.zone: {value} is not a time zone.").format(value=item["input"])
            problem = Problem(problem.file, problem.line, what, _("Write one such as Asia/Shanghai."))
        found.append(problem)
    return sorted(set(found))


def _lines(text: str) -> dict[Path, int]:
    """The line of each section and entry."""
    lines: dict[Path, int] = {(): 1}
    section: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = tuple(header.group(1).split("."))
            lines[section] = number
        elif entry := _ENTRY.match(line):
            lines[(*section, entry.group(1))] = number
    return lines
