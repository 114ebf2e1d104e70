"""The plan: everybody of an audience gets one intent or one reason."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.send.company import (
    NIGHT,
    Person,
    campaign,
    copy_ledger,
    definitions,
    fill,
    frequency,
    hashed,
    lake,
    messages,
    night,
    people,
    plan_of,
    rows_of,
    statement,
)
from vesper import send
from vesper.conditions import Condition
from vesper.marts import message as mart
from vesper.model.campaign import Campaign
from vesper.model.segment import Segment
from vesper.model.source import Source
from warehouse.lake import Lake
from warehouse.ledger import outbox
from warehouse.ledger.consent import append_consent, suppress
from warehouse.ledger.schema import REFUSAL
from warehouse.runner import Runner
from warehouse.sql_text import sql_text


@pytest.fixture
def shop() -> Any:
    engine = lake()
    yield engine
    engine.dispose()


def planned_for(shop: sa.Engine, root: Path, each: Campaign) -> list[Any]:
    return rows_of(shop, plan_of(each, night(definitions(each), root)))


def decide(shop: sa.Engine, root: Path, each: Campaign | None = None, on: dt.date = NIGHT) -> dict[str, str]:
    each = each or campaign()
    rows = rows_of(shop, plan_of(each, night(definitions(each), root, on)))
    assert len({row.contact_id for row in rows}) == len(rows)
    return {row.contact_id: row.decision for row in rows}


@pytest.mark.requirement("R83", "R88", "R90")
def test_everybody_gets_an_intent_or_the_first_reason_that_holds(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    fill(
        shop,
        [
            Person("c1", "yes@example.com"),
            Person("c2", None),
            Person("c3", "  "),
            Person("c4", "no@example.com", consents=False),
            Person("c5", "never-asked@example.com", consents=None),
            Person("c6", "suppressed@example.com"),
            Person("c7", "other-stage@example.com", stage="at_risk"),
            Person("c8", "no-stage@example.com", stage=None),
            Person("c9", " YES@example.com "),
        ],
    )
    suppress(ledger, "email", hashed("email", "suppressed@example.com"), "unsubscribed", dt.datetime(2017, 6, 1))
    copy_ledger(shop, ledger)
    assert decide(shop, tmp_path) == {
        "c1": "intent",
        "c2": "no_address",
        "c3": "no_address",
        "c4": "no_consent",
        "c5": "no_consent",
        "c6": "suppressed",
        "c7": "stage",
        "c8": "stage",
        "c9": "duplicate_address",
    }
    asked, rows = rows_of(shop, send.audience(campaign())), planned_for(shop, tmp_path, campaign())
    balance = send.balance(campaign(), len(asked), Counter(row.decision for row in rows))
    assert (balance.total, balance.holds) == (9, True)
    assert balance.parts["no_address"] == 2


@pytest.mark.requirement("R90")
def test_a_suppression_after_the_cut_off_is_left_to_the_moment_of_sending(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    fill(shop, people(1))
    suppress(ledger, "email", hashed("email", "person0@example.com"), "unsubscribed", dt.datetime(2018, 1, 1, 12, 0, 1))
    copy_ledger(shop, ledger)
    assert decide(shop, tmp_path) == {"c0000": "intent"}


@pytest.mark.requirement("R107")
def test_one_person_too_many_holds_the_whole_campaign(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, [*people(3), Person("c9", None)])
    assert set(decide(shop, tmp_path, campaign(max_people=3)).values()) == {"intent", "no_address"}
    held = decide(shop, tmp_path, campaign(max_people=2))
    assert held == {
        "c0000": "over_max_people",
        "c0001": "over_max_people",
        "c0002": "over_max_people",
        "c9": "no_address",
    }


@pytest.mark.requirement("R107")
def test_people_of_earlier_nights_count_towards_the_most(shop: sa.Engine, ledger: sa.Engine, tmp_path: Path) -> None:
    each = campaign(max_people=3)
    fill(shop, people(2))
    outbox.record(ledger, rows_of(shop, plan_of(each, night(definitions(each), tmp_path))))
    copy_ledger(shop, ledger)
    fill(shop, [Person("c8", "eight@example.com"), Person("c9", "nine@example.com")])
    tomorrow = NIGHT + dt.timedelta(days=1)
    assert decide(shop, tmp_path, each, tomorrow) == {
        "c0000": "already_planned",
        "c0001": "already_planned",
        "c8": "over_max_people",
        "c9": "over_max_people",
    }


def test_a_mailbox_of_an_earlier_night_is_not_written_to_under_another_name(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    each = campaign()
    fill(shop, [Person("c5", "family@example.com")])
    outbox.record(ledger, rows_of(shop, plan_of(each, night(definitions(each), tmp_path))))
    copy_ledger(shop, ledger)
    fill(shop, [Person("c1", "family@example.com")])
    assert decide(shop, tmp_path, each, NIGHT + dt.timedelta(days=1)) == {
        "c1": "duplicate_address",
        "c5": "already_planned",
    }


def test_a_second_run_of_the_night_plans_the_same_and_records_nothing(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    each = campaign()
    fill(shop, [*people(4), Person("c9", None)])
    tonight = night(definitions(each), tmp_path)
    first = rows_of(shop, plan_of(each, tonight))
    assert outbox.record(ledger, first) == outbox.Recorded(4, 1)
    copy_ledger(shop, ledger)
    assert rows_of(shop, plan_of(each, tonight)) == first
    before = messages(ledger)
    assert outbox.record(ledger, first) == outbox.Recorded(0, 0)
    assert messages(ledger) == before
    assert [row.reason for row in rows_of(ledger, sa.select(REFUSAL))] == ["no_address"]


def test_the_id_is_the_same_in_sql_and_python(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(3))
    each = campaign()
    for row in rows_of(shop, plan_of(each, night(definitions(each), tmp_path))):
        assert row.message_id == send.message_id(each.id, row.contact_id)
        assert row.address_hash == hashed("email", row.address)


@pytest.mark.requirement("R82", "R113")
def test_a_plan_of_nine_in_the_evening_waits_for_the_morning_window(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(1))
    each = campaign()
    (row,) = rows_of(shop, plan_of(each, night(definitions(each), tmp_path)))
    assert row.planned_at == dt.datetime(2018, 1, 1, 13)  # 21:00 in Shanghai
    assert row.not_before == dt.datetime(2018, 1, 2, 2)  # 10:00 in Shanghai
    assert row.expires_at == dt.datetime(2018, 2, 1, 16)


def test_only_full_campaigns_inside_their_dates_run(tmp_path: Path) -> None:
    known = definitions(
        campaign("a"),
        campaign("b", state="draft"),
        campaign("c", state="stopped"),
        campaign("d", starts_on=NIGHT + dt.timedelta(days=1)),
    )
    assert [c.id for c in send.campaigns_of(night(known, tmp_path))] == ["a"]


@pytest.mark.requirement("R106")
def test_nobody_is_written_to_on_facts_that_are_missing(shop: sa.Engine, tmp_path: Path) -> None:
    """A segment of people without a recent order says nothing while the orders of the day are missing."""
    fill(shop, people(2))
    each = campaign()
    known = definitions(each)
    dormant = Condition.model_validate({"last_order": {"at_least_days_ago": 90}})
    segment = Segment.model_validate({"id": "everyone", "says": "沉睡", "owner": "marketing", "members": dormant})
    orders = Source.model_construct(  # type: ignore[call-arg]
        id="shop_order", feeds="order_line", event_kind=None
    )
    known = type(known)({**known.items, Segment: {"everyone": segment}, Source: {"shop_order": orders}})
    tonight = night(known, tmp_path)
    holed = type(tonight)(NIGHT, tonight.workspace, known, frozenset({"shop_order"}))
    assert {row.decision for row in rows_of(shop, plan_of(each, tonight))} == {"intent"}
    assert {row.decision for row in rows_of(shop, plan_of(each, holed))} == {"held"}


@pytest.mark.requirement("R71")
def test_messages_roll_up_to_their_series_and_show_no_address(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    each = campaign()
    tonight = night(definitions(each), tmp_path)
    fill(shop, people(2))
    append_consent(ledger, [statement("person0@example.com")])
    outbox.record(ledger, rows_of(shop, plan_of(each, tonight)))
    copy_ledger(shop, ledger)
    rows = rows_of(shop, mart.message(tonight))
    assert {row.series_id for row in rows} == {"Winback2018"}
    assert {(row.state, row.sent_at, row.waits_until_at) for row in rows} == {
        ("planned", None, dt.datetime(2018, 1, 2, 2))
    }
    assert "example.com" not in repr(rows)


def test_operational_messages_need_no_consent_and_no_window(shop: sa.Engine, ledger: sa.Engine, tmp_path: Path) -> None:
    each = campaign(purpose="operational")
    fill(shop, [Person("c1", "no@example.com", consents=False)])
    suppress(ledger, "email", hashed("email", "no@example.com"), "unsubscribed", dt.datetime(2017, 6, 1))
    copy_ledger(shop, ledger)
    (row,) = rows_of(shop, plan_of(each, night(definitions(each, policy=frequency()), tmp_path)))
    assert (row.decision, row.not_before) == ("intent", row.planned_at)


def test_the_plan_runs_as_written_sql_and_the_mart_is_stable(
    shop: sa.Engine, ledger: sa.Engine, tmp_path: Path
) -> None:
    """As the runner executes it: values written out, ledger rows bound as Arrow, the mart written twice with the same bytes."""
    each = campaign()
    tonight = night(definitions(each), tmp_path)
    fill(shop, [*people(3), Person("c9", None)])
    rows = rows_of(shop, plan_of(each, tonight))
    with shop.connect() as connection:
        assert list(connection.exec_driver_sql(sql_text(plan_of(each, tonight)))) == rows
    outbox.record(ledger, rows)
    with Runner(Lake(tmp_path / "lake", ledger)) as runner:
        runner.bind_arrow("raw_vesper__message", outbox.messages_as_arrow(ledger))
        runner.bind_arrow("raw_vesper__suppression", outbox.suppressions_as_arrow(ledger))
        parts = [runner.write(mart.message(tonight), mart.MESSAGE) for _ in range(2)]
        assert runner.scalar(sa.select(sa.func.count()).select_from(mart.RAW_SUPPRESSION)) == 0
    assert parts[0] == parts[1]
    assert parts[0].row_count == 3
