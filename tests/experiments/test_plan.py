"""What an experiment and a holdout make of a plan: words by arm, who waits for the winner, who is held out and stays on record (R92)."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.experiments.company import (
    DAY,
    NIGHT,
    content,
    copy,
    definitions,
    experiment,
    lake,
    night,
    plan,
    recordable,
    run,
)
from tests.send import company
from vesper.address import AddressKey
from vesper.clock import instant
from vesper.erasure import Person
from vesper.experiment.assign import arm_of
from vesper.tables.identity import CONTACT_ALIAS
from warehouse.ledger.engine import reading
from warehouse.ledger.erasure import begin, commit
from warehouse.ledger.experiment import decide, winners
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT
from warehouse.ledger.planned import record
from warehouse.ledger.schema import MESSAGE, REFUSAL

PEOPLE = company.people(80)


@pytest.mark.requirement("R92")
def test_each_person_gets_the_words_of_the_arm_that_the_hash_says_and_the_ledger_keeps_it(
    any_ledger: sa.Engine, tmp_path: Path
) -> None:
    known = definitions(experiment())
    engine = lake(PEOPLE)
    rows = run(engine, any_ledger, night(known, tmp_path))
    words = {"plain": "default", "question": "asks"}
    assert {row.decision for row in rows} == {"intent"}
    assert all(row.variant == words[arm_of(experiment(), row.contact_id) or ""] for row in rows)
    with reading(any_ledger) as connection:
        assigned = sa.select(EXPERIMENT_ASSIGNMENT.c.contact_id, EXPERIMENT_ASSIGNMENT.c.arm_id)
        kept = {row[0]: row[1] for row in connection.execute(assigned)}
        variants = {row[0]: row[1] for row in connection.execute(sa.select(MESSAGE.c.contact_id, MESSAGE.c.variant))}
    assert kept == {person.contact_id: arm_of(experiment(), person.contact_id) for person in PEOPLE}
    assert variants == {contact_id: words[arm_id] for contact_id, arm_id in kept.items()}


@pytest.mark.requirement("R92")
def test_a_night_that_runs_again_deals_nobody_anew(any_ledger: sa.Engine, tmp_path: Path) -> None:
    tonight, engine = night(definitions(experiment()), tmp_path), lake(PEOPLE[:20])
    first, again = run(engine, any_ledger, tonight), run(engine, any_ledger, tonight)
    assert [tuple(row) for row in first] == [tuple(row) for row in again]
    with reading(any_ledger) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(EXPERIMENT_ASSIGNMENT)) == 20


@pytest.mark.requirement("R92")
def test_a_plan_that_is_not_kept_assigns_nobody(any_ledger: sa.Engine, tmp_path: Path) -> None:
    tonight, engine = night(definitions(experiment()), tmp_path), lake(PEOPLE[:5])
    copy(engine, any_ledger)
    rows = recordable(engine, tonight)
    with pytest.raises(RuntimeError), any_ledger.begin() as connection:
        assert record(connection, rows).messages == 5
        raise RuntimeError("the night stops here")
    with reading(any_ledger) as connection:
        for table in (MESSAGE, EXPERIMENT_ASSIGNMENT):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


@pytest.mark.requirement("R92")
def test_an_arm_with_another_content_sends_that_content(ledger: sa.Engine, tmp_path: Path) -> None:
    arms = [{"id": "coupon", "share": 0.5, "content": "coupon"}, {"id": "story", "share": 0.5, "content": "story"}]
    one = experiment(arms=arms)
    known = definitions(one, contents=[content("story", variants=[])])
    rows = run(lake(PEOPLE), ledger, night(known, tmp_path))
    assert {(arm_of(one, row.contact_id), row.content_id, row.variant) for row in rows} == {
        ("coupon", "coupon", "default"),
        ("story", "story", "default"),
    }


@pytest.mark.requirement("R92")
def test_without_an_experiment_a_plan_has_no_arms(ledger: sa.Engine, tmp_path: Path) -> None:
    rows = run(lake(PEOPLE[:3]), ledger, night(definitions(), tmp_path))
    assert {row.decision for row in rows} == {"intent"}
    assert not hasattr(rows[0], "arm_id")
    assert {row.variant for row in rows} == {"default"}


@pytest.mark.requirement("R92")
def test_before_its_first_night_an_experiment_changes_nothing(ledger: sa.Engine, tmp_path: Path) -> None:
    rows = run(lake(PEOPLE[:3]), ledger, night(definitions(experiment(starts_on=NIGHT + DAY)), tmp_path))
    assert {row.variant for row in rows} == {"default"}


@pytest.mark.requirement("R92")
def test_who_is_not_asked_waits_for_the_winner_and_then_gets_it(any_ledger: sa.Engine, tmp_path: Path) -> None:
    known = definitions(experiment(of_audience=0.2, winner="send_the_rest"))
    engine = lake(PEOPLE)
    first = run(engine, any_ledger, night(known, tmp_path))
    asked = {row.contact_id for row in first if row.decision == "intent"}
    assert 6 <= len(asked) <= 30
    assert {row.decision for row in first} == {"intent", "experiment"}
    at = instant(NIGHT, dt.time(22), company.ZONE)
    assert decide(any_ledger, "subject_question", "question", NIGHT, "anna", "more clicks", at)
    assert not decide(any_ledger, "subject_question", "question", NIGHT, "anna", "again", at)
    assert winners(any_ledger) == {"subject_question": "question"}
    later = run(engine, any_ledger, night(known, tmp_path, NIGHT + DAY))
    rest = [row for row in later if row.contact_id not in asked]
    assert {(row.decision, row.variant, row.arm_id) for row in rest} == {("intent", "asks", None)}
    assert {row.decision for row in later if row.contact_id in asked} == {"already_planned"}
    with reading(any_ledger) as connection:
        assert set(connection.scalars(sa.select(EXPERIMENT_ASSIGNMENT.c.contact_id))) == asked


@pytest.mark.requirement("R92")
def test_after_its_last_night_without_a_winner_the_rest_gets_what_is_usual(ledger: sa.Engine, tmp_path: Path) -> None:
    known = definitions(experiment(of_audience=0.2, ends_on=NIGHT))
    engine = lake(PEOPLE)
    run(engine, ledger, night(known, tmp_path))
    later = run(engine, ledger, night(known, tmp_path, NIGHT + DAY))
    assert {(row.decision, row.variant) for row in later} == {
        ("already_planned", "default"),
        ("already_planned", "asks"),
        ("intent", "default"),
    }


@pytest.mark.requirement("R92", "R13")
def test_contacts_that_merge_keep_the_earliest_assignment(any_ledger: sa.Engine, tmp_path: Path) -> None:
    one = experiment()
    plain = [person for person in PEOPLE if arm_of(one, person.contact_id) == "plain"]
    question = [person for person in PEOPLE if arm_of(one, person.contact_id) == "question"]
    early, late = plain[0], question[0]
    known = definitions(one, campaign=company.campaign(max_people=100_000))
    run(lake([early]), any_ledger, night(known, tmp_path))
    engine = lake([late])
    run(engine, any_ledger, night(known, tmp_path, NIGHT + DAY))
    with engine.begin() as connection:
        merged = {"old_id": early.contact_id, "contact_id": late.contact_id, "on": NIGHT + 2 * DAY, "founder": "crm:1"}
        connection.execute(sa.insert(CONTACT_ALIAS), merged)
    with any_ledger.begin() as connection:
        connection.execute(sa.delete(MESSAGE))
    copy(engine, any_ledger)
    (row,) = plan(engine, night(known, tmp_path, NIGHT + 2 * DAY))
    assert (row.decision, row.contact_id, row.arm_id, row.variant) == ("intent", late.contact_id, "plain", "default")


@pytest.mark.requirement("R92", "R90")
def test_an_erased_person_leaves_the_arm_its_count_and_no_id(any_ledger: sa.Engine, tmp_path: Path) -> None:
    run(lake(PEOPLE[:5]), any_ledger, night(definitions(experiment()), tmp_path))
    gone = PEOPLE[0].contact_id
    person = Person(contact_ids=(gone,), records=(("crm", "1"),), own=(), tokens={gone: "e0"})
    with any_ledger.begin() as connection:
        begin(connection, "e1", "hash", "anna", "asked")
        commit(connection, "e1", person, AddressKey(company.KEY.encode()), [])
    with reading(any_ledger) as connection:
        ids = set(connection.scalars(sa.select(EXPERIMENT_ASSIGNMENT.c.contact_id)))
    assert ids == {"e0", *[person.contact_id for person in PEOPLE[1:5]]}


@pytest.mark.requirement("R92")
@pytest.mark.parametrize("which", ["policy", "campaign"])
def test_who_is_held_out_gets_nothing_and_stays_on_record(ledger: sa.Engine, tmp_path: Path, which: str) -> None:
    own = company.campaign(max_people=100_000, holdout=0.1 if which == "campaign" else 0.0)
    known = definitions(campaign=own, held_out=0.1 if which == "policy" else 0.0)
    engine = lake(PEOPLE)
    rows = run(engine, ledger, night(known, tmp_path))
    counts = Counter(row.decision for row in rows)
    assert set(counts) == {"intent", "holdout"}
    assert 1 <= counts["holdout"] <= 20
    with reading(ledger) as connection:
        details = set(connection.scalars(sa.select(REFUSAL.c.detail).where(REFUSAL.c.reason == "holdout")))
    assert details == {"policy 2018-Q1" if which == "policy" else "winback"}
    again = run(engine, ledger, night(known, tmp_path, NIGHT + DAY))
    assert {row.contact_id for row in again if row.decision == "holdout"} == {
        row.contact_id for row in rows if row.decision == "holdout"
    }


@pytest.mark.requirement("R92")
def test_a_quarter_later_other_people_are_held_out(ledger: sa.Engine, tmp_path: Path) -> None:
    own = company.campaign(max_people=100_000, ends_on=NIGHT + 200 * DAY)
    known = definitions(campaign=own, held_out=0.2)
    engine = lake(PEOPLE)
    copy(engine, ledger)
    held = [
        {
            row.contact_id
            for row in plan(engine, night(known, tmp_path, NIGHT + days * DAY))
            if row.decision == "holdout"
        }
        for days in (0, 80, 100)
    ]
    assert held[0] == held[1] != held[2]


@pytest.mark.requirement("R92", "R107")
def test_who_is_held_out_does_not_count_among_the_people_that_were_approved(ledger: sa.Engine, tmp_path: Path) -> None:
    own = company.campaign(max_people=60, holdout=0.5)
    engine = lake(PEOPLE)
    copy(engine, ledger)
    rows = plan(engine, night(definitions(campaign=own), tmp_path))
    assert Counter(row.decision for row in rows).keys() == {"intent", "holdout"}


@pytest.mark.requirement("R92")
def test_what_somebody_asked_for_is_never_withheld(ledger: sa.Engine, tmp_path: Path) -> None:
    own = company.campaign(max_people=100_000, purpose="requested")
    engine = lake(PEOPLE)
    copy(engine, ledger)
    rows = plan(engine, night(definitions(campaign=own, held_out=0.5), tmp_path))
    assert {row.decision for row in rows} == {"intent"}
