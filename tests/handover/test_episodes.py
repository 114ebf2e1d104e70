"""Who is handed over, once for each stretch of being ready, whatever nights run or do not run."""

import datetime as dt
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.handover.world import HANDED_AT, MONDAY, Company, Intent, Person, Said, policy

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + dt.timedelta(days=n) for n in (1, 2, 3))
NOON = dt.datetime(2026, 3, 2, 4)


@pytest.mark.requirement("R53", "R63")
def test_an_mql_is_handed_over_and_79_is_not(company: Company) -> None:
    (row,) = company.night({"a": 80, "b": 79})
    assert (row.contact_id, row.cause, row.score, row.state, row.mql_preset) == ("a", "mql", 80, "open", "score")
    assert row.created_at == HANDED_AT
    assert [(one.rule_id, one.points) for one in reasons(company)] == [("base", 60), ("form_clicks", 20)]


@pytest.mark.requirement("R62", "R63")
def test_a_night_that_runs_twice_hands_nobody_over_twice(company: Company) -> None:
    first = company.night({"a": 85, "b": 95})
    notices = company.notices()
    assert company.night({"a": 85, "b": 95}) == first
    assert company.notices() == notices
    assert len(company.tasks()) == 1 and len(company.mails()) == 2


def test_a_contact_that_stays_ready_is_not_handed_over_again(company: Company) -> None:
    company.night({"a": 85})
    assert len(company.night({"a": 88}, TUESDAY)) == 1


def test_a_contact_that_ceased_to_be_ready_begins_a_new_episode(company: Company) -> None:
    (first,) = company.night({"a": 85})
    rejected = [Said("a", "rejected", HANDED_AT + dt.timedelta(hours=1), first.handover_id, "no_budget")]
    company.night({"a": 70}, TUESDAY, said=rejected)
    rows = company.night({"a": 82}, WEDNESDAY, said=rejected)
    assert [(row.episode, row.state, row.lapsed_on) for row in rows] == [(1, "rejected", TUESDAY), (2, "open", None)]


def test_what_sales_rejected_comes_again_only_after_a_break(company: Company) -> None:
    (first,) = company.night({"a": 85})
    rejected = [Said("a", "rejected", HANDED_AT + dt.timedelta(hours=1), first.handover_id, "no_budget")]
    company.night({"a": 85}, TUESDAY, said=rejected)
    (row,) = company.night({"a": 86}, WEDNESDAY, said=rejected)
    assert (row.state, row.reason_code) == ("rejected", "no_budget")


def test_while_sales_work_on_it_a_second_rise_joins_the_first(company: Company) -> None:
    company.night({"a": 85})
    company.night({"a": 70}, TUESDAY)
    (row,) = company.night({"a": 85}, WEDNESDAY)
    assert row.lapsed_on is None


def test_a_night_that_did_not_run_is_made_up_for(company: Company) -> None:
    """What decides is the ledger, not the night before."""
    assert len(company.night({"a": 85}, WEDNESDAY)) == 1


@pytest.mark.requirement("R13")
def test_merged_contacts_are_one(company: Company) -> None:
    company.night({"a": 85})
    assert len(company.night({"b": 85}, TUESDAY, merged={"a": "b"})) == 1


@pytest.mark.requirement("R64")
def test_90_opens_a_human_task_and_89_does_not(company: Company) -> None:
    company.night({"a": 90, "b": 89})
    assert [(task.contact_id, task.cause, task.is_open) for task in company.tasks()] == [("a", "high_score", True)]
    assert {row.contact_id: row.cause for row in company.handovers()} == {"a": "high_score", "b": "mql"}


def test_a_policy_without_takeover_opens_none(tmp_path: Path) -> None:
    company = Company(tmp_path / "calm", policy(takeover_at=None))
    company.night({"a": 99})
    assert company.tasks() == [] and len(company.handovers()) == 1
    company.house.close()


@pytest.mark.requirement("R65")
def test_intent_in_a_chat_hands_over_whatever_the_score(company: Company) -> None:
    (row,) = company.night({"a": 30, "b": 30}, intents=[Intent("a", NOON), Intent("b", NOON, is_machine=True)])
    assert (row.contact_id, row.cause) == ("a", "chat_intent")
    (task,) = company.tasks()
    assert (task.cause, task.event_id, task.handover_id) == ("chat_intent", "e0", row.handover_id)


def test_an_intent_is_told_once_and_a_new_one_after_the_task_is_closed_again(company: Company) -> None:
    from warehouse.ledger.handover_acts import close_task

    company.night({"a": 30}, intents=[Intent("a", NOON)])
    (task,) = company.tasks()
    close_task(company.house.engine, task.task_id, "安", "谈过了", HANDED_AT + dt.timedelta(hours=1))
    company.night({"a": 30}, TUESDAY, intents=[Intent("a", NOON)])
    assert len(company.tasks()) == 1
    company.night({"a": 30}, WEDNESDAY, intents=[Intent("a", NOON), Intent("a", NOON + dt.timedelta(days=2))])
    assert [task.is_open for task in company.tasks()] == [False, True]


def test_an_old_intent_and_one_after_the_cut_off_wait(company: Company) -> None:
    late = [Intent("a", NOON - dt.timedelta(days=8)), Intent("b", HANDED_AT)]
    assert company.night({"a": 30, "b": 30}, intents=late) == []


def test_a_closed_task_stays_closed_while_the_score_stays_high(company: Company) -> None:
    from warehouse.ledger.handover_acts import close_task

    company.night({"a": 95})
    close_task(company.house.engine, company.tasks()[0].task_id, "安", "谈过了", HANDED_AT + dt.timedelta(hours=1))
    company.night({"a": 96}, TUESDAY)
    assert len(company.tasks()) == 1
    company.night({"a": 85}, WEDNESDAY)
    company.night({"a": 91}, THURSDAY)
    assert [task.is_open for task in company.tasks()] == [False, True]


@pytest.mark.requirement("R54")
def test_a_high_score_that_is_no_mql_goes_to_sales_too(company: Company) -> None:
    (row,) = company.night({"a": Person(92, is_mql=False)})
    assert row.cause == "high_score"


SCORES = st.lists(st.lists(st.sampled_from([70, 85, 95]), min_size=3, max_size=3), min_size=2, max_size=5)


@pytest.mark.requirement("R62", "R63")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights=SCORES, repeated=st.sets(st.integers(0, 4)))
def test_on_any_history_an_active_hand_over_is_the_only_one(
    tmp_path_factory: pytest.TempPathFactory, nights: list[list[int]], repeated: set[int]
) -> None:
    """Each contact that is ready has a hand-over; never two that are open; a repeated night changes nothing."""
    company = Company(tmp_path_factory.mktemp("history") / "company")
    for number, scores in enumerate(nights):
        people = dict(zip("abc", scores, strict=True))
        rows = company.night(people, MONDAY + dt.timedelta(days=number), tells=False)
        if number in repeated:
            assert company.night(people, MONDAY + dt.timedelta(days=number), tells=False) == rows
        open_now = [row.contact_id for row in rows if row.state == "open"]
        assert len(open_now) == len(set(open_now))
        assert {id for id, score in people.items() if score >= 80} <= {row.contact_id for row in rows}
        opened = [task.contact_id for task in company.tasks() if task.is_open]
        assert len(opened) == len(set(opened))
    company.house.close()


def reasons(company: Company) -> list[object]:
    import sqlalchemy as sa

    from warehouse.ledger.handover_schema import HANDOVER_REASON

    return company.rows(sa.select(HANDOVER_REASON).order_by(HANDOVER_REASON.c.rule_id))
