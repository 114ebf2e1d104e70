"""Conditions on what people did, as they are written: what reads, and what is refused with its line and what to do."""

import pytest

from tests.definitions.conftest import Company
from vesper.load import parse
from vesper.model.segment import Segment
from vesper.problem import Problem

HEAD = "says: 行为\nowner: marketing\nmembers:\n  "
EVENT = "{event: {kind: coupon_redeemed}}"

WRITTEN = [
    "events: {kind: coupon_redeemed, url: {contains: /pricing}, count: messages, at_least: 2, within: 6 months}",
    "events: {kind: [coupon_redeemed], keyword: {starts_with: [万用表, 校准]}, duration_at_least: 2m, amount_at_least: 99.5}",
    "last_event: {kind: coupon_redeemed, series: 400Inbound, at_least_days_ago: 30}",
    "unanswered: {sent: {kind: coupon_redeemed}, answer: {kind: coupon_redeemed, content_id: [a]}, within: 30d}",
    "response: {to: {kind: coupon_redeemed}, of: {kind: coupon_redeemed}, within: 7d, same: series, at_most: 0, settles: daily}",
    "sequence: {steps: [{event: {kind: coupon_redeemed}}, {order: {}}, {no_order: {product_code: [m1]}, within: 3d}], within: 1 month}",
    "orders: {at_least: 3, within: 6 months}",
]


@pytest.mark.requirement("R27", "R32")
@pytest.mark.parametrize("written", WRITTEN)
def test_it_reads_as_it_is_written(company: Company, written: str) -> None:
    company.write("segments/behaviour.yml", HEAD + written + "\n")
    found = [problem for problem in company.problems() if "product" not in problem.what]
    assert found == []
    assert isinstance(parse("segments", "behaviour", HEAD + written), Segment)


WRONG = [
    ("events: {kind: coupon_redemed}", 4, "event coupon_redemed", "coupon_redeemed?"),
    ("events: {kind: [coupon_redeemed, app_opend]}", 4, "event app_opend", ""),
    ("events: {kind: []}", 4, "members.events.kind is empty", "at least 1"),
    ("events: {kind: 5}", 4, "kind must be a list", "brackets"),
    ("events: {}", 4, "members.events.kind is missing", "Add it"),
    ("events: {kind: coupon_redeemed, url: /a}", 4, "url must have keys of its own", "below it"),
    ("events: {kind: coupon_redeemed, url: {contain: /a}}", 4, "contain is not a key", "contains?"),
    ("events: {kind: coupon_redeemed, url: {contains: a, in: b}}", 4, "tested in one way", "contains"),
    ("events: {kind: coupon_redeemed, duration_at_least: 2}", 4, "duration_at_least must be a text", ""),
    ("events: {kind: coupon_redeemed, duration_at_least: 2min}", 4, "2min is not written as a time", "2m"),
    ("events: {kind: coupon_redeemed, within: 6 month}", 4, "6 month is not written as a time", "6 months"),
    ("events: {kind: coupon_redeemed, within: 6mo}", 4, "6mo is not written as a time", "6 months"),
    ("events: {kind: coupon_redeemed, count: mesages}", 4, "mesages is not a word", "messages?"),
    ("events: {kind: coupon_redeemed, at_least: 3, at_most: 2}", 4, "nobody can match", "Swap"),
    ("last_event: {kind: coupon_redeemed}", 4, "number of days needs a bound", "at_least_days_ago"),
    ("bought: {at_least: 2}", 4, "what was bought", "category"),
    ("response: {to: {kind: coupon_redeemed}, of: {kind: clicked}, within: 7d}", 4, "event clicked", ""),
    ("response: {to: {kind: coupon_redeemed}, of: {kind: coupon_redeemed}}", 4, "within is missing", "Add it"),
    ("response: {to: coupon_redeemed, of: {kind: coupon_redeemed}, within: 7d}", 4, "to must have keys", "below it"),
    (f"sequence: {{steps: [{EVENT}]}}", 4, "steps is empty", "at least 2"),
    (f"sequence:\n      steps:\n        - {EVENT}\n        - {{}}", 7, "asks for one thing", "no_event"),
    (f"sequence:\n      steps:\n        - {EVENT}\n        - {{no_order: {{}}}}", 7, "needs an end", "within: 3d"),
    (f"sequence:\n      steps:\n        - {{order: {{}}, within: 1d}}\n        - {EVENT}", 4, "no step before", "beside steps"),
    (f"sequence:\n      steps:\n        - {{no_order: {{}}, within: 1d}}\n        - {EVENT}", 4, "Only the last step", "to the end"),
    ("sequence:\n      steps:\n        - {order: {}}\n        - {event: {kind: redeemed}}", 7, "event redeemed", "coupon_redeemed?"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "line", "what", "instead"), WRONG)
def test_what_is_wrong_is_said_with_its_line(
    company: Company, written: str, line: int, what: str, instead: str
) -> None:
    company.write("segments/behaviour.yml", HEAD + written + "\n")
    found: list[Problem] = company.problems()
    named = [problem for problem in found if what in problem.what]
    assert [(problem.file, problem.line) for problem in named] == [("definitions/segments/behaviour.yml", line)], found
    assert instead in named[0].instead
    assert found == named


def test_a_wrong_step_is_said_in_chinese(company: Company) -> None:
    company.speak("zh_CN")
    company.write("segments/behaviour.yml", f"{HEAD}sequence: {{steps: [{EVENT}, {{no_order: {{}}}}]}}\n")
    [problem] = company.problems()
    assert (problem.what, problem.instead) == ("“没有发生”的步骤需要期限。", "请写 within，例如 within: 3d。")
