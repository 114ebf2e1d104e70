"""The preference page: GET changes nothing, POST keeps what somebody wants, and stopping stops every channel."""

import pytest
import requests
import sqlalchemy as sa

from tests.intake.conftest import Company
from vesper.token import sign
from warehouse.ledger.consent import current_consent
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import CONSENT, MESSAGE, SUPPRESSION
from warehouse.ledger.send_schema import INBOX

ID, MAIL = "m" * 26, "a@example.com"


@pytest.fixture
def url(company: Company) -> str:
    company.message(ID, MAIL)
    company.serve()
    return f"{company.address}/p/{sign(company.keys, 'preference', ID)}"


def stated(company: Company, purpose: str) -> list[bool]:
    with reading(company.engine) as connection:
        return [row.is_granted for row in connection.execute(current_consent()) if row.purpose == purpose]


@pytest.mark.requirement("R90")
def test_looking_changes_nothing_and_speaks_two_languages(company: Company, url: str) -> None:
    for language, words in (("zh-CN", "您希望我们怎样与您联系"), ("en", "How should we write to you")):
        answer = requests.get(url, headers={"Accept-Language": language}, timeout=30)
        assert answer.status_code == 200 and words in answer.text and MAIL not in answer.text
        assert "no-referrer" in answer.headers["Referrer-Policy"] and "no-store" in answer.headers["Cache-Control"]
    assert requests.head(url, timeout=30).status_code == 200
    for other in (
        sign(company.keys, "unsubscribe", ID),
        sign(company.keys, "preference", "n" * 26),
        "x" * 64,
    ):
        at = f"{company.address}/p/{other}"
        assert (
            requests.get(at, timeout=30).status_code
            == requests.post(at, data={"do": "stop"}, timeout=30).status_code
            == 404
        )
    for fields in ({}, {"do": "all"}, {"do": "save", "channel": "pigeon"}):
        assert requests.post(url, data=fields, timeout=30).status_code == 400
    assert [company.rows(table) for table in (CONSENT, SUPPRESSION, INBOX)] == [[], [], []]


@pytest.mark.requirement("R90", "R79")
def test_a_choice_is_kept_and_can_be_taken_back(company: Company, url: str) -> None:
    answer = requests.post(url, data={"do": "save", "channel": "sms"}, timeout=30)
    assert answer.status_code == 200 and 'value="sms" checked' in answer.text
    assert 'name="personalisation" value="on">' in answer.text and stated(company, "personalisation") == [False]
    (row,) = company.rows(INBOX)
    assert (row.kind, row.contact_id, row.message_id) == ("prefers_sms", f"c-{ID}", ID)
    requests.post(url, data={"do": "save", "channel": "sms"}, timeout=30)
    assert len(company.rows(INBOX)) == len(company.rows(CONSENT)) == 1, "the same choice says nothing new"
    back = requests.post(url, data={"do": "save", "channel": "sms", "personalisation": "on"}, timeout=30)
    assert 'value="on" checked' in back.text and stated(company, "personalisation") == [True]
    assert company.rows(SUPPRESSION) == []


@pytest.mark.requirement("R90")
def test_stopping_stops_every_channel_that_was_ever_used(company: Company, url: str) -> None:
    company.message("s" * 26, "13800000000", campaign_id="other")
    with company.engine.begin() as connection:
        other = sa.update(MESSAGE).where(MESSAGE.c.message_id == "s" * 26)
        connection.execute(other.values(channel="sms", contact_id=f"c-{ID}"))
    for _ in range(2):
        assert requests.post(url, data={"do": "stop"}, timeout=30).status_code == 200
    assert sorted(row.channel for row in company.rows(SUPPRESSION)) == ["email", "sms"]
    assert stated(company, "marketing") == [False, False]
    assert [row.kind for row in company.rows(INBOX)] == ["unsubscribed"]
