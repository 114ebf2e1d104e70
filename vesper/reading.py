"""One definition's text into its model, with everything that is wrong in it.

What belongs here: one text by itself. What does not: files and folders (`load.py`), and what must fit between texts (`cross_check.py`).
"""

import json
from dataclasses import dataclass, replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.definition import Definition
from vesper.model.kinds import model_of
from vesper.nearest import suggestion
from vesper.presets import LAID_OVER, overlaid, parted, preset_ids
from vesper.problem import Problem
from vesper.sentences import problem_of
from vesper.yaml_text import Tree, YamlFault, read_yaml


@dataclass(frozen=True)
class Reading:
    """One definition's text, read. `model` is None when `problems` is not empty."""

    kind: str
    id: str
    file: str
    tree: Tree
    model: Definition | None
    problems: tuple[Problem, ...] = ()

    def problem(self, path: Path, what: str, instead: str = "") -> Problem:
        """A problem at a path of this text."""
        return Problem(self.file, self.tree.line(path), what, instead)


def definition_file(key: str) -> str:
    """Where the definition "<kind>/<id>" stands, as problems name it."""
    return f"definitions/{key}.yml"


def read_key(key: str, text: str, translate: Translate) -> Reading:
    """Read the text of the definition "<kind>/<id>"."""
    kind, _, id = key.partition("/")
    return read(kind, id, text, definition_file(key), translate)


def read(kind: str, id: str, text: str, file: str, _: Translate) -> Reading:
    """Read one text as the definition of a kind and id. LookupError for a kind that is none."""
    model = model_of(kind, id)
    own, preset = parted(text)
    try:
        tree = read_yaml(own)
    except YamlFault as found:
        what, instead = _(found.what).format(**found.facts), _(found.instead).format(**found.facts)
        return Reading(kind, id, file, Tree(None, {(): found.line}), None, (Problem(file, found.line, what, instead),))
    if isinstance(tree.value, dict) and "id" in tree.value:
        stated = Problem(
            file, tree.line(("id",)), _("The id is not written in the file."), _("Drop it: the file's name is the id.")
        )
        return Reading(kind, id, file, tree, None, (stated,))
    if kind in LAID_OVER and isinstance(tree.value, dict) and "preset" in tree.value:
        if preset is None:
            return Reading(kind, id, file, tree, None, (_no_such_preset(tree, kind, file, _),))
        tree = replace(tree, value=overlaid(tree.value, read_yaml(preset).value))
    try:
        # Through JSON, because strict JSON reading takes lists and dates as YAML gives them and turns nothing into anything else.
        body = {**tree.value, "id": id} if isinstance(tree.value, dict) else tree.value
        return Reading(kind, id, file, tree, model.model_validate_json(json.dumps(body), strict=True))
    except ValidationError as invalid:
        problems = {problem_of(error, tree, file, model, _) for error in _root_causes(invalid)}
        return Reading(kind, id, file, tree, None, tuple(sorted(problems)))


def _no_such_preset(tree: Tree, kind: str, file: str, _: Translate) -> Problem:
    what = _("There is no preset {word}.").format(word=tree.value["preset"])
    return Problem(file, tree.line(("preset",)), what, suggestion(tree.value["preset"], preset_ids(kind), _))


def _root_causes(invalid: ValidationError) -> list[ErrorDetails]:
    """The errors without those that only say that a list is short of its faulty items."""
    errors = invalid.errors(include_url=False)
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(other["loc"][: len(error["loc"])] == error["loc"] for other in errors if other is not error)
    ]
