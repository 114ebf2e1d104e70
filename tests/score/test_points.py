"""What a rule is worth: once, by count, for each thing counted, fading with time, within the limit of its kind."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.conditions import strategies
from tests.conditions.oracle import Case, judge
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago
from tests.score.nights import SCALE, rule, scale
from tests.score.scores_only import Scorer
from vesper.clock import local_time
from vesper.conditions import Condition
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.scoring import ScoringRule
from vesper.night import Night
from vesper.points import moved

ONE: dict[str, dict[str, Any]] = {"c1": {}}
CLICKED = {"events": {"kind": "mail_clicked"}}


def clicks(*days: int, message_id: str | None = None) -> tuple[Event, ...]:
    return tuple(Event("c1", "mail_clicked", ago(day), message_id=message_id) for day in days)


def step(kind: str) -> dict[str, Any]:
    return {"event": {"kind": kind}}


def points_of(tables: Tables, made: ScoringRule, facts: Facts, on: dt.date = TONIGHT) -> int | None:
    """Points of one rule; None where it gives no row."""
    company = Scorer(tables, SCALE, made)
    company.run(facts, on)
    return company.points("c1").get(made.id)


@pytest.mark.parametrize(("number", "points"), [(0, None), (1, 3), (2, 6), (3, 9), (4, 10), (9, 10)])
def test_each_event_gives_its_points_up_to_a_limit(tables: Tables, number: int, points: int | None) -> None:
    made = rule("clicks", CLICKED, 3, each="event", at_most_points=10)
    assert points_of(tables, made, Facts(ONE, events=clicks(*range(number)))) == points


def test_points_that_are_taken_have_a_limit_too(tables: Tables) -> None:
    made = rule("returns", {"orders": {}}, -4, each="event", at_most_points=10)
    assert points_of(tables, made, Facts(ONE, orders=tuple(Order("c1", ago(day)) for day in range(5)))) == -10


def test_each_message_counts_once_however_often_it_was_clicked(tables: Tables) -> None:
    made = rule("clicks", CLICKED, 5, each="message", at_most_points=50)
    events = (*clicks(1, 2, 3, message_id="m1"), *clicks(1, message_id="m2"), *clicks(5))
    assert points_of(tables, made, Facts(ONE, events=events)) == 10


@pytest.mark.parametrize(
    ("days", "points"),
    [
        ((0,), 5),  # TONIGHT is a Monday: a week of its own
        ((1, 7), 5),  # the Sunday and the Monday of the week before
        ((0, 1), 10),
        ((0, 1, 8), 15),
    ],
)
@pytest.mark.parametrize("word", ["events", "orders"])
def test_a_stretch_of_seven_days_is_a_calendar_week(
    tables: Tables, word: str, days: tuple[int, ...], points: int
) -> None:
    assert TONIGHT.isoweekday() == 1
    when = CLICKED if word == "events" else {"orders": {}}
    made = rule("weeks", when, 5, each="7d", at_most_points=50)
    facts = Facts(ONE, tuple(Order("c1", ago(day)) for day in days), clicks(*days))
    assert points_of(tables, made, facts) == points


def test_a_fact_stays_in_its_stretch_on_every_night(tables: Tables) -> None:
    made = rule("weeks", CLICKED, 5, each="7d", at_most_points=50)
    facts = Facts(ONE, events=clicks(1, 2, 6))
    assert {points_of(tables, made, facts, ago(-day)) for day in range(9)} == {5}


@pytest.mark.parametrize(
    ("age", "points"), [(0, 10), (29, 10), (30, 7), (59, 7), (60, 4), (90, 1), (119, 1), (120, None), (999, None)]
)
def test_points_fade_in_whole_steps_and_end_at_nothing(tables: Tables, age: int, points: int | None) -> None:
    made = rule("clicks", CLICKED, 10, decay={"lose": 3, "every": "30d"})
    assert points_of(tables, made, Facts(ONE, events=clicks(age, age + 40))) == points


def test_points_that_are_taken_fade_upwards(tables: Tables) -> None:
    made = rule("silent", CLICKED, -10, decay={"lose": 3, "every": "30d"})
    assert points_of(tables, made, Facts(ONE, events=clicks(35))) == -7


def test_a_newer_fact_brings_faded_points_back(tables: Tables) -> None:
    made = rule("clicks", CLICKED, 10, decay={"lose": 3, "every": "30d"})
    assert points_of(tables, made, Facts(ONE, events=clicks(65, 2))) == 10


@pytest.mark.requirement("R58")
def test_the_rules_of_a_kind_stay_within_its_limit_by_a_row(tables: Tables) -> None:
    rules = (
        rule("phone", {"attribute": {"field": "phone", "is": "known"}}, 15, kind="fit"),
        rule("province", {"attribute": {"field": "province", "is": "known"}}, 10, kind="fit"),
        rule("ordered", {"orders": {}}, 8),
    )
    company = Scorer(tables, scale(most_points={"fit": 20, "engagement": 20}), *rules)
    facts = Facts(
        {"c1": {"phone": "1", "province": "上海"}, "c2": {"phone": "1"}},
        orders=(Order("c1", ago(1)), Order("c2", ago(1))),
    )
    company.run(facts, TONIGHT)
    assert company.points("c1") == {"base": 60, "phone": 15, "province": 10, "cap_fit": -5, "ordered": 8}
    assert company.points("c2") == {"base": 60, "phone": 15, "ordered": 8}
    assert company.of(SCORE, "fit_score") == {"c1": 20, "c2": 15}
    assert company.of(SCORE, "score") == {"c1": 88, "c2": 83}


@pytest.mark.requirement("R57")
def test_dwell_content_and_interaction_make_points(tables: Tables) -> None:
    rules = (
        rule(
            "dwelt", {"events": {"kind": "page_viewed", "duration_at_least": "2m"}}, 4, each="event", at_most_points=8
        ),
        rule(
            "papers", {"events": {"kind": "page_viewed", "content_id": ["paper_a", "paper_b"], "count": "contents"}}, 5
        ),
        rule("booked", {"sequence": {"steps": [step("page_viewed"), {**step("demo_booked"), "within": "3d"}]}}, 11),
    )
    viewed = [Event("c1", "page_viewed", ago(day), duration_seconds=length, content_id=paper) for day, length, paper in
              ((5, 119, "paper_a"), (4, 120, "paper_a"), (3, 600, None))]  # fmt: skip
    company = Scorer(tables, SCALE, *rules)
    company.run(Facts(ONE, events=(*viewed, Event("c1", "demo_booked", ago(2)))), TONIGHT)
    assert company.points("c1") == {"base": 60, "dwelt": 8, "papers": 5, "booked": 11}


@pytest.mark.parametrize(
    ("settings_of_a_rule", "said"),
    [
        ({"each": "event"}, "belong together"),
        ({"at_most_points": 10}, "belong together"),
        ({"each": "weekly", "at_most_points": 10}, "event, message, 7d"),
        ({"when": {"attribute": {"field": "phone", "is": "known"}}, "each": "event", "at_most_points": 9}, "counting"),
        ({"when": {"orders": {}}, "each": "message", "at_most_points": 9}, "cannot be counted"),
        ({"when": {"bought": {"category": ["A"]}}, "each": "7d", "at_most_points": 9}, "cannot be counted"),
        (
            {"when": {"attribute": {"field": "phone", "is": "known"}}, "decay": {"lose": 1, "every": "7d"}},
            "rests on no fact",
        ),
        ({"decay": {"lose": 0, "every": "7d"}}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_counted_or_fade_is_refused(settings_of_a_rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rule("r", **{"when": CLICKED, "points": 5, **settings_of_a_rule})


# Random rule sets against their plain meaning.


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[ScoringRule, ...]:
    """Up to four rules of every shape."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        word = draw(st.sampled_from(("orders", "events")))
        when: dict[str, Any] = {word: {"kind": "app_signup"} if word == "events" else {}}
        if draw(st.booleans()):
            when[word]["within"] = draw(st.sampled_from(("7d", "30d", "90d")))
        more: dict[str, Any] = {}
        if draw(st.booleans()):
            more["decay"] = {"lose": draw(st.integers(1, 12)), "every": draw(st.sampled_from(("1d", "7d", "30d")))}
        points: int | None = draw(st.integers(-30, 30))
        shape = draw(st.sampled_from(("once", "each", "bands")))
        if shape == "each":
            unit = draw(st.sampled_from(("event", "7d", "30d") if word == "orders" else ("event", "message", "7d")))
            more |= {"each": unit, "at_most_points": draw(st.integers(1, 60))}
        if shape == "bands":
            points, more["bands"] = (
                None,
                [
                    {"at_least": 0, "at_most": 0, "points": draw(st.integers(-20, 20))},
                    {"at_least": 1, "at_most": 2, "points": draw(st.integers(-20, 20))},
                    {"at_least": 3, "points": draw(st.integers(-20, 20))},
                ],
            )
        found.append(rule(f"r{number}", when, points, draw(st.sampled_from(("fit", "engagement"))), **more))
    return tuple(found)


def worth(made: ScoringRule, case: Case) -> int | None:
    """Points of a rule for a contact in plain Python; None where it gives no row."""
    for condition, points in made.cases:
        verdict = judge(condition, case)
        if verdict.truth:
            amount = points
            if made.each:
                number = units(made, condition, case) if made.each.days else verdict.count
                amount = (1 if points > 0 else -1) * min(abs(points) * number, made.at_most_points or 0)
            if made.decay and verdict.last_at:
                age = (case.night.business_on - local_time(verdict.last_at, case.night.zone).date()).days
                left = max(abs(amount) - made.decay.lose * (max(age, 0) // made.decay.every.days), 0)
                amount = left if amount > 0 else -left
            return amount or (None if made.each or made.decay else 0)
    return None


def units(made: ScoringRule, condition: Condition, case: Case) -> int:
    body, facts = condition.body, case.facts
    rows: Iterable[Any] = facts.orders if condition.word == "orders" else facts.events
    found = [row for row in case.recent(rows, body.within) if condition.word == "orders" or _is_meant(row, body)]
    assert made.each is not None and made.each.days
    return len({(row.on - dt.date(1970, 1, 5)).days // made.each.days for row in found})


def _is_meant(event: Event, body: Any) -> bool:
    return event.kind in body.kind and not event.is_machine


@pytest.mark.requirement("R50")
@settings(max_examples=40)
@given(
    facts=strategies.facts(),
    made=rule_sets(),
    most=st.dictionaries(st.sampled_from(("fit", "engagement")), st.integers(0, 30)),
)
def test_random_rules_sum_to_their_score_exactly(
    tables: Tables, facts: Facts, made: tuple[ScoringRule, ...], most: dict[str, int]
) -> None:
    company = Scorer(tables, scale(most_points=most), *made)
    tonight = company.run(facts, TONIGHT)
    kinds = {one.id: one.kind for one in made}
    rows = company.rows(SCORE_REASON)
    for row in company.rows(SCORE):
        id = row["contact_id"]
        expected = {one.id: value for one in made if (value := worth(one, Case(id, facts, tonight))) is not None}
        mine = {reason["rule_id"]: reason["points"] for reason in rows if reason["contact_id"] == id}
        assert {key: value for key, value in mine.items() if key in kinds} == expected
        sums = {kind: sum(expected[one] for one in expected if kinds[one] == kind) for kind in ("fit", "engagement")}
        sums = {kind: min(total, most.get(kind, total)) for kind, total in sums.items()}
        assert (row["fit_score"], row["engagement_score"]) == (sums["fit"], sums["engagement"])
        assert row["score"] == sum(mine.values()) == max(0, min(100, 60 + sum(sums.values())))


@settings(max_examples=25)
@given(facts=strategies.facts(), made=rule_sets(), gap=st.integers(1, 40))
def test_whoever_has_other_points_though_nothing_happened_is_named_by_moved(
    tables: Tables, facts: Facts, made: tuple[ScoringRule, ...], gap: int
) -> None:
    company = Scorer(tables, SCALE, *made)
    company.run(facts, ago(gap))
    before = reasons_of(company)
    tonight = company.run(facts, TONIGHT)
    changed = {id for id in facts.contacts if before.get(id) != reasons_of(company).get(id)}
    assert changed <= {id for one in made for id in named(tables, one, tonight, ago(gap))}


def reasons_of(company: Scorer) -> dict[str, dict[str, tuple[int, int]]]:
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in company.rows(SCORE_REASON):
        found.setdefault(row["contact_id"], {})[row["rule_id"]] = (row["points"], row["evidence_count"])
    return found


def named(tables: Tables, made: ScoringRule, tonight: Night, since: dt.date) -> set[str]:
    return {row["contact_id"] for select in moved(made, tonight, since) for row in tables.rows(select)}
