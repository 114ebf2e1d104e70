"""The editor schemas say what `vesper check` says: every definition that ships is accepted, and a slip is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from docs import schema_files


def definitions(repository: Path) -> list[Path]:
    folders = [repository / "definitions", *(repository / "examples").glob("*/definitions")]
    return sorted(file for folder in folders for file in folder.glob("*/*.yml"))


def schema_for(file: Path, repository: Path) -> Draft202012Validator:
    name = f"policy_{file.stem}" if file.parent.name == "policy" else file.parent.name
    return Draft202012Validator(json.loads((repository / f"schemas/{name}.json").read_text(encoding="utf-8")))


def content(file: Path) -> Any:
    """As an editor sees it: dates are text."""
    return json.loads(json.dumps(YAML(typ="safe").load(file.read_text(encoding="utf-8")), default=str))


def test_every_definition_that_ships_is_accepted(repository: Path) -> None:
    found = definitions(repository)
    assert found
    refused = {str(f): [e.message for e in schema_for(f, repository).iter_errors(content(f))] for f in found}
    assert {file: messages for file, messages in refused.items() if messages} == {}


def test_a_slip_in_a_key_is_refused(repository: Path) -> None:
    found = definitions(repository)
    assert found
    for file in found:
        assert list(schema_for(file, repository).iter_errors({**content(file), "ownr": "nobody"})), file


@pytest.mark.parametrize("kind", ["segments", "scoring"])
def test_a_condition_has_one_key(repository: Path, kind: str) -> None:
    schema = json.loads(schema_files.files()[f"schemas/{kind}.json"])
    condition = schema["$defs"]["Condition"]
    assert (condition["minProperties"], condition["maxProperties"], condition["additionalProperties"]) == (1, 1, False)
