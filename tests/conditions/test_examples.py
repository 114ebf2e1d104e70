"""Every example in every definition holds: Vesper's presets and the grocer's own."""

from pathlib import Path

import pytest

from tests.conditions.examples_of import answer, definition_of, definitions_with_examples, expected
from tests.conditions.world import Tables
from vesper.load import parse
from vesper.model.example import Given
from vesper.model.segment import Segment

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = definitions_with_examples(REPOSITORY / "definitions", REPOSITORY / "examples" / "grocer" / "definitions")

SEGMENT = """
says: 沉睡
owner: marketing
members: {last_order: {at_least_days_ago: 90}}
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_examples_of_a_definition_hold(tables: Tables, file: Path) -> None:
    definition = definition_of(file)
    told = [(example, answer(tables, definition, example.given)) for example in getattr(definition, "examples", ())]
    wrong = [
        f"{example.given!r}: expected {expected(example)}, came {came}"
        for example, came in told
        if came != expected(example)
    ]
    assert wrong == []


def test_there_are_examples_for_every_scoring_rule_and_lifecycle() -> None:
    assert {file.parent.name for file in FILES} >= {"scoring", "segments", "lifecycle"}


def test_a_wrong_example_is_noticed(tables: Tables) -> None:
    segment = parse("segments", "dormant", SEGMENT)
    assert isinstance(segment, Segment)
    assert answer(tables, segment, Given.model_validate({"orders": [{"on": "90d ago"}]})) is True
    assert answer(tables, segment, Given.model_validate({"orders": [{"on": "89d ago"}]})) is False
