"""Receipts of short messages and answers to them: read as documented, kept once, and who asks to be left alone is kept out at once (C6, R90)."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.company import delivered, known, people, planned
from tests.send.company import KEY, NIGHT, messages, rows_of, workspace
from vesper.address import AddressKey
from vesper.receipt import PROVIDERS, Unreadable, parse
from warehouse.ledger.schema import CONSENT, SUPPRESSION
from warehouse.ledger.send_schema import INBOX
from warehouse.ledger.sms_answer import shown_by_receipts, take_in

REPORT = {
    "aliyun": {
        "phone_number": "13800000000", "send_time": "2018-01-02 10:00:00", "report_time": "2018-01-02 10:00:03", "success": True,
        "err_code": "DELIVERED", "err_msg": "ok", "sms_size": "1", "biz_id": "1^0", "out_id": "",
    },
    "tencent": {
        "user_receive_time": "2018-01-02 10:00:03", "nationcode": "86", "mobile": "13800000000", "report_status": "SUCCESS",
        "errmsg": "DELIVRD", "description": "ok", "sid": "5000:1",
    },
}  # fmt: skip
REPLY = {
    "aliyun": {
        "phone_number": "13800000000", "content": "ｔｄ ", "sign_name": "好邻居", "dest_code": "1", "send_time": "2018-01-02 10:05:00",
        "sequence_id": 77,
    },
    "tencent": {"extend": "", "mobile": "13800000000", "nationcode": "86", "sign": "好邻居", "text": "ｔｄ ", "time": 1514858700},
}  # fmt: skip


def body(*entries: dict[str, Any]) -> bytes:
    return json.dumps(list(entries), ensure_ascii=False).encode()


@pytest.mark.requirement("R84")
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_receipts_and_answers_read_as_the_documents_say(provider: str) -> None:
    failed = REPORT[provider] | {"success": False, "report_status": "FAIL", "biz_id": "2^0", "sid": "5000:2"}
    found = parse(provider, body(REPORT[provider], failed, REPLY[provider]))
    assert [one.kind for one in found] == ["sms_delivered", "sms_bounced", "sms_unsubscribed"]
    assert {one.address for one in found} == {"+8613800000000"}
    assert found[0].occurred_at == dt.datetime(2018, 1, 2, 2, 0, 3)
    assert found[2].occurred_at == dt.datetime(2018, 1, 2, 2, 5)
    assert parse(provider, json.dumps(REPLY[provider]).encode())[0].source_event_id == found[2].source_event_id
    assert len({one.source_event_id for one in found}) == 3


@given(
    said=st.one_of(
        st.binary(max_size=40),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(lambda x: json.dumps(x).encode()),
    )
)
def test_what_is_no_receipt_is_refused(said: bytes) -> None:
    for provider in PROVIDERS:
        try:
            assert parse(provider, said) == []
        except Unreadable:
            continue


@pytest.mark.parametrize(
    "change",
    [{"phone_number": None}, {"success": True, "send_time": "yesterday", "report_time": "x"}, {"biz_id": ["1"]}],
)
def test_a_receipt_with_a_wrong_field_is_refused_without_a_number_in_the_words(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as error:
        parse("aliyun", body(REPORT["aliyun"] | change))
    assert "138" not in str(error.value)


@pytest.mark.requirement("R90")
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_an_answer_keeps_its_sender_out_at_once(any_ledger: sa.Engine, tmp_path: Path, provider: str) -> None:
    """Told twice, it is kept once; the message that is answered tells whose it is."""
    persons, space = people(2), workspace(tmp_path)
    planned(any_ledger, known(), tmp_path, persons)
    delivered(any_ledger, known(), space, persons)
    told = parse(provider, body(REPLY[provider]))
    key = AddressKey(KEY.encode())
    assert [take_in(any_ledger, told, key, NIGHT) for _ in range(2)] == [1, 0]
    row = rows_of(any_ledger, sa.select(INBOX))
    mine = next(one for one in messages(any_ledger) if one.contact_id == "c0000")
    assert [(one.kind, one.contact_id, one.message_id) for one in row] == [
        ("sms_unsubscribed", "c0000", mine.message_id)
    ]
    assert [one.address_hash for one in rows_of(any_ledger, sa.select(SUPPRESSION))] == [mine.address_hash]
    refusals = rows_of(any_ledger, sa.select(CONSENT).where(sa.not_(CONSENT.c.is_granted)))
    assert [(one.channel, one.address_hash) for one in refusals] == [("sms", mine.address_hash)]


@pytest.mark.requirement("R84", "R120")
def test_a_receipt_proves_that_an_unknown_message_was_taken(ledger: sa.Engine, tmp_path: Path) -> None:
    from warehouse.ledger.schema import MESSAGE

    persons, space = people(2), workspace(tmp_path)
    planned(ledger, known(), tmp_path, persons)
    delivered(ledger, known(), space, persons)
    first = next(one for one in messages(ledger) if one.contact_id == "c0000")
    with ledger.begin() as connection:
        connection.execute(sa.update(MESSAGE).values(state="unknown"))
    other = REPORT["aliyun"] | {"phone_number": "13900000000", "biz_id": "9^0", "out_id": first.message_id}
    take_in(ledger, parse("aliyun", body(other)), AddressKey(KEY.encode()), NIGHT)
    assert shown_by_receipts(ledger) == {}  # another number cannot speak of it
    take_in(
        ledger, parse("aliyun", body(REPORT["aliyun"] | {"out_id": first.message_id})), AddressKey(KEY.encode()), NIGHT
    )
    assert set(shown_by_receipts(ledger)) == {first.message_id}
