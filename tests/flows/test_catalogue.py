"""Everything that the flows, forms and pages say has Chinese words (R111)."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.utilities.callables import parameter_schema

from deployments.registry import ALL
from vesper.language import translator
from vesper.wording import stage_title

SPOKEN = ("vesper/wording.py", "flows/artifacts.py", "flows/wait_for_prepare.py")
STAGES = ("consolidate", "measure", "score", "handover", "segment", "send", "watch")


def messages_of(file: Path) -> Iterator[str]:
    """Every literal that a module hands to `_`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            message = node.args[0]
            if isinstance(message, ast.Constant):
                yield str(message.value)


def words_of(schema: Any) -> Iterator[str]:
    """Every title and description of a form."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("title", "description") and isinstance(value, str):
                yield value
            else:
                yield from words_of(value)


def without_chinese(messages: Iterator[str]) -> list[str]:
    _ = translator("zh_CN")
    return sorted({message for message in messages if _(message) == message})


@pytest.mark.requirement("R111")
def test_every_sentence_has_chinese_words(repository: Path) -> None:
    spoken = (message for file in SPOKEN for message in messages_of(repository / file))
    assert without_chinese(spoken) == []
    assert without_chinese(stage_title(word) for word in STAGES) == []


@pytest.mark.requirement("R110", "R111")
def test_every_form_has_a_description_and_titles_in_chinese() -> None:
    for entry in ALL:
        flow = getattr(importlib.import_module(entry.module), entry.function)
        schema = parameter_schema(flow)
        words = [entry.says, flow.description, *words_of(schema.properties), *words_of(schema.definitions)]
        assert without_chinese(iter(words)) == [], entry.name
        for name, field in schema.properties.items():
            assert field.get("description"), f"{entry.name}: {name} has no description"
            assert field.get("title") != name, f"{entry.name}: {name} has no title"


def test_no_description_starts_a_line_with_a_sign() -> None:
    """Prefect's page renders descriptions as markdown."""
    for entry in ALL:
        flow = getattr(importlib.import_module(entry.module), entry.function)
        assert not any(line.lstrip().startswith((">", "#")) for line in flow.description.splitlines()), entry.name
