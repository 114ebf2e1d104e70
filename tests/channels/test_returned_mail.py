"""Mail that came back: standard reports name a message and say whose fault it is; everything else is for a person (C5, C12)."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from connectors.channels.returned import returned
from tasks.returned_mail import take_returned
from tests.send.machinery import row
from vesper.address import address_hash
from vesper.marts.message import RAW_MESSAGE
from vesper.tables.campaign import EVENT
from warehouse.house import House
from warehouse.ledger.schema import MESSAGE, SUPPRESSION
from warehouse.ledger.send_schema import INBOX

AT = dt.datetime(2026, 11, 23)
ID = "0123456789abcdef0123456789"


def report(status: str = "5.1.1", action: str = "failed", named: str = "headers", id: str = ID) -> bytes:
    """A delivery report as postfix writes it. `named`: how it tells which mail it is about."""
    envelope = f"Original-Envelope-Id: {id}\n" if named == "envid" else ""
    returned_headers = f"--b\nContent-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <{id}@shop.example>\n\n"
    return f"""From: MAILER-DAEMON@mx.example
To: {f"b+{id}@shop.example" if named == "verp" else "vesper@shop.example"}
Subject: Undelivered Mail Returned to Sender
Date: Sun, 22 Nov 2026 10:00:00 +0800
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
{envelope}
Final-Recipient: rfc822; ming@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 ming@example.com unknown

{returned_headers if named == "headers" else ""}--b--
""".encode()


def complaint(kind: str = "abuse") -> bytes:
    return f"""To: b+{ID}@shop.example
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1

--b--
""".encode()


@pytest.mark.requirement("R84")
@pytest.mark.parametrize("named", ["headers", "verp", "envid"])
def test_a_report_names_its_message(named: str) -> None:
    fact = returned(report(named=named), AT)
    assert fact is not None
    assert (fact.message_id, fact.kind, fact.at) == (ID, "mail_bounced_hard", dt.datetime(2026, 11, 22, 2))
    assert fact.address is None


@pytest.mark.parametrize(
    ("status", "action", "kind"),
    [
        ("5.1.1", "failed", "mail_bounced_hard"),
        ("5.2.1", "failed", "mail_bounced_hard"),
        ("5.2.2", "failed", "mail_bounced_soft"),
        ("4.2.2", "failed", "mail_bounced_soft"),
        ("5.7.1", "failed", None),
        ("4.4.1", "delayed", None),
        ("2.0.0", "delivered", None),
    ],
)
def test_whose_fault_it_is(status: str, action: str, kind: str | None) -> None:
    """A server that objects to us says nothing of the address."""
    fact = returned(report(status, action), AT)
    assert (fact.kind if fact else None) == kind


def test_a_complaint_is_one() -> None:
    fact = returned(complaint(), AT)
    assert fact is not None
    assert fact.kind == "mail_complained"
    assert returned(complaint("not-spam"), AT) is None


@given(st.binary(max_size=300))
def test_any_other_mail_says_nothing(noise: bytes) -> None:
    assert returned(noise, AT) is None
    assert (
        returned(
            b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n" + noise, AT
        )
        is None
    )


@pytest.mark.requirement("R84", "R90")
def test_the_mailbox_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "店"\n[mail]\nreturned = "back"\n', encoding="utf-8")
    new = tmp_path / "back" / "new"
    new.mkdir(parents=True)
    for n, mail in enumerate([report(), report(), report(id="f" * 26), b"Subject: On holiday\n\nBack soon"]):
        (new / f"{n}.mail").write_bytes(mail)
    house = House.open(tmp_path)
    try:
        hashed = address_hash(house.address_key, "email", "ming@example.com")
        with house.engine.begin() as connection:
            connection.execute(
                sa.insert(MESSAGE), row("winback", "c1", message_id=ID, address_hash=hashed, state="accepted")
            )
        assert take_returned(house) == {"mail_bounced_hard": 3, "other": 1}
        assert take_returned(house) == {}
        with house.engine.begin() as connection:
            kept = connection.execute(sa.select(INBOX.c.message_id, INBOX.c.kind).order_by(INBOX.c.inbox_id)).all()
            out = connection.execute(sa.select(SUPPRESSION.c.address_hash, SUPPRESSION.c.reason)).all()
        assert [tuple(one) for one in kept] == [(ID, "mail_bounced_hard"), (None, "mail_bounced_hard")]
        assert [tuple(one) for one in out] == [(hashed, "hard_bounce")]
        assert len(list((tmp_path / "back" / "cur").iterdir())) == 4
    finally:
        house.close()


@pytest.mark.requirement("R91")
@pytest.mark.parametrize(("reported", "halts"), [(2, False), (3, True)])
def test_a_campaign_that_people_report_is_halted_and_the_others_are_not(
    tmp_path: Path, reported: int, halts: bool
) -> None:
    """Of a thousand mails of one campaign in seven days three; of all mails it is less than 0.3 %."""
    from tests.send.company import NIGHT, campaign, definitions, fill, lake, night, people, plan_of, rows_of
    from tests.send.test_compliance import DAY, accepted, event

    shop = lake()
    fill(shop, people(2))
    mine = [accepted(f"m{n}", NIGHT - DAY) | {"campaign_id": "winback", "contact_id": f"x{n}"} for n in range(1000)]
    others = [accepted(f"o{n}", NIGHT - DAY) | {"campaign_id": "other", "contact_id": f"y{n}"} for n in range(1000)]
    with shop.begin() as connection:
        connection.execute(sa.insert(RAW_MESSAGE), mine + others)
        connection.execute(sa.insert(EVENT), [event(f"m{n}", "mail_complained", NIGHT) for n in range(reported)])
    known = definitions(campaign(max_people=10**6), campaign("spring", max_people=10**6))
    found = {
        id: {one.decision for one in rows_of(shop, plan_of(known.of(type(campaign()))[id], night(known, tmp_path)))}
        for id in ("winback", "spring")
    }
    assert found == {"winback": {"complaints"} if halts else {"intent"}, "spring": {"intent"}}
    shop.dispose()
