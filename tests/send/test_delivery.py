"""Delivery: what is due goes once, what changed since the plan is seen, and nothing stopped leaves."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.channels import Letter
from tasks.delivery import Letters, deliver, live, simulated
from tasks.letters import Write
from tests.send.company import (
    NIGHT,
    Person,
    attempts,
    campaign,
    content,
    definitions,
    delivered,
    frequency,
    hashed,
    looking_up,
    mails,
    messages,
    people,
    planned,
    statement,
    touches,
    workspace,
)
from tests.send.smtp_script import Scripted
from vesper import send
from vesper.clock import now
from vesper.model.workspace import Clock, Mail
from warehouse.ledger import outbox
from warehouse.ledger.consent import append_consent, suppress
from warehouse.ledger.send_stop import is_stopped, set_stopped

MORNING = dt.datetime(2018, 1, 2, 2)  # 10:00 in Shanghai
EVENING = dt.datetime(2018, 1, 2, 11)  # 19:00
SECOND = dt.timedelta(seconds=1)


def states(ledger: sa.Engine) -> dict[str, tuple[str, str | None]]:
    return {row.contact_id: (row.state, row.reason) for row in messages(ledger)}


@pytest.mark.requirement("R88", "R89")
def test_a_night_sends_each_once_and_a_second_run_nothing(any_ledger: sa.Engine, tmp_path: Path) -> None:
    known, space, persons = definitions(campaign()), workspace(tmp_path), people(6)
    planned(any_ledger, known, tmp_path, persons)
    report = delivered(any_ledger, known, space, persons)
    assert report.outcomes == {"accepted": 6}
    assert report.warnings(str) == []
    before = messages(any_ledger)
    assert {(row.state, row.sending_at, row.final_at) for row in before} == {("accepted", MORNING, MORNING)}
    assert mails(tmp_path) == sorted(row.message_id for row in before)
    planned(any_ledger, known, tmp_path, persons)
    assert not delivered(any_ledger, known, space, persons).outcomes
    assert messages(any_ledger) == before
    assert len(mails(tmp_path)) == 6
    assert {(row.outcome, row.code, row.number) for row in attempts(any_ledger)} == {("accepted", "250", 1)}


@pytest.mark.requirement("R113")
def test_what_is_not_due_waits_and_is_counted(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign()), people(3)
    planned(ledger, known, tmp_path, persons)
    assert not delivered(ledger, known, workspace(tmp_path), persons, days=0).outcomes
    assert outbox.standing(ledger) == [outbox.Standing("winback", "planned", None, 3, MORNING)]
    delivered(ledger, known, workspace(tmp_path), persons)
    assert outbox.standing(ledger) == [outbox.Standing("winback", "accepted", None, 3, None)]


@pytest.mark.requirement("R113")
def test_the_report_tells_sent_waiting_and_refused_apart(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign("a"), campaign("b"), campaign("c")), people(1)
    planned(ledger, known, tmp_path, persons)
    report = delivered(ledger, known, workspace(tmp_path), persons)
    facts = report.facts(outbox.standing(ledger), {})
    assert (facts["accepted"], facts["postponed"]) == (2, {"waiting:all_channels": 1})
    waits = [row for row in facts["messages"] if row["state"] == "planned"]
    assert [(row["people"], row["waits_until"]) for row in waits] == [(1, MORNING + dt.timedelta(days=1) + SECOND)]


@pytest.mark.requirement("R88", "R90")
def test_what_changed_after_the_plan_is_seen_at_the_moment_of_sending(any_ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign()), people(5)
    planned(any_ledger, known, tmp_path, persons)
    append_consent(
        any_ledger, [statement("person0@example.com", False, at=dt.datetime(2018, 1, 1, 14), source="unsubscribe")]
    )
    suppress(any_ledger, "email", hashed("email", "person1@example.com"), "complained", dt.datetime(2018, 1, 1, 14))
    moved = [*persons[:2], Person("c0002", "moved@example.com"), Person("c0003", None), persons[4]]
    report = delivered(any_ledger, known, workspace(tmp_path), moved)
    assert states(any_ledger) == {
        "c0000": ("refused", "no_consent"),
        "c0001": ("refused", "suppressed"),
        "c0002": ("refused", "address_changed"),
        "c0003": ("refused", "no_address"),
        "c0004": ("accepted", None),
    }
    assert report.refused == {"no_consent": 1, "suppressed": 1, "address_changed": 1, "no_address": 1}
    assert len(mails(tmp_path)) == 1
    assert [row.contact_id for row in touches(any_ledger)] == ["c0004"]


@pytest.mark.requirement("R108")
def test_stop_blocks_until_it_is_resumed_by_a_recorded_act(any_ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons, space = definitions(campaign()), people(2), workspace(tmp_path)
    planned(any_ledger, known, tmp_path, persons)
    set_stopped(any_ledger, "ops", "wrong coupon", True)
    assert is_stopped(any_ledger)
    report = delivered(any_ledger, known, space, persons)
    assert report.is_stopped
    assert report.warnings(str) == ["Sending is stopped; every message waits until it is resumed."]
    assert mails(tmp_path) == []
    set_stopped(any_ledger, "ops", "coupon corrected", False)
    assert delivered(any_ledger, known, space, persons).outcomes == {"accepted": 2}


@pytest.mark.requirement("R108")
def test_stop_binds_from_the_next_claim_on(ledger: sa.Engine, tmp_path: Path) -> None:
    """Somebody stops while mails go out: the mail on the wire ends, the next is not begun."""
    known, persons = definitions(campaign()), people(5)
    planned(ledger, known, tmp_path, persons)

    class StopAtTheThird(Letters):
        def batch(self, messages: Sequence[outbox.Due]) -> Write:
            write = super().batch(messages)

            def stopping(message: outbox.Due, at: dt.datetime) -> Letter:
                if len(mails(tmp_path)) == 2:
                    set_stopped(ledger, "ops", "wrong coupon", True)
                return write(message, at)

            return stopping

    letters = StopAtTheThird(workspace(tmp_path), known, looking_up(persons))
    report = deliver(ledger, workspace(tmp_path), known, letters, EVENING, simulated(MORNING))
    assert (report.outcomes, report.is_stopped) == ({"accepted": 2}, True)
    assert len(mails(tmp_path)) == 2


@pytest.mark.requirement("R86", "R113")
@pytest.mark.parametrize(("days", "becomes"), [(30, "planned"), (0, "refused")])
def test_the_third_mail_of_a_day_waits_or_is_refused_when_it_would_come_too_late(
    any_ledger: sa.Engine, tmp_path: Path, days: int, becomes: str
) -> None:
    third = max("abc", key=lambda id: send.message_id(id, "c0000"))
    ends = {id: NIGHT + dt.timedelta(days=days if id == third else 30) for id in "abc"}
    known, persons = definitions(*[campaign(id, ends_on=end) for id, end in ends.items()]), people(1)
    planned(any_ledger, known, tmp_path, persons)
    delivered(any_ledger, known, workspace(tmp_path), persons, days=1)
    rows = {row.campaign_id: row for row in messages(any_ledger)}
    assert {row.state for id, row in rows.items() if id != third} == {"accepted"}
    assert (rows[third].state, rows[third].reason) == (becomes, f"{'waiting' if days else 'capped'}:all_channels")
    assert (rows[third].not_before == MORNING + dt.timedelta(days=1) + SECOND) == bool(days)
    delivered(any_ledger, known, workspace(tmp_path), persons, days=3)
    assert len(mails(tmp_path)) == (3 if days else 2)


@pytest.mark.requirement("R82", "R113")
def test_outside_its_window_a_message_of_an_earlier_night_waits_again(ledger: sa.Engine, tmp_path: Path) -> None:
    """Sending was stopped over the whole window; the next night begins at 21:00, which is no time for marketing."""
    known, persons = definitions(campaign()), people(1)
    planned(ledger, known, tmp_path, persons)
    tomorrow = NIGHT + dt.timedelta(days=1)
    delivered(ledger, known, workspace(tmp_path), persons, days=0, on=tomorrow)
    (row,) = messages(ledger)
    assert (row.state, row.reason, row.not_before) == ("planned", "waiting:window", MORNING + dt.timedelta(days=1))


def test_a_server_that_says_later_is_asked_again_and_then_no_more(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign(), policy=frequency(windows={}, quiet_hours=None)), people(1)
    planned(ledger, known, tmp_path, persons)
    with Scripted(DOT=["451 later", "250 ok"]) as server:
        report = delivered(ledger, known, workspace(tmp_path, mail=Mail(server=f"127.0.0.1:{server.port}")), persons)
    assert report.outcomes == {"deferred": 1, "accepted": 1}
    assert [(row.number, row.outcome, row.code) for row in attempts(ledger)] == [
        (1, "deferred", "451"),
        (2, "accepted", "250"),
    ]
    (touch,), (row,) = touches(ledger), messages(ledger)
    assert touch.at == row.sending_at == row.planned_at + dt.timedelta(minutes=5)


def test_a_server_that_never_takes_it_gives_the_touch_back(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign(), policy=frequency(windows={}, quiet_hours=None)), people(2)
    planned(ledger, known, tmp_path, persons)
    with Scripted(RCPT=["550 no such user <person0@example.com>", "451 busy"]) as server:
        report = delivered(ledger, known, workspace(tmp_path, mail=Mail(server=f"127.0.0.1:{server.port}")), persons)
    assert report.outcomes == {"rejected": 1, "deferred": 5}
    assert sorted(states(ledger).values()) == [("rejected", "550"), ("rejected", "exhausted")]
    assert touches(ledger) == []
    assert "person" not in repr(attempts(ledger))


@pytest.mark.requirement("R86")
def test_no_answer_is_unknown_keeps_its_touch_and_is_never_sent_again(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign()), people(2)
    planned(ledger, known, tmp_path, persons)
    with Scripted(DOT=[None, "250 ok"]) as server:
        space = workspace(tmp_path, mail=Mail(server=f"127.0.0.1:{server.port}"))
        assert delivered(ledger, known, space, persons).outcomes == {"unknown": 1, "accepted": 1}
        assert not delivered(ledger, known, space, persons, days=20).outcomes
        assert len(server.mails) == 2
    assert sorted(states(ledger).values(), key=repr) == [("accepted", None), ("unknown", "no_answer")]
    assert len(touches(ledger)) == 2


def test_a_server_that_is_away_costs_no_message_anything(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign()), people(2)
    planned(ledger, known, tmp_path, persons)
    report = delivered(ledger, known, workspace(tmp_path, mail=Mail(server="127.0.0.1:1")), persons)
    assert report.problem is not None
    assert "邮件服务器 127.0.0.1:1 没有应答" in report.problem
    assert (set(states(ledger).values()), attempts(ledger), touches(ledger)) == ({("planned", None)}, [], [])


def test_a_rehearsal_never_talks_to_a_server_elsewhere(ledger: sa.Engine, tmp_path: Path) -> None:
    known, persons = definitions(campaign()), people(1)
    planned(ledger, known, tmp_path, persons)
    report = delivered(ledger, known, workspace(tmp_path, mail=Mail(server="mail.example.com:25")), persons)
    assert report.problem is not None
    assert "时钟是模拟的" in report.problem
    assert attempts(ledger) == []


@pytest.mark.requirement("R90", "R122")
def test_a_template_that_fails_holds_the_message_and_names_nobody(ledger: sa.Engine, tmp_path: Path) -> None:
    broken = definitions(campaign(), said=content("{{ name.nickname }}\n{{ unsubscribe_url }}"))
    persons = people(2)
    planned(ledger, broken, tmp_path, persons)
    report = delivered(ledger, broken, workspace(tmp_path), persons)
    (warning,) = report.warnings(str)
    assert warning.startswith("content/coupon.yml：")
    assert "王小明" not in warning
    assert set(states(ledger).values()) == {("planned", "waiting:content")}
    assert delivered(ledger, definitions(campaign()), workspace(tmp_path), persons).outcomes == {"accepted": 2}


def test_a_campaign_that_was_stopped_waits_and_expires(ledger: sa.Engine, tmp_path: Path) -> None:
    persons = people(1)
    planned(ledger, definitions(campaign()), tmp_path, persons)
    off = definitions(campaign(state="stopped"))
    assert delivered(ledger, off, workspace(tmp_path), persons).withheld.total() == 1
    assert set(states(ledger).values()) == {("planned", "waiting:not_running")}
    late = NIGHT + dt.timedelta(days=40)
    assert delivered(ledger, off, workspace(tmp_path), persons, on=late).refused == {"expired": 1}


def test_on_a_live_clock_the_message_carries_the_moment(ledger: sa.Engine, tmp_path: Path) -> None:
    open_always = definitions(
        campaign(ends_on=now().date() + dt.timedelta(days=3)), policy=frequency(windows={}, quiet_hours=None)
    )
    persons = people(1)
    planned(ledger, open_always, tmp_path, persons)
    space = workspace(tmp_path, clock=Clock())
    before = now()
    report = deliver(ledger, space, open_always, Letters(space, open_always, looking_up(persons)), before, live())
    assert report.outcomes == {"accepted": 1}
    assert before <= messages(ledger)[0].sending_at <= now()
