"""The rule of the design guide, night by night: base 60, two clicks in seven days +20, none +5, MQL at exactly 80 (R50..R53)."""

import datetime as dt
from pathlib import Path

import pytest

from tests.conditions.world import TONIGHT, Event, Facts, Tables, ago
from tests.score.nights import PRESETS, SCALE
from tests.score.scores_only import Scorer
from vesper.clock import instant
from vesper.load import definition_set, definition_texts, parse
from vesper.marts.score import SCORE
from vesper.model.definition import Definition
from vesper.model.scoring import ScoringRule
from vesper.problem import DefinitionsInvalid

ZONE = "America/New_York"
PRESET = PRESETS / "scoring" / "mail_clicks_after_form.yml"
FORM_ON = ago(20)


def preset() -> Definition:
    return parse("scoring", PRESET.stem, PRESET.read_text(encoding="utf-8"))


def event(id: str, kind: str, day: int, hour: int = 9, is_machine: bool = False, series: str = "400Inbound") -> Event:
    """So many days after the form, at an hour in the company's zone."""
    on = FORM_ON + dt.timedelta(days=day)
    return Event(id, kind, on, is_machine, instant(on, dt.time(hour), ZONE), series_id=series)


def form(id: str, day: int = 0) -> Event:
    return event(id, "form_submitted", day)


def click(id: str, day: int, hour: int = 10, is_machine: bool = False) -> Event:
    return event(id, "mail_clicked", day, hour, is_machine)


EVENTS = (
    form("two"), click("two", 1), click("two", 3),
    form("silent"),
    form("one"), click("one", 2),
    form("late"), click("late", 7, 9), click("late", 7, 10),  # the first at exactly 7 x 24 h, the second an hour after
    form("machine"), click("machine", 1, is_machine=True), click("machine", 2, is_machine=True),
    form("many"), *[click("many", day) for day in range(1, 7)], form("many", 10), click("many", 11), click("many", 12),
)  # fmt: skip
IDS = ("nobody", "two", "silent", "one", "late", "machine", "many")
FACTS = Facts({id: {} for id in IDS}, events=EVENTS)


def scores_by_night(tables: Tables, *definitions: Definition, nights: int = 21) -> dict[str, list[int]]:
    """The score of everybody on each night from the form on. Only what had happened by the night is known."""
    company = Scorer(tables, SCALE, *definitions)
    found: dict[str, list[int]] = {id: [] for id in IDS}
    for day in range(nights):
        on = FORM_ON + dt.timedelta(days=day)
        company.run(Facts(FACTS.contacts, events=tuple(one for one in EVENTS if one.on <= on)), on)
        for id, score in company.of(SCORE, "score").items():
            found[id].append(score)
    return found


@pytest.mark.requirement("R50")
@pytest.mark.requirement("R51")
@pytest.mark.requirement("R52")
def test_the_rule_over_three_weeks_of_nights(tables: Tables) -> None:
    found = scores_by_night(tables, preset())
    assert found["nobody"] == [60] * 21
    assert (
        found["two"] == [60] * 3 + [80] * 18
    )  # the night of the second click, and ever after: once, however many nights run
    assert found["silent"] == [60] * 7 + [65] * 14  # from the night on which 7 x 24 h are over, and once
    assert found["one"] == [60] * 21
    assert found["late"] == [60] * 21
    assert found["machine"] == found["silent"]
    assert found["many"] == [60] * 2 + [80] * 19  # a second form with clicks of its own gives nothing more


@pytest.mark.requirement("R53")
def test_the_night_of_the_second_click_makes_the_mql(tables: Tables) -> None:
    company = Scorer(tables, SCALE, preset())
    company.run(FACTS, FORM_ON + dt.timedelta(days=3))
    assert company.points("two") == {"base": 60, "mail_clicks_after_form": 20}
    mqls = {id for id, is_mql in company.of(SCORE, "is_mql").items() if is_mql}
    assert mqls == {"two", "many"}


@pytest.mark.requirement("R52")
def test_daily_gives_the_five_points_before_the_window_closes(tables: Tables) -> None:
    rule = preset()
    assert isinstance(rule, ScoringRule)
    body = rule.when.body.model_copy(update={"settles": "daily"})
    daily = rule.model_copy(update={"when": type(rule.when).model_validate({"response": body})})
    found = scores_by_night(tables, daily, nights=5)
    assert found["silent"] == [65] * 5
    assert found["two"] == [65, 60, 60, 80, 80]


@pytest.mark.requirement("R62")
def test_a_night_run_again_gives_the_same_scores(tables: Tables) -> None:
    company = Scorer(tables, SCALE, preset())
    company.run(FACTS, TONIGHT)
    first = company.rows(SCORE)
    Scorer(tables)
    company.run(FACTS, TONIGHT)
    assert company.rows(SCORE) == first


def test_a_company_takes_the_rule_by_name_and_states_what_differs(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "仪器厂"\n', encoding="utf-8")
    folder = tmp_path / "definitions" / "scoring"
    folder.mkdir(parents=True)
    (folder / "form_clicks.yml").write_text(
        "preset: mail_clicks_after_form\nowner: marketing@example.com\nbands:\n"
        "  - {at_least: 0, at_most: 0, points: 4}\n  - {at_least: 1, points: 15}\n"
        "examples:\n  - {given: {}, points: 0}\n",
        encoding="utf-8",
    )
    texts = definition_texts(tmp_path)
    rule = definition_set(texts).of(ScoringRule)["form_clicks"]
    assert (rule.owner, rule.when.word, [band.points for band in rule.bands]) == (
        "marketing@example.com",
        "response",
        [4, 15],
    )
    assert PRESET.read_text(encoding="utf-8") in texts["scoring/form_clicks"]


def test_a_rule_that_does_not_ship_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "仪器厂"\n', encoding="utf-8")
    folder = tmp_path / "definitions" / "scoring"
    folder.mkdir(parents=True)
    (folder / "form_clicks.yml").write_text("owner: m@example.com\npreset: mail_click_after_form\n", encoding="utf-8")
    with pytest.raises(
        DefinitionsInvalid, match=r"form_clicks\.yml:2: .*mail_click_after_form.*mail_clicks_after_form"
    ):
        definition_set(definition_texts(tmp_path))
