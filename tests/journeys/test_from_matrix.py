"""A step whose content is a matrix: each person gets the matrix's content, or is refused by the gap's name and goes on (R78, R80, R81)."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conditions.world import Tables
from tests.journeys.company import CONTENT, DAY_1, Company, happened, journey, model, on_day, states
from tests.journeys.examples_of import mistakes, play
from tests.journeys.test_engine import emptied
from vesper.load import parse
from vesper.model.journey import Journey
from vesper.model.journey_example import JourneyExample
from vesper.model.matrix import Matrix
from vesper.problem import DefinitionsInvalid
from warehouse.ledger.engine import open_ledger

MATRIX = """
says: 矩阵
owner: marketing
channels: [email, webhook]
rows:
  - {id: fans, stages: [prospect], bears: [fan], content: hello}
  - {id: busy, stages: [prospect], bears: [busy], lacks: [fan], content: reminder, channels: [webhook, email]}
  - {id: quiet, stages: [prospect], lacks: [fan, busy], gap: 还没有}
  - {id: loyal, stages: [loyal], content: reminder, channels: [email]}
"""
STEPS = (
    "id: first, send: {content: {matrix: main}}",
    "id: got_none, branch: [{when: {refused: first}, go: call}], otherwise: end",
    "id: call, task: {kind: call, due: 1d}",
)


def know(company: Company, people: dict[str, tuple[str, frozenset[str]]]) -> None:
    """These people, each in a stage and with tags; all of them have looked at a page."""
    tags = {tag: frozenset(id for id, (_stage, borne) in people.items() if tag in borne) for tag in ("fan", "busy")}
    company.know(people, [happened("page_viewed", 1, contact_id=id) for id in people], tags=tags)
    company.stages = {id: stage for id, (stage, _borne) in people.items()}


@pytest.mark.requirement("R78", "R81")
def test_each_gets_the_matrixs_content_and_a_gap_is_the_steps_outcome(company: Company) -> None:
    company.define(matrix__main=MATRIX, journeys__j1=journey(*STEPS))
    fan, none = frozenset({"fan"}), frozenset[str]()
    know(company, {"c1": ("prospect", fan), "c2": ("prospect", none)})
    done = company.night(DAY_1)
    assert done.decisions == {"j1": {"first": {"intent": 1, "gap": 1}, "call": {"task_opened": 1}}}
    assert [(row["contact_id"], row["content_id"], row["variant"], row["channel"]) for row in company.messages()] == [
        ("c1", "hello", "default", "email")
    ]
    assert [(row["contact_id"], row["reason"], row["detail"]) for row in company.refusals()] == [("c2", "gap", "quiet")]
    assert [row["contact_id"] for row in company.tasks()] == ["c2"]
    assert states(company) == [("c1", 1, "done", None), ("c2", 1, "done", None)]


@pytest.mark.requirement("R78", "R102")
def test_who_is_on_a_version_whose_matrix_is_gone_is_refused_by_its_name(company: Company) -> None:
    company.define(matrix__main=MATRIX, journeys__j1=journey("id: day, wait: 1d", *STEPS))
    know(company, {"c1": ("prospect", frozenset({"fan"}))})
    company.night(DAY_1)
    del company.texts["matrix/main"]
    company.define(journeys__j1=journey("id: day, wait: 1d", "id: first, send: {content: hello}"))
    company.night(DAY_1 + dt.timedelta(days=2))
    assert [(row["reason"], row["detail"]) for row in company.refusals()] == [("gap", "matrix/main")]


@pytest.mark.requirement("R78", "R81")
def test_a_tick_sends_what_the_matrix_says(company: Company) -> None:
    company.define(matrix__main=MATRIX, journeys__j1=journey(*STEPS))
    know(company, {"c1": ("prospect", frozenset({"fan"})), "c2": ("prospect", frozenset({"fan"}))})
    company.tick(on_day(1, "11:00"), ["c1"])
    assert [(row["contact_id"], row["content_id"]) for row in company.messages()] == [("c1", "hello")]


def test_a_step_says_one_channel_or_a_matrix() -> None:
    with pytest.raises(DefinitionsInvalid, match="The matrix says on which channel"):
        parse("journeys", "j1", journey("id: first, send: {content: {matrix: main}, channel: email}"))
    found = parse("journeys", "j1", journey(*STEPS))
    assert isinstance(found, Journey)
    assert [step.send.own_channel for step in found.steps if step.send] == [None]
    plain = parse("journeys", "j1", journey("id: first, send: {content: hello}"))
    assert isinstance(plain, Journey)
    assert [step.send.own_channel for step in plain.steps if step.send] == ["email"]


def test_an_example_names_the_matrix(company: Company) -> None:
    text = journey(STEPS[0])
    happens, expect = [{"kind": "page_viewed", "on": "day 1"}], [{"on": "day 1", "step": "first", "gets": "main"}]
    example = JourneyExample.model_validate({"happens": happens, "expect": expect, "ends": "done"})
    assert mistakes(example, *play(company, model(text), text, example)) == []


@pytest.fixture(scope="module")
def small(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("matrix")
    engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    yield Company(tables, engine, root)
    engine.dispose()


@pytest.mark.requirement("R78", "R81")
@settings(max_examples=10, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(
        st.tuples(st.sampled_from(["prospect", "loyal", "at_risk"]), st.frozensets(st.sampled_from(["fan", "busy"]))),
        min_size=1,
        max_size=12,
    ),
    consenting=st.integers(0, 2**12 - 1),
)
def test_messages_and_refusals_are_those_of_plain_python(
    small: Company, drawn: list[tuple[str, frozenset[str]]], consenting: int
) -> None:
    people = {f"c{place:02}": one for place, one in enumerate(drawn)}
    emptied(small)
    small.define(content__hello=CONTENT, content__reminder=CONTENT, matrix__main=MATRIX)
    small.define(journeys__j1=journey(*STEPS).replace("stages: [prospect]", "stages: [prospect, loyal]"))
    know(small, people)
    small.consenting = [id for place, id in enumerate(people) if consenting >> place & 1]
    small.night(DAY_1)
    matrix = small.definitions.one(Matrix, "main")
    sent: dict[str, Any] = {}
    refused: dict[str, Any] = {}
    for id, (stage, borne) in people.items():
        row = matrix.row_for(stage, borne)
        if stage == "at_risk":
            refused[id] = ("stage", stage)
        elif row is None or row.content is None:
            refused[id] = ("gap", row.id if row else "?")
        elif id in small.consenting:
            sent[id] = (row.content, "email")
        else:  # nobody agreed to anything but mail, so that no other channel takes its place
            refused[id] = ("no_consent", None)
    assert {row["contact_id"]: (row["content_id"], row["channel"]) for row in small.messages()} == sent
    assert {row["contact_id"]: (row["reason"], row["detail"]) for row in small.refusals()} == refused
