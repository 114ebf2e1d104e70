"""The fields of a persona are a condition: the one that a marketer would write by hand, for the night, its hash, holes and checks (R30)."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions import strategies
from tests.conditions.examples_of import answer
from tests.conditions.world import TONIGHT, Event, Facts, Tables, ago, night
from tests.groups.nights import Company, of_persona, tagged
from vesper.check import check
from vesper.conditions import Condition
from vesper.conditions.people import Asked, people
from vesper.held import sources_behind
from vesper.load import parse
from vesper.model.definition import LANGUAGES
from vesper.model.example import Given
from vesper.model.persona import Persona
from vesper.model.source import Source

HEAD = "says: 测试\nowner: marketing\nproduct: 咖啡\n"
SETTINGS = '[company]\nname = "一家店"\nlanguage = "{language}"\n'
BY_HAND: dict[str, tuple[Any, dict[str, Any]]] = {
    "gender": (["female"], {"attribute": {"field": "gender", "in": ["female"]}}),
    "age": ({"from": 25, "to": 32}, {"age": {"at_least": 25, "at_most": 32}}),
    "income": (["35-49K"], {"attribute": {"field": "income_band", "in": ["35-49K"]}}),
    "region": (
        ["上海", "苏州"],
        {
            "any": [
                {"attribute": {"field": "province", "in": ["上海", "苏州"]}},
                {"attribute": {"field": "city", "in": ["上海", "苏州"]}},
            ]
        },
    ),
    "industry": (["仪器仪表"], {"company": {"field": "industry", "in": ["仪器仪表"]}}),
    "employee_count": ({"from": 500}, {"company": {"field": "employee_count", "at_least": 500}}),
    "url": (
        {"kind": "coupon_redeemed", "contains": ["paper", "price"], "within": "30d"},
        {"events": {"kind": "coupon_redeemed", "url": {"contains": ["paper", "price"]}, "within": "30d"}},
    ),
    "keyword": (
        {"kind": ["coupon_redeemed", "app_signup"], "contains": "校准", "at_least": 2, "within": "6 months"},
        {
            "events": {
                "kind": ["coupon_redeemed", "app_signup"],
                "keyword": {"contains": "校准"},
                "at_least": 2,
                "within": "6 months",
            }
        },
    ),
    "members": ({"orders": {"at_least": 1}}, {"orders": {"at_least": 1}}),
}
"""Field -> what a persona writes, and what a marketer would write as a condition."""
more = st.fixed_dictionaries(
    {
        "gender": st.sampled_from(("female", "male", None)),
        "income_band": st.sampled_from(("35-49K", "250K+", None)),
        "city": st.sampled_from(("苏州", "上海", None)),
    }
)


def verdicts(tables: Tables, condition: Condition) -> tuple[set[str], set[str]]:
    """For whom it is true, and for whom neither true nor false."""
    asked = Asked(night())
    unknown = condition.body.unknown(asked)
    unsure = [] if unknown is None else tables.rows(unknown)
    true = tables.rows(people(condition, asked.night))
    return {row["contact_id"] for row in true}, {row["contact_id"] for row in unsure}


@pytest.mark.requirement("R30")
def test_fields_mean_the_condition_that_a_marketer_would_write(tables: Tables) -> None:
    @settings(max_examples=60)
    @given(strategies.facts(), st.data(), st.sets(st.sampled_from(sorted(BY_HAND)), min_size=1, max_size=4))
    def same(facts: Facts, data: st.DataObject, fields: set[str]) -> None:
        contacts = {id: {**known, **data.draw(more)} for id, known in facts.contacts.items()}
        tables.put_facts(replace(facts, contacts=contacts), night())
        persona = Persona.model_validate(
            {
                "id": "p",
                "says": "x",
                "owner": "y",
                "product": "z",
                **{field: BY_HAND[field][0] for field in fields},
            }
        )
        by_hand = Condition.model_validate({"all": [BY_HAND[field][1] for field in sorted(fields)]})
        assert verdicts(tables, persona.condition) == verdicts(tables, by_hand)

    same()


def test_every_field_for_contacts_is_compared_and_words_stay_words() -> None:
    fields = set(Persona.model_fields) - {"id", "name", "says", "owner", "product", "examples"}
    assert fields - set(BY_HAND) == {"interests", "goals", "pains"}


@pytest.mark.requirement("R30")
def test_a_night_finds_the_people_of_the_fields_and_keeps_since_when(tables: Tables) -> None:
    young = of_persona("young", {"tag": {"id": "reader"}}, age={"from": 18, "to": 30}, region=["上海"])
    reader = tagged("reader", {"events": {"kind": "page_viewed", "within": "30d"}})
    known: dict[str, dict[str, Any]] = {
        "fits": {"birth_on": dt.date(1995, 5, 5), "province": "上海"},
        "old": {"birth_on": dt.date(1960, 5, 5), "province": "上海"},
        "far": {"birth_on": dt.date(1995, 5, 5), "province": "江苏"},
        "silent": {"province": "上海"},
        "idle": {"birth_on": dt.date(1995, 5, 5), "province": "上海"},
    }
    read = tuple(Event(id, "page_viewed", ago(3)) for id in known if id != "idle")
    company = Company(tables, reader, young).run(Facts(known, (), read), ago(1))
    company.run(Facts(known, (), read), TONIGHT)
    assert company.personas() == {("young", "fits"): ago(1)}


@pytest.mark.parametrize(
    ("birth_on", "on", "belongs"),
    [
        ("2000-01-01", "2018-01-01", True),
        ("2000-01-02", "2018-01-01", False),
        ("2000-02-29", "2018-02-27", False),
        ("2000-02-29", "2018-02-28", True),
        ("2000-02-29", "2020-02-28", True),
        ("1987-01-01", "2018-01-01", False),
        ("1987-01-02", "2018-01-01", True),
        ("1988-02-29", "2019-02-28", False),
    ],
)
def test_ages_are_full_years_and_their_edges_are_birthdays(
    tables: Tables, birth_on: str, on: str, belongs: bool
) -> None:
    """From 18 to 30 years."""
    tonight = dt.date.fromisoformat(on)
    company = Company(tables, Persona.model_validate({**persona_of(age={"from": 18, "to": 30})}))
    company.run(Facts({"a": {"birth_on": dt.date.fromisoformat(birth_on)}}), tonight)
    assert (("p", "a") in company.personas()) is belongs


def persona_of(**fields: Any) -> dict[str, Any]:
    return {"id": "p", "says": "x", "owner": "y", "product": "z", **fields}


@pytest.mark.parametrize(("band", "belongs"), [("25-29", True), ("25-34", False), ("18-24岁", True), ("65+", False)])
def test_a_band_of_a_survey_answers_only_where_all_of_it_does(tables: Tables, band: str, belongs: bool) -> None:
    persona = Persona.model_validate(persona_of(age={"from": 18, "to": 30}))
    assert answer(tables, persona, Given.model_validate({"attributes": {"age_band": band}})) is belongs


def test_a_hole_in_a_source_behind_a_field_is_known(repository: Path) -> None:
    file = repository / "examples" / "instruments" / "definitions" / "sources" / "web_event.yml"
    source = parse("sources", "web_event", file.read_text(encoding="utf-8"))
    assert isinstance(source, Source)
    viewer = Persona.model_validate(
        persona_of(url={"kind": "page_viewed", "contains": "/price", "within": "30d"}, gender=["male"])
    )
    tonight = night(source, viewer)
    assert sources_behind(viewer.condition, tonight) == {"web_event"}


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_persona_that_says_of_nobody_is_refused(tmp_path: Path, language: str) -> None:
    said = problems(tmp_path, HEAD + "interests: [手冲]\n", language)
    sentence = {
        "en": "The persona does not say which contacts it stands for.",
        "zh_CN": "这个用户画像没有说代表哪些联系人。",
    }
    assert [what for _line, what in said] == [sentence[language]]


@pytest.mark.parametrize(
    ("field", "line", "what"),
    [
        ("age: {from: 40, to: 20}", 4, "from 40 is above to 20: nobody can match."),
        ("age: {}", 4, "A range needs an end."),
        ("age: [25-34]", 4, "age must have keys of its own, not […]."),
        ("gender: [女]", 4, "gender.0: 女 is not a word known here."),
        ("url: {kind: page_viewed, contains: /a}", 4, "url.within is missing."),
        ("region: []", 4, "region is empty."),
        ("gender: [male]\nurl: {kind: page_seen, contains: /a, within: 9d}", 5, "No source brings the event page_seen."),
        ("gender: [male]\nincome: [35-49k]", 5, "No source says 35-49k here."),
        ("gender: [male]\nmembers: {persona: {id: one}}", 5, "The group leads back to itself: one -> one."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_field_is_said_on_its_line(tmp_path: Path, field: str, line: int, what: str) -> None:
    assert problems(tmp_path, f"{HEAD}{field}\n", "en") == [(line, what)]


def problems(root: Path, text: str, language: str) -> list[tuple[int, str]]:
    """Line and words of every problem of one persona beside two sources."""
    folder = root / "definitions" / "personas"
    folder.mkdir(parents=True)
    (root / "vesper.toml").write_text(SETTINGS.format(language=language), encoding="utf-8")
    (folder / "one.yml").write_text(text, encoding="utf-8")
    (root / "definitions" / "sources").mkdir()
    for name, source in SOURCES.items():
        (root / "definitions" / "sources" / f"{name}.yml").write_text(source, encoding="utf-8")
    return [(found.line, found.what) for found in check(root) if found.file.endswith("personas/one.yml")]


SOURCE = """\
says: 来源
owner: data
system: csv
path: "{name}/{{on}}.csv"
feeds: {name}
cadence: {{every: once}}
late: warn
rows: {{min: 1, max: 100}}
key: [{key}]
fields:
  {key}: {{column: a, type: text, required: true}}
{more}
"""
SOURCES = {
    "event": SOURCE.format(
        name="event",
        key="event_id",
        more="  kind: {column: b, type: category, allowed: [page_viewed], required: true}\n"
        "  email: {column: c, type: text}\n  at: {column: d, type: instant, required: true}",
    ),
    "demographic": SOURCE.format(
        name="demographic",
        key="card",
        more='  income_band: {column: b, type: category, allowed: ["35-49K", "250K+"]}',
    ),
}
