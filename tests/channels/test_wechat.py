"""WeChat and WeCom: service messages one by one, broadcasts as one call that somebody confirms (R84)."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.channels import Letter, opened
from connectors.channels.app_call import kept_here
from connectors.channels.evidence import SinkFolder
from tasks.broadcast import Broadcasts
from tasks.delivery import Letters, deliver, live
from tests.channels.fakes import wechat, wecom
from tests.channels.fakes.served import served
from tests.send.company import (
    KEY,
    NIGHT,
    Recipient,
    campaign,
    definitions,
    frequency,
    hashed,
    messages,
    statement,
    touches,
    workspace,
)
from vesper.address import AddressKey
from vesper.clock import now
from vesper.model.channel import App
from vesper.model.content import Content
from vesper.model.workspace import Clock, Workspace
from warehouse.ledger.broadcast import gathered, open_ones
from warehouse.ledger.channel_schema import BROADCAST
from warehouse.ledger.consent import append_consent, suppress
from warehouse.ledger.schema import MESSAGE

OFFICIAL = f"{wechat.APP_ID}:"
CUSTOMER = f"{wecom.CORP_ID}:"
TEXT = "{{ company }}：本周到店立减 10 元"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[wechat.Fake, App]]:
    monkeypatch.setenv("WECHAT_SECRET", wechat.SECRET)
    (tmp_path / "truth").mkdir()
    fake = wechat.Fake(tmp_path / "truth")
    with served(fake.app) as address:
        yield fake, App(app_id=wechat.APP_ID, secret="${WECHAT_SECRET}", endpoint=address)


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[wecom.Fake, App]]:
    monkeypatch.setenv("WECOM_SECRET", wecom.SECRET)
    (tmp_path / "truth").mkdir()
    fake = wecom.Fake(tmp_path / "truth")
    with served(fake.app) as address:
        yield fake, App(app_id=wecom.CORP_ID, secret="${WECOM_SECRET}", endpoint=address)


# template messages ----------------------------------------------------------------------------------------------------


def letter(openid: str = "o0001", id: str = "m" * 26, app: str = OFFICIAL, template: str = "TPL1") -> Letter:
    return Letter(
        id, app + openid, "", "x", "", "", dt.datetime(2018, 1, 2), template=template, params={"name": "王小明"}
    )


@pytest.mark.requirement("R84")
def test_a_template_message_reaches_a_follower(account: tuple[wechat.Fake, App], tmp_path: Path) -> None:
    fake, app = account
    with opened(workspace(tmp_path, wechat=app), "wechat", tokens=kept_here()) as channel:
        channel.ready()
        kinds = [
            channel.send(one).kind
            for one in (letter(), letter("nobody", "n" * 26), letter(app="wx9:"), letter(template="OLD", id="p" * 26))
        ]
    assert kinds == ["accepted", "rejected", "rejected", "deferred"]
    assert set(SinkFolder(fake.folder).shown()) == {"m" * 26}
    assert fake.fetched == 1


@pytest.mark.requirement("R84")
def test_a_token_that_is_taken_no_more_is_fetched_once(account: tuple[wechat.Fake, App], tmp_path: Path) -> None:
    fake, app = account
    with opened(workspace(tmp_path, wechat=app), "wechat", tokens=kept_here()) as channel:
        channel.ready()
        assert channel.send(letter()).kind == "accepted"
        fake.revoke()
        assert channel.send(letter(id="n" * 26)).kind == "accepted"
    assert fake.fetched == 2


@pytest.mark.requirement("R84")
def test_a_call_without_an_answer_is_made_again_and_taken_once(
    account: tuple[wechat.Fake, App], tmp_path: Path
) -> None:
    fake, app = account
    with opened(workspace(tmp_path, wechat=app), "wechat", tokens=kept_here()) as channel:
        channel.ready()
        channel.app.door.answer_seconds = 0.5  # type: ignore[attr-defined]
        fake.hangs = 1
        assert channel.send(letter()).kind == "accepted"
        fake.hangs = 2
        assert channel.send(letter(id="n" * 26)).kind == "unknown"
    assert [one["id"] for one in fake.messages] == ["m" * 26, "n" * 26]


# broadcasts -----------------------------------------------------------------------------------------------------------


def known(channel: str, text: str = TEXT, purpose: str = "marketing") -> Any:
    said = {"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": {channel: {"text": text}}}}
    today = now().date()
    one = campaign(channel=channel, purpose=purpose, starts_on=today, ends_on=today + dt.timedelta(days=30))
    quiet = frequency(windows={}, quiet_hours=None)
    return definitions(one, policy=quiet, said=Content.model_validate(said))


def put(ledger: sa.Engine, channel: str, addresses: list[str], purpose: str = "marketing") -> list[Recipient]:
    """Planned messages to some openids, whose people consent."""
    at = now() - dt.timedelta(minutes=1)
    people = []
    with ledger.begin() as connection:
        for n, address in enumerate(addresses):
            row = {
                "message_id": f"{n:026x}",
                "campaign_id": "winback",
                "contact_id": f"c{n:04}",
                "step_id": "send",
                "occurrence": 1,
                "channel": channel,
                "purpose": purpose,
                "address_hash": hashed(channel, address),
                "state": "planned",
                "priority": 250,
                "business_on": NIGHT,
                "planned_at": at,
                "not_before": at,
                "expires_at": at + dt.timedelta(days=60),
                "content_id": "coupon",
            }
            connection.execute(sa.insert(MESSAGE), row)
            people.append(Recipient(f"c{n:04}", None, "王小明", None, openid=address, external_id=address))
    append_consent(
        ledger, [statement(one, channel=channel, address_hash=hashed(channel, one), row_key=one) for one in addresses]
    )
    return people


def run(ledger: sa.Engine, space: Workspace, defined: Any, people: list[Recipient]) -> Any:
    by_id = {one.contact_id: one for one in people}
    letters = Letters(space, defined, lambda ids: [by_id[id] for id in ids])
    return deliver(ledger, space, defined, letters, now(), live())


def again(ledger: sa.Engine, **ago: dt.datetime | None) -> None:
    """Make a broadcast as old as it needs to be for the next step."""
    with ledger.begin() as connection:
        connection.execute(sa.update(BROADCAST).values(**ago))


def states(ledger: sa.Engine) -> list[str]:
    return [one.state for one in messages(ledger)]


@pytest.mark.requirement("R84", "R86")
def test_a_mass_message_is_one_call_and_its_touches_count_when_it_was_sent(
    any_ledger: sa.Engine, tmp_path: Path, account: tuple[wechat.Fake, App]
) -> None:
    fake, app = account
    fake.status = "SENDING"
    space, defined = workspace(tmp_path, clock=Clock(), wechat=app), known("wechat_mass")
    people = put(any_ledger, "wechat_mass", [f"{OFFICIAL}o{n:04}" for n in range(5)])
    report = run(any_ledger, space, defined, people)
    assert (report.outcomes, report.problems) == ({"awaiting": 5}, [])
    assert states(any_ledger) == ["awaiting_confirmation"] * 5
    assert touches(any_ledger) == []
    assert [(len(one["touser"]), one["text"]) for one in fake.mass.values()] == [(5, "好邻居超市：本周到店立减 10 元")]
    fake.status = "SEND_SUCCESS"
    again(any_ledger, looked_at=None)
    run(any_ledger, space, defined, people)
    assert states(any_ledger) == ["accepted"] * 5
    assert len(touches(any_ledger)) == 5
    assert open_ones(any_ledger, "wechat_mass") == []
    run(any_ledger, space, defined, people)
    assert len(fake.mass) == 1


@pytest.mark.requirement("R84", "R120")
def test_a_mass_message_without_an_answer_is_sent_once(
    ledger: sa.Engine, tmp_path: Path, account: tuple[wechat.Fake, App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same call under the same id answers with what the first became."""
    fake, app = account
    fake.hangs = 1
    monkeypatch.setattr("connectors.channels.door.Door.__init__.__defaults__", (10.0, 0.5))
    space, defined = workspace(tmp_path, clock=Clock(), wechat=app), known("wechat_mass")
    people = put(ledger, "wechat_mass", [f"{OFFICIAL}o{n:04}" for n in range(3)])
    run(ledger, space, defined, people)
    assert [one.state for one in open_ones(ledger, "wechat_mass")] == ["calling"]
    run(ledger, space, defined, people)  # nobody calls while the first call may still last
    assert len(fake.mass) == 1
    again(ledger, called_at=now() - dt.timedelta(hours=1))
    run(ledger, space, defined, people)
    assert states(ledger) == ["accepted"] * 3
    assert len(fake.mass) == 1


@pytest.mark.requirement("R84", "R86")
def test_employees_confirm_what_goes_to_their_customers(
    any_ledger: sa.Engine, tmp_path: Path, company: tuple[wecom.Fake, App]
) -> None:
    fake, app = company
    space, defined = workspace(tmp_path, clock=Clock(), wecom=app), known("wecom")
    people = put(any_ledger, "wecom", [*[f"{CUSTOMER}wm{n:04}" for n in range(6)], f"{CUSTOMER}stranger"])
    run(any_ledger, space, defined, people)
    assert states(any_ledger) == ["awaiting_confirmation"] * 6 + ["rejected"]
    assert len(fake.tasks) == 1
    fake.confirm("anna")
    again(any_ledger, looked_at=None)
    run(any_ledger, space, defined, people)
    assert states(any_ledger)[:6] == ["accepted", "awaiting_confirmation"] * 3
    assert len(touches(any_ledger)) == 3
    fake.confirm("bo", status=3)
    again(any_ledger, looked_at=None)
    run(any_ledger, space, defined, people)
    assert states(any_ledger)[:6] == ["accepted", "rejected"] * 3
    assert len(touches(any_ledger)) == 3
    assert open_ones(any_ledger, "wecom") == []


@pytest.mark.requirement("R84", "R120")
@pytest.mark.parametrize("arrived", [True, False])
def test_a_call_to_wecom_without_an_answer_is_looked_for(
    ledger: sa.Engine, tmp_path: Path, company: tuple[wecom.Fake, App], monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    fake, app = company
    fake.hangs = 1
    monkeypatch.setattr("connectors.channels.door.Door.__init__.__defaults__", (10.0, 0.5))
    space, defined = workspace(tmp_path, clock=Clock(), wecom=app), known("wecom")
    people = put(ledger, "wecom", [f"{CUSTOMER}wm{n:04}" for n in range(3)])
    run(ledger, space, defined, people)
    assert len(fake.tasks) == 1
    again(ledger, called_at=now() - dt.timedelta(minutes=30))
    for task in fake.tasks.values():
        task["create_time"] -= 30 * 60
    if not arrived:
        fake.tasks.clear()
    run(ledger, space, defined, people)
    if not arrived:
        run(ledger, space, defined, people)
    assert len(fake.tasks) == 1
    assert [one.state for one in open_ones(ledger, "wecom")] == ["submitted"]


@pytest.mark.requirement("R90")
def test_who_left_meanwhile_is_taken_out(ledger: sa.Engine, tmp_path: Path) -> None:
    space, defined = workspace(tmp_path, clock=Clock()), known("wecom")
    people = put(ledger, "wecom", [f"{CUSTOMER}wm{n:04}" for n in range(3)])
    by_id = {one.contact_id: one for one in people}
    letters = Letters(space, defined, lambda ids: [by_id[id] for id in ids])
    with ledger.begin() as connection:  # as if they had been gathered before
        connection.execute(sa.update(MESSAGE).values(state="awaiting_confirmation", sending_at=now()))
    suppress(ledger, "wecom", hashed("wecom", f"{CUSTOMER}wm0001"), "unsubscribed", now())
    assert len(gathered(ledger, "wecom")) == 3
    assert Broadcasts(ledger, space, letters, AddressKey(KEY.encode()), kept_here(), True).run() == []
    assert states(ledger) == ["accepted", "refused", "accepted"]


@pytest.mark.requirement("R84")
def test_a_text_with_a_word_of_the_person_waits(ledger: sa.Engine, tmp_path: Path) -> None:
    space, defined = workspace(tmp_path, clock=Clock()), known("wecom", "{{ name }}，您好")
    people = put(ledger, "wecom", [f"{CUSTOMER}wm{n:04}" for n in range(2)])
    report = run(ledger, space, defined, people)
    assert not report.outcomes
    assert report.withheld


@pytest.mark.requirement("R84")
def test_marketing_by_template_message_waits(ledger: sa.Engine, tmp_path: Path) -> None:
    space = workspace(tmp_path, clock=Clock())
    people = put(ledger, "wechat", [f"{OFFICIAL}o0001"])
    report = run(ledger, space, known("wechat"), people)
    assert not report.outcomes
    assert any("wechat" in sentence for sentence in report.withheld)


# who is reached -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R13", "R84")
@pytest.mark.parametrize(("channel", "begins"), [("wechat", "wx"), ("wechat_mass", "wx"), ("wecom", "ww")])
def test_a_plan_finds_the_openid_of_the_right_app(tmp_path: Path, channel: str, begins: str) -> None:
    """The plan and the letter look it up alike; who has none is refused by name."""
    from tests.send.company import fill, lake, night, people, plan_of, rows_of
    from vesper.recipient import recipients_of
    from vesper.tables.company import COMPANY
    from vesper.tables.contact import IDENTIFIER

    engine = lake()
    fill(engine, people(2))
    for table in (IDENTIFIER, COMPANY):
        table.create(engine)
    known_as = [f"{OFFICIAL}o0001", f"{CUSTOMER}wm0001", "wx9999:other", "mini:o0001"]
    with engine.begin() as connection:
        rows = [{"kind": "openid", "value": value, "contact_id": "c0000"} for value in known_as]
        connection.execute(sa.insert(IDENTIFIER), [*rows, {"kind": "unionid", "value": "wx:u", "contact_id": "c0001"}])
    defined = definitions(campaign(channel=channel, purpose="requested"))
    planned = rows_of(engine, plan_of(defined.of(type(campaign()))["winback"], night(defined, tmp_path)))
    assert [(row.decision, (row.address or "")[:2]) for row in planned] == [("intent", begins), ("no_address", "")]
    (found, nobody) = sorted(rows_of(engine, recipients_of(["c0000", "c0001"])), key=lambda row: row.contact_id)
    assert {found.openid, found.external_id} == {f"{OFFICIAL}o0001", f"{CUSTOMER}wm0001"}
    assert planned[0].address in (found.openid, found.external_id)
    assert (nobody.openid, nobody.external_id) == (None, None)
    engine.dispose()
