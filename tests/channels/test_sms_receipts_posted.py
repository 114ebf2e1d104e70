"""Receipts and answers over the web: the address is the secret, what is committed is answered as the provider wants it (C6, R90)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from intake.app import app_of
from tests.channels.fakes.served import served
from tests.channels.test_receipts import REPLY, REPORT
from vesper.address import address_hash
from vesper.token import TokenKeys
from warehouse.house import House
from warehouse.ledger.schema import SUPPRESSION
from warehouse.ledger.send_schema import INBOX

SECRET = "a-long-secret-in-an-address-0001"
TOML = """[company]
name = "店"
[sms]
provider = "aliyun"
key_id = "${SMS_KEY_ID}"
key_secret = "${SMS_KEY_SECRET}"
sign = "好邻居"
receipt_key = "${SMS_RECEIPT_KEY}"
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("SMS_RECEIPT_KEY", SECRET)
    (tmp_path / "vesper.toml").write_text(TOML, encoding="utf-8")
    house = House.open(tmp_path)
    yield house
    house.close()


@pytest.mark.requirement("R84", "R90")
def test_receipts_are_kept_and_answered(house: House) -> None:
    told = json.dumps([REPORT["aliyun"], REPLY["aliyun"]]).encode()
    with served(app_of(house, TokenKeys.of(b"key" * 12))) as address:
        wrong = [f"/s/aliyun/{SECRET}x", "/s/aliyun/", f"/s/tencent/{SECRET}", f"/s/other/{SECRET}"]
        assert [requests.post(address + path, told, timeout=10).status_code for path in wrong] == [404] * 4
        mine = f"{address}/s/aliyun/{SECRET}"
        assert requests.get(mine, timeout=10).status_code == 405
        assert requests.post(mine, b"{}", timeout=10).status_code == 422
        answers = [requests.post(mine, told, timeout=10) for _ in range(2)]
    assert [one.json() for one in answers] == [{"code": 0, "msg": "接收成功"}] * 2
    with house.engine.begin() as connection:
        kinds = list(connection.scalars(sa.select(INBOX.c.kind).order_by(INBOX.c.inbox_id)))
        out = list(connection.scalars(sa.select(SUPPRESSION.c.address_hash)))
    assert kinds == ["sms_delivered", "sms_unsubscribed"]
    assert out == [address_hash(house.address_key, "sms", "+8613800000000")]
