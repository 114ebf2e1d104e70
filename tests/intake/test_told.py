"""What the chat, the call centre and the tills tell: signed, kept once, about the right person; a coupon is redeemed once."""

import datetime as dt
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.intake.conftest import Company, Found
from vesper.clock import now
from vesper.told import CALL, CHAT, ToldWrongly, told_of
from warehouse.ledger.journey_schema import COUPON
from warehouse.ledger.send_schema import INBOX

KEYS = '[intake.keys]\nchat = "${KEY_OF_CHAT}"\ncall = "${KEY_OF_CALL}"\nshop = "${KEY_OF_SHOP}"\n'
CONTACT = "c" + "0123456789abcdef"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHAT", "CALL", "SHOP"):
        monkeypatch.setenv(f"KEY_OF_{name}", f"the key of {name}")


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, found: Found) -> Company:
    company = found(request.getfixturevalue("postgres_url") if request.param == "postgres" else "", KEYS)
    company.serve()
    return company


def post(company: Company, path: str, told: Any, poster: str, at: float | None = None) -> requests.Response:
    body, stated = json.dumps(told).encode(), str(int(at or time.time()))
    mac = hmac.new(f"the key of {poster}".encode(), stated.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Vesper-Signature": f"sha256={mac}", "X-Vesper-Timestamp": stated}
    return requests.post(f"{company.address}{path}", data=body, headers=headers, timeout=30)


@pytest.mark.requirement("R65", "R45")
def test_chat_and_calls_become_rows_once(served: Company) -> None:
    chat = {"events": [{"id": "1", "email": "a@example.com", "intent": "buy", "at": "2026-03-02T11:00:00+08:00"}]}
    call = {"events": [{"id": "1", "contact_id": CONTACT, "result": "interested"}]}
    for _ in range(2):
        assert post(served, "/chat", chat, "CHAT").status_code == 200
        assert post(served, "/call", call, "CALL").status_code == 200
    first, second = served.rows(INBOX)
    assert (first.kind, first.occurred_at, first.handled_at) == (CHAT, dt.datetime(2026, 3, 2, 3), None)
    assert json.loads(first.payload) == {"email": "a@example.com", "keyword": "buy"}
    assert (second.kind, second.contact_id) == (CALL, CONTACT)
    assert post(served, "/chat", chat, "CALL").status_code == 401
    assert post(served, "/chat", chat, "CHAT", time.time() - 400).status_code == 401
    assert post(served, "/call", {"events": [{"id": "1"}]}, "CALL").json()["where"] == "events[0].result"
    assert len(served.rows(INBOX)) == 2


@pytest.mark.requirement("R65", "R45")
@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({}, "id"),
        ({"id": "1"}, "intent"),
        ({"id": "1", "intent": "BUY!"}, "intent"),
        ({"id": "1", "intent": "buy"}, "contact_id"),
        ({"id": "1", "intent": "buy", "contact_id": "'; drop"}, "contact_id"),
        ({"id": "1", "intent": "buy", "email": "a@b.cn", "at": "yesterday"}, "at"),
        ({"id": "1", "intent": "buy", "email": "a@b.cn", "at": "2026-01-01T00:00:00"}, "at"),
    ],
)
def test_a_post_that_is_wrong_names_the_place_and_no_value(event: dict[str, Any], where: str) -> None:
    with pytest.raises(ToldWrongly, match=rf"^events\[0\]\.{where}$"):
        told_of(CHAT, {"events": [event]}, now())
    for body in (None, [], {}, {"events": []}, {"events": [1]}, {"events": [{}] * 1001}):
        with pytest.raises(ToldWrongly):
            told_of(CHAT, body, now())


def stocked(company: Company) -> None:
    base: dict[str, Any] = {"pool_id": "ten", "contact_id": "c1", "expires_at": None, "redeemed_at": None}
    rows = [
        base | {"code": "GIVEN", "reference": "a"},
        base | {"code": "FREE", "contact_id": None},
        base | {"code": "OLD", "expires_at": now() - dt.timedelta(days=1), "reference": "b"},
    ]
    with company.engine.begin() as connection:
        for row in rows:
            connection.execute(sa.insert(COUPON), row)


@pytest.mark.requirement("R118")
def test_a_coupon_is_redeemed_once_and_a_till_may_ask_again(served: Company) -> None:
    stocked(served)

    def asked(code: str, id: str) -> str:
        return str(post(served, "/r/ten", {"code": code, "id": id}, "SHOP").json()["coupon"])

    assert [asked("NONE", "1"), asked("FREE", "1"), asked("OLD", "1")] == ["unknown", "not_given", "expired"]
    assert served.rows(INBOX) == []
    assert [asked("GIVEN", "7"), asked("GIVEN", "7"), asked("GIVEN", "8")] == [
        "redeemed",
        "redeemed",
        "already_redeemed",
    ]
    (row,) = served.rows(INBOX)
    assert (row.kind, row.contact_id, json.loads(row.payload)["content_id"]) == ("coupon_redeemed", "c1", "GIVEN")
    wrong: list[Any] = [{}, [], {"code": "GIVEN"}, {"code": "x\u0000", "id": "1"}, {"code": 7, "id": "1"}]
    assert {post(served, "/r/ten", told, "SHOP").status_code for told in wrong} == {422}
    assert post(served, "/r/ten", {"code": "GIVEN", "id": "7"}, "CHAT").status_code == 401


@pytest.mark.requirement("R118")
def test_of_many_tills_at_once_one_redeems(served: Company) -> None:
    stocked(served)
    with ThreadPoolExecutor(8) as pool:
        words = list(
            pool.map(
                lambda id: post(served, "/r/ten", {"code": "GIVEN", "id": str(id)}, "SHOP").json()["coupon"], range(8)
            )
        )
    assert sorted(words) == ["already_redeemed"] * 7 + ["redeemed"]
