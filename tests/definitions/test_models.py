"""The models' own rules: how times are written, what counts and windows mean, what bands become."""

import datetime as dt
import json
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from vesper.conditions import BODIES, Condition
from vesper.model.condition import Counted
from vesper.model.contact_field import ContactField
from vesper.model.policy import FrequencyPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.timing import Ago, ClockTime, Duration, Hours
from vesper.tables.contact import CONTACT
from vesper.yaml_text import YamlFault, read_yaml


def condition(value: dict[str, Any]) -> Condition:
    return Condition.model_validate_json(json.dumps(value), strict=True)


@pytest.mark.parametrize(("text", "days"), [("7d", 7), ("24h", 1), ("36h", 2), ("30m", 1), ("365d", 365)])
def test_durations_in_days(text: str, days: int) -> None:
    assert Duration.read(text).days == days


@pytest.mark.parametrize("text", ["7", "0d", "7 d", "d", "1w", "-1d", "٧d"])
def test_durations_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(Exception, match="not written as a time"):
        Duration.read(text)


@pytest.mark.parametrize("text", ["24:00", "9:00", "21:60", "21:00:00", "21"])
def test_clock_times_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(Exception, match="not written as a time"):
        ClockTime.read(text)


def test_clock_time_and_days_ago() -> None:
    assert ClockTime.read("21:00").time == dt.time(21)
    assert (Ago.read("today").days, Ago.read("3d ago").days) == (0, 3)


@pytest.mark.requirement("R82")
def test_hours_include_their_start_and_not_their_end() -> None:
    evening = Hours(starts=ClockTime("19:00"), ends=ClockTime("21:00"))
    held = [evening.holds(dt.time(hour, minute)) for hour, minute in ((18, 59), (19, 0), (20, 59), (21, 0))]
    assert held == [False, True, True, False]
    night = Hours(starts=ClockTime("21:00"), ends=ClockTime("08:00"))
    assert [night.holds(dt.time(hour)) for hour in (20, 21, 0, 7, 8)] == [False, True, True, True, False]
    assert not evening.overlaps(night)
    assert night.overlaps(Hours(starts=ClockTime("07:00"), ends=ClockTime("09:00")))


def test_a_window_inside_the_quiet_hours_is_refused() -> None:
    caps = {"all": {"touches": 2, "within": "24h"}}
    windows = {"marketing": [{"starts": "20:00", "ends": "22:00"}]}
    quiet = {"starts": "21:00", "ends": "08:00"}
    with pytest.raises(ValidationError, match="20:00 to 22:00 lies in the quiet hours"):
        FrequencyPolicy.model_validate(
            {"says": "x", "owner": "x", "caps": caps, "windows": windows, "quiet_hours": quiet}
        )


@pytest.mark.parametrize(
    ("bounds", "minimum"), [({}, 1), ({"at_least": 3}, 3), ({"at_most": 0}, 0), ({"at_least": 0, "at_most": 2}, 0)]
)
def test_a_count_without_bounds_means_at_least_once(bounds: dict[str, int], minimum: int) -> None:
    body = condition({"orders": bounds}).body
    assert isinstance(body, Counted)
    assert body.minimum == minimum


@pytest.mark.requirement("R26", "R39")
def test_conditions_nest_and_tell_what_they_read() -> None:
    nested = condition(
        {
            "all": [
                {"any": [{"bought": {"category": ["COFFEE"]}}, {"attribute": {"field": "city", "in": ["上海"]}}]},
                {"not": {"events": {"kind": "coupon_redeemed"}}},
            ]
        }
    )
    assert [path for path, _ in nested.walk(("members",))] == [
        ("members", "all"),
        ("members", "all", 0, "any"),
        ("members", "all", 0, "any", 0, "bought"),
        ("members", "all", 0, "any", 1, "attribute"),
        ("members", "all", 1, "not"),
        ("members", "all", 1, "not", "events"),
    ]
    assert nested.feeds == {"order_line", "product", "contact", "demographic", "event"}


def test_every_condition_says_its_word_and_describes_its_fields() -> None:
    for word, body in BODIES.items():
        assert body.__doc__, word
        schema = body.model_json_schema()
        assert all(entry.get("description") for entry in schema.get("properties", {}).values()), word


@pytest.mark.requirement("R51", "R52")
def test_bands_become_conditions_that_exclude_each_other() -> None:
    rule = ScoringRule.model_validate(
        {
            "says": "x",
            "owner": "x",
            "kind": "engagement",
            "when": {"orders": {"within": "7d"}},
            "bands": [{"at_least": 0, "at_most": 0, "points": 5}, {"at_least": 1, "at_most": 1, "points": 0},
                      {"at_least": 2, "points": 20}],
            "examples": [{"given": {}, "points": 5}],
        }
    )  # fmt: skip
    assert [(case.body.minimum, case.body.at_most, case.body.within, points) for case, points in rule.cases] == [
        (0, 0, "7d", 5),
        (2, None, "7d", 20),
    ]


def test_the_contact_fields_of_definitions_are_those_of_the_table() -> None:
    assert set(get_args(ContactField)) <= set(CONTACT.c.keys())


@pytest.mark.parametrize(
    ("text", "value"),
    [("21:00", "21:00"), ("on", "on"), ("NO", "NO"), ("2017-12-25", "2017-12-25"), ("true", True), ("~", None), ("1", 1),
     ("-3", -3), ("1.10", 1.1), ("'1'", "1"), ('"true"', "true"), ("5+", "5+"), ("1e3", "1e3")],
)  # fmt: skip
def test_what_is_written_is_what_is_read(text: str, value: object) -> None:
    tree = read_yaml(f"key: {text}")
    assert tree.value == {"key": value}
    assert type(tree.value["key"]) is type(value)


@pytest.mark.parametrize("text", ["021", "0x1F", "0o17", "-007"])
def test_numbers_that_other_readers_read_otherwise_are_refused(text: str) -> None:
    with pytest.raises(YamlFault, match="could be read as another number"):
        read_yaml(f"key: {text}")


def test_lines_of_keys_and_items() -> None:
    tree = read_yaml("a: 1\nb:\n  - x\n  - c: 2\n    d: 3\n")
    assert {path: line for path, line in tree.lines.items() if path} == {
        ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("b", 1, "d"): 5,
    }  # fmt: skip
    assert tree.line(("b", 1, "missing", "deeper")) == 4
