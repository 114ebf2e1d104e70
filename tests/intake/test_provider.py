"""What mail providers tell: signed over the raw body, each event once, and an address that is gone is kept out in the same transaction."""

import base64
import copy
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.intake.conftest import Company, Found
from vesper.clock import now
from vesper.provider_event import PROVIDERS, Unreadable, facts_of
from warehouse.ledger.schema import CONSENT, SUPPRESSION
from warehouse.ledger.send_schema import INBOX

MESSAGE, MAIL = "m" * 26, "gone@example.com"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEYS = {
    "sendgrid": base64.b64encode(PUBLIC).decode(),
    "mailgun": "key of mailgun",
    "postmark": "user:password",
    "vesper": "key of a provider",
}
ALL = "[intake.keys]\n" + "".join(f'{name} = "${{KEY_OF_{name.upper()}}}"\n' for name in KEYS)
SENDGRID = [
    {
        "email": MAIL,
        "timestamp": 1700000000,
        "smtp-id": f"<{MESSAGE}@shop.example>",
        "event": event,
        "sg_event_id": event,
    }
    | more
    for event, more in (
        ("processed", {}),
        ("delivered", {}),
        ("bounce", {"type": "bounce", "status": "5.1.1", "reason": f"550 5.1.1 <{MAIL}> unknown"}),
        ("open", {}),
    )
]
MAILGUN = {
    "event": "failed",
    "severity": "permanent",
    "id": "e1",
    "timestamp": 1700000000.25,
    "recipient": MAIL,
    "message": {"headers": {"message-id": f"{MESSAGE}@shop.example"}},
}
POSTMARK = {
    "RecordType": "Bounce",
    "ID": 42,
    "Type": "HardBounce",
    "MessageID": "883953f4",
    "Email": MAIL,
    "BouncedAt": "2014-08-01T13:28:10.2735393-04:00",
    "Metadata": {"message_id": MESSAGE},
}
VESPER = {"events": [{"id": "v1", "event": "bounced_hard", "message_id": MESSAGE, "at": "2026-01-01T00:00:00Z"}]}
BODIES: Mapping[str, Any] = {"sendgrid": SENDGRID, "mailgun": MAILGUN, "postmark": POSTMARK, "vesper": VESPER}


def signed(provider: str, told: Any, *, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    """The body of a provider, and the headers that it signs it with."""
    stated, key = str(int(at or time.time())), KEYS[provider]
    if provider == "mailgun":
        token = "a8ce0edb2dd8301d"
        mac = hmac.new(key.encode(), (stated + token).encode(), hashlib.sha256).hexdigest()
        told = {"signature": {"timestamp": stated, "token": token, "signature": mac}, "event-data": told}
    body = json.dumps(told).encode()
    if provider == "sendgrid":
        signature = base64.b64encode(PRIVATE.sign(stated.encode() + body, ec.ECDSA(SHA256()))).decode()
        name = "X-Twilio-Email-Event-Webhook"
        return body, {f"{name}-Signature": signature, f"{name}-Timestamp": stated}
    if provider == "postmark":
        return body, {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
    if provider == "vesper":
        mac = hmac.new(key.encode(), stated.encode() + b"." + body, hashlib.sha256).hexdigest()
        return body, {"X-Vesper-Signature": f"sha256={mac}", "X-Vesper-Timestamp": stated}
    return body, {}


def post(company: Company, provider: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    return requests.post(f"{company.address}/wh/{provider}", data=body, headers=dict(headers), timeout=30)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(f"KEY_OF_{name.upper()}", key)


@pytest.fixture
def served(request: pytest.FixtureRequest, found: Found) -> Company:
    url = request.getfixturevalue("postgres_url") if getattr(request, "param", "") == "postgres" else ""
    company = found(url, ALL)
    company.message(MESSAGE, MAIL)
    company.serve()
    return company


@pytest.mark.requirement("R90", "R84")
@pytest.mark.parametrize("served", ["sqlite", "postgres"], indirect=True)
def test_a_hard_bounce_of_every_provider_keeps_the_address_out_once(served: Company) -> None:
    for provider in PROVIDERS:
        body, headers = signed(provider, BODIES[provider])
        first, again = post(served, provider, body, headers), post(served, provider, body, headers)
        assert (first.status_code, again.status_code) == (200, 200), first.text
        assert first.json()["new"] >= 1 and again.json()["new"] == 0
    (row,) = served.rows(SUPPRESSION)
    assert (row.channel, row.address_hash, row.reason) == ("email", served.hashed(MAIL), "hard_bounce")
    kinds = [(row.kind, row.message_id, row.contact_id) for row in served.rows(INBOX)]
    assert kinds == [("mail_delivered", MESSAGE, f"c-{MESSAGE}")] + [("mail_bounced_hard", MESSAGE, f"c-{MESSAGE}")] * 4
    assert MAIL not in " ".join(row.payload for row in served.rows(INBOX))
    assert served.rows(CONSENT) == []


@pytest.mark.requirement("R90")
def test_who_complains_is_kept_out_and_has_refused_even_where_no_message_tells(served: Company) -> None:
    told = [
        {"id": "1", "event": "complained", "message_id": MESSAGE},
        {"id": "2", "event": "unsubscribed", "message_id": "unknown", "address": "Other@Example.com"},
        {"id": "3", "event": "bounced_soft", "message_id": MESSAGE},
        {"id": "4", "event": "invented", "message_id": MESSAGE},
    ]
    body, headers = signed("vesper", {"events": told})
    assert post(served, "vesper", body, headers).json() == {"ok": True, "new": 3}
    reasons = {row.address_hash: row.reason for row in served.rows(SUPPRESSION)}
    assert reasons == {served.hashed(MAIL): "complaint", served.hashed("other@example.com"): "unsubscribed"}
    assert {row.address_hash for row in served.rows(CONSENT) if not row.is_granted} == set(reasons)


@pytest.mark.requirement("R90", "R84")
def test_what_is_not_signed_changes_nothing(served: Company) -> None:
    for provider in PROVIDERS:
        body, headers = signed(provider, BODIES[provider])
        refused = 406 if provider == "mailgun" else 401
        other = body.replace(b'"sig', b'"x') if provider == "mailgun" else body + b" "
        if provider != "postmark":
            assert post(served, provider, other, headers).status_code == refused
            stale = signed(provider, BODIES[provider], at=time.time() - 301)
            assert post(served, provider, *stale).status_code == refused
        if provider != "mailgun":
            assert post(served, provider, body, {}).status_code == 401
            wrong = {name: value[:-2] + "xx" for name, value in headers.items()}
            assert post(served, provider, body, wrong).status_code == 401
        assert post(served, provider, b"\xff" * 50, {}).status_code == refused
        assert requests.get(f"{served.address}/wh/{provider}", timeout=30).status_code == 405
    assert post(served, "nobody", b"{}", {}).status_code == 404
    assert post(served, "sendgrid", b"x" * 2_200_000, {}).status_code == 413
    assert served.rows(INBOX) == served.rows(SUPPRESSION) == []


@pytest.mark.requirement("R84")
def test_a_provider_without_a_key_is_not_there(found: Found) -> None:
    company = found()
    company.serve()
    for provider in PROVIDERS:
        assert post(company, provider, *signed(provider, BODIES[provider])).status_code == 404
    assert company.rows(INBOX) == []


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    ("provider", "change", "kind"),
    [
        ("sendgrid", {"event": "bounce", "type": "blocked"}, "mail_bounced_soft"),
        ("sendgrid", {"event": "bounce", "type": "bounce", "status": "5.2.2"}, "mail_bounced_soft"),
        ("sendgrid", {"event": "bounce", "type": "bounce"}, "mail_bounced_hard"),
        ("sendgrid", {"event": "spamreport"}, "mail_complained"),
        ("sendgrid", {"event": "group_unsubscribe"}, "unsubscribed"),
        ("sendgrid", {"event": "deferred"}, None),
        ("mailgun", {"severity": "temporary"}, "mail_bounced_soft"),
        ("mailgun", {"event": "complained"}, "mail_complained"),
        ("mailgun", {"event": "opened"}, None),
        ("postmark", {"Type": "SoftBounce"}, "mail_bounced_soft"),
        ("postmark", {"Type": "SpamComplaint"}, "mail_complained"),
        ("postmark", {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}, "unsubscribed"),
        ("postmark", {"RecordType": "SubscriptionChange", "SuppressSending": False}, None),
        ("postmark", {"RecordType": "Delivery"}, "mail_delivered"),
    ],
)  # fmt: skip
def test_the_words_of_each_provider(provider: str, change: dict[str, Any], kind: str | None) -> None:
    body = copy.deepcopy(BODIES[provider])
    body = [body[0] | change] if provider == "sendgrid" else body | change
    found = facts_of(provider, {"event-data": body} if provider == "mailgun" else body, now())
    assert [fact.kind for fact in found] == ([kind] if kind else [])
    assert all(fact.message_id == MESSAGE and fact.at <= now() for fact in found)


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    "body", [None, [], {}, [[]], "x", 7, {"events": {}}, {"event-data": []}, [{"event": "delivered"}]]
)
def test_what_no_provider_documents_is_refused_whole(body: Any) -> None:
    for provider in PROVIDERS:
        if (provider, body) == ("sendgrid", []):
            continue
        with pytest.raises(Unreadable):
            facts_of(provider, body, now())
