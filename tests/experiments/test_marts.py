"""What analysts read of an experiment and of a holdout: every assigned person stays in the denominators (R92)."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.experiments.company import (
    DAY,
    NIGHT,
    content,
    definitions,
    experiment,
    lake,
    messages,
    night,
    planned_at,
    run,
)
from tests.send import company
from vesper.experiment.assign import arm_of
from vesper.marts.experiment_arm import experiment_arm
from vesper.marts.holdout_lift import holdout_lift
from vesper.model.experiment import Experiment
from vesper.tables.campaign import EVENT
from vesper.tables.identity import CONTACT_ALIAS
from vesper.tables.journey import RAW_COUPON
from vesper.tables.order import ORDER_DAY

PEOPLE = company.people(60)


def click(message_id: str, contact_id: str, at: dt.datetime, is_machine: bool = False) -> dict[str, Any]:
    return {
        "event_id": f"{message_id}{at}{is_machine}",
        "on": at.date(),
        "contact_id": contact_id,
        "kind": "mail_clicked",
        "at": at,
        "received_at": at,
        "source": "vesper_inbox_event",
        "message_id": message_id,
        "is_machine": is_machine,
    }


def order(contact_id: str, at: dt.datetime) -> dict[str, Any]:
    row = {"ordered_on": at.date(), "contact_id": contact_id, "order_count": 1, "line_count": 1, "amount": 10}
    return row | {"first_at": at, "last_at": at}


def put(engine: sa.Engine, table: sa.Table, *rows: dict[str, Any]) -> None:
    with engine.begin() as connection:
        for row in rows:
            connection.execute(sa.insert(table), row)


def rows_of(engine: sa.Engine, select: sa.Select[Any] | sa.CompoundSelect[Any]) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select))


def by_arm(engine: sa.Engine, one: Experiment, tmp_path: Path, on: dt.date) -> dict[str, Any]:
    rows = rows_of(engine, experiment_arm(night(definitions(one), tmp_path, on)))
    return {row.arm_id: row for row in rows}


@pytest.mark.requirement("R92")
def test_an_arm_counts_the_assigned_the_sent_human_clicks_and_the_settled(ledger: sa.Engine, tmp_path: Path) -> None:
    one = experiment()
    tonight = night(definitions(one), tmp_path)
    engine = lake(PEOPLE)
    rows = {row.contact_id: row for row in run(engine, ledger, tonight)}
    messages(engine, ledger)
    plain = [id for id in rows if arm_of(one, id) == "plain"]
    asked = [id for id in rows if arm_of(one, id) == "question"]
    sent_at = planned_at(tonight)
    soon, late = sent_at + DAY, sent_at + 5 * DAY
    put(
        engine,
        EVENT,
        click(rows[asked[0]].message_id, asked[0], soon),
        click(rows[asked[0]].message_id, asked[0], soon + DAY),
        click(rows[asked[1]].message_id, asked[1], late),
        click(rows[plain[0]].message_id, plain[0], soon, is_machine=True),
    )
    first, last = (by_arm(engine, one, tmp_path, NIGHT + days * DAY) for days in (1, 6))
    assert [(row.assigned_count, row.sent_count, row.closed_count) for row in (first["plain"], last["plain"])] == [
        (len(plain), len(plain), 0),
        (len(plain), len(plain), len(plain)),
    ]
    assert first["plain"].rate is None
    assert (last["question"].clicked_count, last["question"].converted_count) == (2, 1)
    assert (last["plain"].clicked_count, last["plain"].converted_count) == (0, 0)
    row = last["question"]
    assert row.rate == pytest.approx(1 / len(asked))
    assert 0 < row.rate_low < row.rate < row.rate_high < 1


@pytest.mark.requirement("R92")
def test_who_got_nothing_stays_in_the_denominator(ledger: sa.Engine, tmp_path: Path) -> None:
    one = experiment(metric={"kind": "order", "within": "3d"})
    engine = lake(PEOPLE)
    run(engine, ledger, night(definitions(one), tmp_path))
    messages(engine, ledger, sent=False)
    buyer = next(person.contact_id for person in PEOPLE if arm_of(one, person.contact_id) == "question")
    at = planned_at(night(definitions(one), tmp_path))
    put(engine, ORDER_DAY, order(buyer, at - dt.timedelta(hours=1)), order(buyer, at + DAY))
    rows = by_arm(engine, one, tmp_path, NIGHT + 4 * DAY)
    assert (rows["question"].sent_count, rows["question"].converted_count) == (0, 1)
    assert rows["question"].closed_count + rows["plain"].closed_count == len(PEOPLE)


@pytest.mark.requirement("R92")
@pytest.mark.parametrize("kind", ["event", "coupon"])
def test_what_is_counted_may_be_an_event_or_a_redeemed_coupon(ledger: sa.Engine, tmp_path: Path, kind: str) -> None:
    named = {"event": "demo_booked"} if kind == "event" else {"pool": "january"}
    one = experiment(metric={"kind": kind, "within": "3d", **named})
    engine, tonight = lake(PEOPLE), night(definitions(one), tmp_path)
    run(engine, ledger, tonight)
    messages(engine, ledger)
    early, late, other = (person.contact_id for person in PEOPLE[:3])
    at = planned_at(tonight)
    for contact_id, days, word in ((early, 1, "january"), (late, 5, "january"), (other, 1, "february")):
        happened = at + days * DAY
        booked = click("m", contact_id, happened) | {"event_id": contact_id, "message_id": None}
        code = {"pool_id": word, "code": contact_id, "contact_id": contact_id, "reference": "x", "given_at": at}
        put(engine, EVENT, booked | {"kind": "demo_booked" if word == "january" else "demo_asked"})
        put(engine, RAW_COUPON, code | {"redeemed_at": happened})
    rows = by_arm(engine, one, tmp_path, NIGHT + 6 * DAY)
    assert {arm_id: row.converted_count for arm_id, row in rows.items()} == {
        arm_id: int(arm_of(one, early) == arm_id) for arm_id in ("plain", "question")
    }


@pytest.mark.requirement("R92", "R13")
def test_people_who_merged_count_once_in_their_earliest_arm(ledger: sa.Engine, tmp_path: Path) -> None:
    one = experiment()
    engine = lake(PEOPLE)
    run(engine, ledger, night(definitions(one), tmp_path))
    messages(engine, ledger)
    old, new = PEOPLE[0].contact_id, PEOPLE[1].contact_id
    merged = {"old_id": new, "contact_id": old, "on": NIGHT + DAY, "founder": "crm:1"}
    put(engine, CONTACT_ALIAS, merged)
    rows = by_arm(engine, one, tmp_path, NIGHT + DAY)
    assert sum(row.assigned_count for row in rows.values()) == len(PEOPLE) - 1


@pytest.mark.requirement("R92")
def test_a_fixed_test_keeps_the_figure_of_its_horizon(ledger: sa.Engine, tmp_path: Path) -> None:
    one = experiment(method="fixed", horizon="4d")
    engine = lake(PEOPLE[:30])
    known = definitions(one)
    run(engine, ledger, night(known, tmp_path))
    company.fill(engine, PEOPLE[30:])
    run(engine, ledger, night(known, tmp_path, NIGHT + 3 * DAY))
    messages(engine, ledger)
    closed = [
        sum(row.closed_count for row in by_arm(engine, one, tmp_path, NIGHT + days * DAY).values())
        for days in (2, 4, 9)
    ]
    assert closed == [0, 30, 30]


@pytest.mark.requirement("R92")
def test_without_an_experiment_there_is_no_row(tmp_path: Path) -> None:
    engine = lake([])
    assert rows_of(engine, experiment_arm(night(definitions(), tmp_path))) == []
    assert rows_of(engine, holdout_lift(night(definitions(), tmp_path))) == []


@pytest.mark.requirement("R92")
@pytest.mark.parametrize("which", ["policy 2018-Q1", "winback"])
def test_lift_is_the_difference_of_buyers_among_all_who_could_be_and_were_not_written_to(
    ledger: sa.Engine, tmp_path: Path, which: str
) -> None:
    own = which == "winback"
    campaign = company.campaign(max_people=100_000, holdout=0.3 if own else 0.0)
    known = definitions(campaign=campaign, held_out=0.0 if own else 0.3, contents=[content("story")])
    tonight = night(known, tmp_path)
    engine = lake(PEOPLE)
    rows = run(engine, ledger, tonight)
    messages(engine, ledger, sent=False)
    treated = [row.contact_id for row in rows if row.decision == "intent"]
    held = [row.contact_id for row in rows if row.decision == "holdout"]
    at = planned_at(tonight)
    put(engine, ORDER_DAY, *[order(id, at + 2 * DAY) for id in (*treated[:10], held[0])])
    put(engine, ORDER_DAY, order(held[1], at + 40 * DAY), order(held[2], at - DAY))
    (row,) = rows_of(engine, holdout_lift(night(known, tmp_path, NIGHT + 3 * DAY)))
    assert (row.holdout_id, row.treated_count, row.held_count) == (which, len(treated), len(held))
    assert (row.treated_buyer_count, row.held_buyer_count) == (10, 1)
    assert row.lift == pytest.approx(10 / len(treated) - 1 / len(held))
    assert row.lift_low < row.lift < row.lift_high
