"""Sales are told once, in their hours, within ten minutes; what is unknown is never told again (R63, R113)."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.handover.world import HANDED_AT, MONDAY, Company, policy
from vesper.clock import now
from vesper.handover_notices import withdrawals
from vesper.marts.handover import HANDOVER as OUT
from warehouse.ledger.handover_acts import withdraw
from warehouse.ledger.handover_schema import HANDOVER, NOTICE
from warehouse.ledger.notices import begin, due, recover, settle
from warehouse.ledger.send_stop import set_stopped

TUESDAY = MONDAY + dt.timedelta(days=1)
SATURDAY = dt.date(2026, 3, 7)
ALL_DAY = {"email": True, "wecom": {"url": "loopback"}, "webhook": {"url": "loopback", "secret": "${CRM_SECRET}"}}


@pytest.mark.requirement("R63")
def test_record_and_notice_stand_within_ten_minutes_of_the_score(company: Company) -> None:
    company.night({"a": 85}, marts=True)
    (row,) = company.tables[OUT.name]
    assert (row["created_at"], row["notified_at"], row["is_late"]) == (HANDED_AT, HANDED_AT, False)


@pytest.mark.requirement("R63")
@pytest.mark.parametrize("minutes", [9, 11])
def test_a_record_later_than_ten_minutes_is_listed(company: Company, minutes: int) -> None:
    company.night({"a": 85})
    with company.house.engine.begin() as connection:
        connection.execute(sa.update(HANDOVER).values(scored_at=HANDOVER.c.recorded_at, recorded_at=now()))
        early = connection.scalar(sa.select(HANDOVER.c.recorded_at)) - dt.timedelta(minutes=minutes)
        connection.execute(sa.update(HANDOVER).values(scored_at=early))
        connection.execute(sa.update(NOTICE).values(real_at=early))
    company.night({"a": 85}, marts=True)
    assert [row["is_late"] for row in company.tables[OUT.name]] == [minutes == 11]


@pytest.mark.requirement("R63")
def test_a_notice_that_nobody_took_is_listed(company: Company) -> None:
    company.night({"a": 85}, tells=False, marts=True)
    assert [(row["notified_at"], row["is_late"]) for row in company.tables[OUT.name]] == [(None, True)]


@pytest.mark.requirement("R113")
def test_outside_their_hours_notices_wait_for_the_morning_and_go_together(company: Company) -> None:
    company.night({"a": 85, "b": 84, "c": 83, "d": 82}, SATURDAY, tells=False)
    assert {n.not_before for n in company.notices()} == {dt.datetime(2026, 3, 9, 1)}
    company.night({"a": 85, "b": 84, "c": 83, "d": 82}, SATURDAY + dt.timedelta(days=1), marts=True)
    assert len(company.mails()) == 2, "one digest each"
    assert {row["is_late"] for row in company.tables[OUT.name]} == {False}


@pytest.mark.requirement("R66", "R122")
def test_a_mail_says_why_and_shows_no_name(company: Company) -> None:
    from email import message_from_bytes
    from email import policy as mail_policy

    (row,) = company.night({"a": 85})
    mail = message_from_bytes(company.mails()[0].read_bytes(), policy=mail_policy.default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert row.handover_id in text and "王**" in text and "王小明" not in text
    assert "form_clicks (+25)" in text and "基础分 (+60)" in text and "no_budget" in text
    assert mail["To"] == company.policy.team["an"].email


def test_every_channel_is_told_once(tmp_path: Path) -> None:
    company = Company(tmp_path / "company", policy(notices=ALL_DAY))
    company.night({"a": 85, "b": 84})
    company.night({"a": 85, "b": 84})
    folder = company.root / ".vesper" / "notices"
    assert len(company.mails()) == 2
    assert len(list((folder / "wecom").glob("*.post"))) == 1
    assert len(list((folder / "webhook").glob("*.post"))) == 2
    assert {n.state for n in company.notices()} == {"accepted"}
    company.house.close()


def test_nobody_with_room_is_told_to_the_manager_and_not_to_the_crm(tmp_path: Path) -> None:
    from tests.handover.world import representative

    company = Company(tmp_path / "company", policy(notices=ALL_DAY, team={"an": representative("安", open_limit=0)}))
    company.night({"a": 85})
    assert [(n.channel, n.kind, n.recipient) for n in company.notices()] == [
        ("email", "unassigned", "manager"),
        ("wecom", "unassigned", "team"),
    ]
    company.house.close()


@pytest.mark.requirement("R108")
def test_while_sending_is_stopped_nothing_leaves(company: Company) -> None:
    set_stopped(company.house.engine, "安", "测试", True)
    company.night({"a": 85})
    assert company.mails() == [] and {n.state for n in company.notices()} == {"planned"}
    set_stopped(company.house.engine, "安", "测试", False)
    company.night({"a": 85})
    assert len(company.mails()) == 1


@pytest.mark.requirement("R115")
def test_a_withdrawn_hand_over_is_not_announced_and_whoever_heard_is_told(company: Company) -> None:
    from tasks.handover_acts import withdraw as act

    quiet, told = company.night({"a": 85}, tells=False)[0], None
    assert withdraw(company.house.engine, quiet.handover_id, "安", "测试", HANDED_AT, lambda id, who: []).kept_back == 1
    (_, told) = company.night({"a": 85, "b": 84}, TUESDAY)
    write_policy(company)
    said = act(company.root, told.handover_id[:8], "安", "评分规则有误")
    assert told.handover_id in said
    kinds = {n.handover_id: [] for n in company.notices()}  # type: ignore[var-annotated]
    for n in company.notices():
        kinds[n.handover_id].append((n.kind, n.state))
    assert kinds == {
        quiet.handover_id: [("new", "refused")],
        told.handover_id: [("new", "accepted"), ("withdrawn", "planned")],
    }
    company.night({"a": 85, "b": 84}, TUESDAY)
    assert {n.state for n in company.notices()} == {"refused", "accepted"}
    assert [row.state for row in company.handovers()] == ["withdrawn", "withdrawn"]


@pytest.mark.requirement("R115")
def test_everybody_who_heard_of_a_hand_over_hears_of_its_withdrawal() -> None:
    told = [("email", "manager"), ("email", "wang"), ("wecom", "team")]
    made = withdrawals("h1", told, policy(), HANDED_AT, "Asia/Shanghai")
    assert [(n["channel"], n["recipient"]) for n in made] == told
    assert len({n["notice_id"] for n in made}) == len(told)


def write_policy(company: Company) -> None:
    """The policy as a definition of the workspace, for the actions that read it there."""
    import json

    folder = company.root / "definitions" / "policy"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(company.policy.model_dump(mode="json", exclude={"id", "chat_intents"}), ensure_ascii=False)
    (folder / "sales.yml").write_text(text, encoding="utf-8")
    company.house.activate_files("测试")


def test_a_deferred_notice_waits_longer_each_time_and_ends_rejected(company: Company) -> None:
    company.night({"a": 85}, tells=False)
    engine, at = company.house.engine, HANDED_AT
    for _ in range(5):
        (one,) = due(engine, at)
        assert begin(engine, [one.notice_id], "letter", at)
        settle(engine, "letter", "deferred", "451", at)
        (row,) = company.notices()
        at = row.not_before
    assert (row.state, row.reason, row.attempts) == ("rejected", "451", 5)


def test_a_crash_on_the_wire_leaves_unknown_and_never_tells_again(company: Company) -> None:
    company.night({"a": 85}, tells=False)
    (one,) = due(company.house.engine, HANDED_AT)
    begin(company.house.engine, [one.notice_id], "letter", HANDED_AT)
    company.night({"a": 85})
    assert [(n.state, n.reason) for n in company.notices()] == [("unknown", "crash")]
    assert company.mails() == []
    assert len(company.report.warnings) == 1


def test_where_the_receiver_takes_a_key_once_a_crash_is_tried_again(company: Company) -> None:
    company.night({"a": 85}, tells=False)
    (one,) = due(company.house.engine, HANDED_AT)
    begin(company.house.engine, [one.notice_id], "letter", HANDED_AT)
    assert recover(company.house.engine, ("email",)) == 0
    assert [n.state for n in company.notices()] == ["planned"]
