"""Every example in every definition holds: Vesper's presets and those of the two example companies."""

from pathlib import Path

import pytest

from tests.conditions.examples_of import answer, definition_of, definitions_with_examples, expected
from tests.conditions.world import Tables
from vesper.load import parse
from vesper.model.example import Given
from vesper.model.segment import Segment

REPOSITORY = Path(__file__).resolve().parents[2]
COMPANIES = [REPOSITORY / "examples" / name / "definitions" for name in ("grocer", "instruments")]
FILES = definitions_with_examples(REPOSITORY / "definitions", *COMPANIES)

SEGMENT = """
says: 沉睡
owner: marketing
members: {last_order: {at_least_days_ago: 90}}
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_examples_of_a_definition_hold(tables: Tables, file: Path) -> None:
    definition = definition_of(file)
    told = [
        (example, answer(tables, definition, example.given, getattr(example, "before", None)))
        for example in getattr(definition, "examples", ())
    ]
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


CLICKS_AFTER_FORM = """
says: 提交表单后 7 天内点击邮件
owner: marketing
kind: engagement
when:
  response: {to: {kind: form_submitted}, of: {kind: mail_clicked}, within: 7d, same: series}
bands:
  - {at_least: 0, at_most: 0, points: 5}
  - {at_least: 1, at_most: 1, points: 0}
  - {at_least: 2, points: 20}
examples:
  - {given: {}, points: 0}
  - {given: {events: [{kind: form_submitted, on: 8d ago, at: "10:00", series: s1}]}, points: 5}
  - {given: {events: [{kind: form_submitted, on: 7d ago, at: "20:30", series: s1}]}, points: 0}
  - {given: {events: [{kind: form_submitted, on: 7d ago, at: "20:00", series: s1}]}, points: 5}
"""
TWO_MINUTES = """
says: 看了两分钟，三天内没有核销
owner: marketing
members:
  sequence:
    steps:
      - event: {kind: page_viewed, duration_at_least: 2m, product_code: m1}
      - {no_event: {kind: coupon_redeemed}, within: 3d}
examples:
  - {given: {events: [{kind: page_viewed, on: 4d ago, duration: 2m, product_code: m1}]}, member: true}
  - {given: {events: [{kind: page_viewed, on: 4d ago, duration: 119s, product_code: m1}]}, member: false}
  - {given: {events: [{kind: page_viewed, on: 2d ago, duration: 2m, product_code: m1}]}, member: false}
  - given:
      events:
        - {kind: page_viewed, on: 4d ago, at: "09:00", duration: 2m, product_code: m1}
        - {kind: coupon_redeemed, on: 4d ago, at: "09:01"}
    member: false
"""


@pytest.mark.requirement("R51", "R52", "R75")
@pytest.mark.parametrize(("kind", "text"), [("scoring", CLICKS_AFTER_FORM), ("segments", TWO_MINUTES)])
def test_conditions_on_behaviour_can_be_told_in_examples(tables: Tables, kind: str, text: str) -> None:
    definition = parse(kind, "behaviour", text)
    examples = getattr(definition, "examples", ())
    assert [answer(tables, definition, example.given) for example in examples] == [expected(one) for one in examples]
    assert len(examples) >= 4
