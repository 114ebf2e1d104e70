"""Experiments on journeys: the words of a step by arm, and which journey people enter (R92)."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conditions.world import Tables
from tests.journeys.company import CONTENT, DAY_1, KEY, Company, TableDesk, journey
from vesper.experiment.assign import arm_of, dealt, triggers
from vesper.model.experiment import Experiment
from vesper.send import planned_at
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.experiment import assign, decide
from warehouse.ledger.experiment_copy import COPIES
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT
from warehouse.secret import VARIABLE

PEOPLE = [f"c{n}" for n in range(40)]
DAY = dt.timedelta(days=1)
STORY = CONTENT.replace("你好", "故事")
ENTRY = "{when: {segment: {id: quiet}}}"
TAIL = """\
metric: {kind: order, within: 7d}
baseline: 0.2
smallest_effect: 0.2
starts_on: 2018-01-01
ends_on: 2018-01-31
"""
HEAD = "says: 实验\nowner: marketing\nquestion: Which one?\n"
TRIGGERS = f"""{HEAD}segment: quiet
arms:
  - {{id: soon, share: 0.5, journey: soon}}
  - {{id: later, share: 0.5, journey: later}}
{TAIL}"""
WORDS = f"""{HEAD}about: soon
step: hello
arms:
  - {{id: plain, share: 0.5, content: hello}}
  - {{id: story, share: 0.5, content: story}}
{TAIL}"""


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()


@pytest.fixture
def company(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    monkeypatch.setenv(VARIABLE, KEY)
    engine = open_ledger(f"sqlite:///{tmp_path / '.vesper' / 'ledger.db'}")
    made = Company(tables, engine, tmp_path)
    made.define(
        content__hello=CONTENT,
        content__story=STORY,
        segments__quiet="says: x\nowner: o\nmembers: {always: {}}\n",
        journeys__soon=journey("id: hello, send: {content: hello}", entry=ENTRY),
        journeys__later=journey("id: pause, wait: 2d", "id: hello, send: {content: hello}", entry=ENTRY),
    )
    yield made
    engine.dispose()


def played(company: Company, on: dt.date) -> None:
    """A night as the send stage takes it: entries dealt first, then everybody's turn."""
    company.know(PEOPLE, segments=dict.fromkeys(PEOPLE, frozenset({"quiet"})))
    desk, night = TableDesk(company.tables), company.night_of(on)
    _copied(company, desk)
    company._put(night)
    for one in triggers(night.definitions, night):
        rows = desk.arrow(dealt(one, night, planned_at(night)))
        with company.engine.begin() as connection:
            assign(connection, rows)
    _copied(company, desk)
    company.night(on)


def _copied(company: Company, desk: TableDesk) -> None:
    for name, copied in COPIES.items():
        desk.bind_arrow(name, copied(company.engine))


def entered(company: Company, journey_id: str) -> set[str]:
    return {row["contact_id"] for row in company.entries() if row["journey_id"] == journey_id}


def of_arm(company: Company, id: str, arm_id: str) -> set[str]:
    one = company.definitions.one(Experiment, id)
    return {contact_id for contact_id in PEOPLE if arm_of(one, contact_id) == arm_id}


@pytest.mark.requirement("R92")
def test_people_enter_the_journey_of_their_arm_and_no_other(company: Company) -> None:
    company.define(experiments__trigger=TRIGGERS)
    played(company, DAY_1)
    assert entered(company, "soon") == of_arm(company, "trigger", "soon")
    assert entered(company, "later") == of_arm(company, "trigger", "later")
    with reading(company.engine) as connection:
        kept = connection.execute(sa.select(EXPERIMENT_ASSIGNMENT.c.contact_id, EXPERIMENT_ASSIGNMENT.c.arm_id)).all()
    assert {(row[0], row[1]) for row in kept} == {
        (contact_id, arm) for arm in ("soon", "later") for contact_id in of_arm(company, "trigger", arm)
    }


@pytest.mark.requirement("R92")
def test_once_it_is_decided_newcomers_enter_the_winner_and_the_others_stay(company: Company) -> None:
    company.define(experiments__trigger=TRIGGERS)
    played(company, DAY_1)
    before = entered(company, "soon")
    decide(company.engine, "trigger", "later", DAY_1, "anna", "more orders", planned_at(company.night_of(DAY_1)))
    newcomers = {f"n{n}" for n in range(6)}
    company.know([*PEOPLE, *newcomers], segments=dict.fromkeys([*PEOPLE, *newcomers], frozenset({"quiet"})))
    desk = TableDesk(company.tables)
    _copied(company, desk)
    company.night(DAY_1 + DAY)
    assert entered(company, "soon") == before
    assert newcomers <= entered(company, "later")


@pytest.mark.requirement("R92")
def test_who_is_not_of_the_segment_enters_neither_while_it_is_open(company: Company) -> None:
    company.define(
        experiments__trigger=TRIGGERS,
        journeys__soon=journey("id: hello, send: {content: hello}", entry="{when: {always: {}}}"),
        journeys__later=journey("id: pause, wait: 2d", entry="{when: {always: {}}}"),
    )
    company.know(PEOPLE)
    desk = TableDesk(company.tables)
    _copied(company, desk)
    company.night(DAY_1)
    assert company.entries() == []


@pytest.mark.requirement("R92")
def test_a_step_says_the_words_of_the_arm(company: Company) -> None:
    company.define(experiments__words=WORDS)
    played(company, DAY_1)
    sent = {row["contact_id"]: row["content_id"] for row in company.messages() if row["campaign_id"] == "soon"}
    assert {id for id, content in sent.items() if content == "hello"} == of_arm(company, "words", "plain")
    assert {id for id, content in sent.items() if content == "story"} == of_arm(company, "words", "story")
    assert {row["content_id"] for row in company.messages() if row["campaign_id"] == "later"} <= {"hello"}
    with reading(company.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(EXPERIMENT_ASSIGNMENT)) == len(PEOPLE)
