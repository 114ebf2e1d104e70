"""Definitions and settings from their files. This is the only place of the mechanism that reads definitions.

What belongs here: which files there are, presets, hashes. What does not: what is right in them (`reading.py`, `cross_check.py`).
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from vesper.cross_check import cross_check
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.misplaced import refuse_misplaced
from vesper.model.definition import Definition
from vesper.model.identity import IdentityPolicy
from vesper.model.kinds import FOLDERS, POLICIES
from vesper.model.lifecycle import Lifecycle
from vesper.model.workspace import Workspace
from vesper.presets import LAID_OVER, joined, preset_text
from vesper.problem import DefinitionsInvalid, Problem
from vesper.reading import Reading, read, read_key
from vesper.workspace_file import workspace_problems
from vesper.yaml_text import YamlFault, read_yaml

CARRYING = tuple(f"{kind}/" for kind in LAID_OVER)


def read_workspace(root: Path) -> Workspace:
    """The company's settings from `vesper.toml`. Raises DefinitionsInvalid: one sentence for each thing wrong, with its line."""
    file = root / "vesper.toml"
    if not file.is_file():
        what = f"There is no vesper.toml in {root}, so this is no workspace."
        raise DefinitionsInvalid(
            [Problem("vesper.toml", 1, what, "Give the right folder with --workspace, or make one with `vesper init`.")]
        )
    text = file.read_text(encoding="utf-8")
    try:
        return Workspace(root=root.resolve(), **tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise DefinitionsInvalid(workspace_problems(text, error)) from error


def definition_texts(root: Path, translate: Translate = str) -> dict[str, str]:
    """Every definition in use as "<kind>/<id>" -> text: the workspace's own, the presets it names, the policies it lacks.

    A source or scoring rule that names a preset carries the preset's text behind its own. Only reads: what the texts say is not judged.
    Raises DefinitionsInvalid for a file that is no UTF-8.
    """
    files = definition_files(root / "definitions")
    own = {f"{file.parent.name}/{file.stem}": _text_of(file, root, translate) for file in files}
    shipped = {f"policy/{id}": preset_text("policy", id) for id in POLICIES}
    own = {key: text for key, text in shipped.items() if text is not None} | own
    for key in [key for key in own if key.startswith("lifecycle/")]:
        own.update(_preset_of(own[key], own))
    own.update(_linkage_of(own["policy/identity"], own))
    own |= {key: _whole(key, text) for key, text in own.items() if key.startswith(CARRYING) and "preset" in text}
    return dict(sorted(own.items()))


def _whole(key: str, text: str) -> str:
    """A text with the preset that it names behind it. A text that is no YAML, or names none that ships, stays: reading says what is wrong."""
    try:
        tree = read_yaml(text).value
    except YamlFault:
        return text
    named = tree.get("preset") if isinstance(tree, dict) else None
    kind = key.partition("/")[0]
    shipped = preset_text(kind, named) if isinstance(named, str) and named.isidentifier() else None
    return text if shipped is None else joined(text, shipped)


def _text_of(file: Path, root: Path, _: Translate) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        name, line = file.relative_to(root).as_posix(), file.read_bytes()[: error.start].count(b"\n") + 1
        problem = Problem(name, line, _("The file is not UTF-8."), _("Save it as UTF-8."))
        raise DefinitionsInvalid([problem]) from error


def _preset_of(text: str, own: Mapping[str, str]) -> dict[str, str]:
    """The text of the shipped lifecycle that a lifecycle's text names, unless the workspace has one of that name."""
    lifecycle = read("lifecycle", "main", text, "", str).model
    preset = lifecycle.preset if isinstance(lifecycle, Lifecycle) else None
    shipped = preset_text("lifecycle", preset) if preset else None
    return {} if shipped is None or f"lifecycle/{preset}" in own else {f"lifecycle/{preset}": shipped}


def _linkage_of(text: str, own: Mapping[str, str]) -> dict[str, str]:
    """The text of the shipped linkage that the identity policy names, unless the workspace has one of that name."""
    policy = read("policy", "identity", text, "", str).model
    named = policy.linkage if isinstance(policy, IdentityPolicy) else None
    shipped = preset_text("linkage", named) if named else None
    return {} if shipped is None or f"linkage/{named}" in own else {f"linkage/{named}": shipped}


def definition_files(folder: Path) -> list[Path]:
    """The definition files of a folder of kinds, in a fixed order; other files are `check`'s business."""
    files = sorted(file for kind in FOLDERS for file in (folder / kind).glob("*.yml") if file.is_file())
    return [file for file in files if file.parent.name != "policy" or file.stem in POLICIES]


def load_definitions(root: Path) -> DefinitionSet:
    """The definitions that a workspace's files say now. Raises DefinitionsInvalid with everything that is wrong."""
    translate = translator(read_workspace(root).company.language)
    refuse_misplaced(root, translate)
    return definition_set(definition_texts(root, translate), translate)


def parse(kind: str, id: str, text: str, translate: Translate = str) -> Definition:
    """One definition from its text, by itself. Raises DefinitionsInvalid; LookupError for an unknown kind."""
    found = read_key(f"{kind}/{id}", text, translate)
    if found.model is None:
        raise DefinitionsInvalid(list(found.problems))
    return found.model


def definition_set(texts: Mapping[str, str], translate: Translate = str) -> DefinitionSet:
    """A set from texts by "<kind>/<id>", wherever they were kept: presets resolved, everything checked. Raises DefinitionsInvalid.

    The stages of a night ask for the same texts; they are read once in a process.
    """
    return _checked_set(tuple(sorted(texts.items())), translate)


@lru_cache(maxsize=8)
def _checked_set(texts: tuple[tuple[str, str], ...], translate: Translate) -> DefinitionSet:
    readings = [read_key(key, text, translate) for key, text in texts]
    problems = {problem for reading in readings for problem in reading.problems}
    problems.update(cross_check(readings, translate))
    if problems:
        raise DefinitionsInvalid(sorted(problems))
    hashes = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in texts}
    return DefinitionSet(items=_by_model(readings), hashes=hashes)


def _by_model(readings: Iterable[Reading]) -> dict[type, dict[str, Definition]]:
    """Models by class and id. A lifecycle with a preset takes its stages; the preset itself is no lifecycle of the company."""
    models = [reading.model for reading in readings if reading.model is not None]
    lifecycles = {model.id: model for model in models if isinstance(model, Lifecycle)}
    named = {model.preset for model in lifecycles.values() if model.preset}
    items: dict[type, dict[str, Definition]] = {}
    for model in models:
        if isinstance(model, Lifecycle):
            if model.id in named:
                continue
            if model.preset:
                preset = lifecycles.get(model.preset)
                if preset is None:
                    what = f"The lifecycle takes its stages from {model.preset}, which is not in force."
                    raise DefinitionsInvalid(
                        [
                            Problem(
                                f"definitions/lifecycle/{model.id}.yml",
                                1,
                                what,
                                f"Activate lifecycle/{model.preset} first.",
                            )
                        ]
                    )
                model = model.model_copy(
                    update={"stages": preset.stages, "examples": model.examples or preset.examples}
                )
        items.setdefault(type(model), {})[model.id] = model
    return items
