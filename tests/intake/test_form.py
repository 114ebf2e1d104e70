"""Forms: what they ask, what they refuse in clear words, what is committed before an answer, and what follows from it."""

import json
import time
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bench.tick_company import made
from tests.intake.conftest import Company, Found
from vesper.form import filled
from vesper.language import translator
from vesper.model.form import Form
from warehouse.house import House
from warehouse.ledger.definitions import activate
from warehouse.ledger.send_schema import INBOX

PAPER: dict[str, Any] = {
    "says": "The paper.",
    "owner": "marketing",
    "fields": {"email": {"required": True}, "name": {"longest": 20}, "need": {"allowed": ["buy", "look"]}},
    "consent": {"version": "2026-11", "text": {"zh_CN": "我同意", "en": "I agree"}, "channels": ["email"]},
    "series": "Paper",
    "content": "paper",
    "origins": ["https://www.example.com"],
    "least_seconds": 1,
}
SERVER = PAPER | {"least_seconds": 0, "redirect": "https://www.example.com/thanks"}
ASKED = {"email": "ming@example.com", "name": "王小明"}


def with_forms(company: Company, **forms: dict[str, Any]) -> str:
    """Put forms in force and serve; gives where they stand."""
    with company.engine.begin() as connection:
        for id, said in forms.items():
            activate(connection, f"forms/{id}", json.dumps(said, ensure_ascii=False), "test")
    company.serve()
    return f"{company.address}/f"


def token(at: str, **headers: str) -> str:
    answer = requests.get(at, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


@pytest.mark.requirement("R17", "R74", "R88")
def test_a_form_is_kept_with_the_words_that_were_agreed_to(company: Company) -> None:
    at = with_forms(company, paper=PAPER) + "/paper"
    shown = requests.get(at, headers={"Accept-Language": "en"}, timeout=30).json()
    assert shown["consent"] == {"version": "2026-11", "text": "I agree"} and shown["fields"]["email"]["required"]
    time.sleep(1.1)
    posted = ASKED | {"token": shown["token"], "consent": "on", "campaign": "left aside"}
    for _ in range(3):
        answer = requests.post(at, data=posted, timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    (row,) = company.rows(INBOX)
    said = json.loads(row.payload)
    assert (row.kind, row.source, row.handled_at) == ("form_submitted", "form:paper", None)
    assert {key: said[key] for key in ("email", "name", "consent_email", "consent_text", "series_id", "content_id")} == {
        "email": "ming@example.com", "name": "王小明", "consent_email": True, "consent_text": "2026-11", "series_id": "Paper",
        "content_id": "paper",
    }  # fmt: skip
    assert "consent_sms" not in said and "campaign" not in said


@pytest.mark.requirement("R17")
def test_what_is_wrong_is_said_in_the_language_that_is_asked_for(found: Found) -> None:
    company = found()
    at = with_forms(company, paper=SERVER) + "/paper"
    posted = {"email": "nobody", "name": "x" * 21, "need": "steal"}
    answer = requests.post(at, json=posted, headers={"Accept-Language": "en"}, timeout=30)
    assert answer.status_code == 422 and set(answer.json()["wrong"]) == {"email", "name", "need"}
    assert answer.json()["wrong"]["email"].startswith("This is no mail address")
    chinese = requests.post(at, json=posted, headers={"Accept-Language": "zh-CN"}, timeout=30).json()
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in words) for words in chinese["wrong"].values())
    assert requests.post(at, json={"name": "x"}, timeout=30).status_code == 422
    for body in ("[]", "no", "{", '"x"', "[" * 20000):
        answer = requests.post(at, data=body, headers={"Content-Type": "application/json"}, timeout=30)
        assert answer.status_code in (400, 422), body[:9]
    assert requests.post(at, data="email=" + "x" * 40000, timeout=30).status_code == 413
    assert requests.post(f"{company.address}/f/none", data=ASKED, timeout=30).status_code == 404
    assert company.rows(INBOX) == []


@pytest.mark.requirement("R17")
def test_machines_and_stale_pages_are_told_apart(found: Found) -> None:
    company = found()
    at = with_forms(company, paper=PAPER | {"least_seconds": 30}, other=PAPER)
    fast = requests.post(f"{at}/paper", data=ASKED | {"token": token(f"{at}/paper")}, timeout=30)
    assert fast.status_code == 422
    for wrong in ("", "x" * 64, token(f"{at}/other")):
        assert requests.post(f"{at}/paper", data=ASKED | {"token": wrong}, timeout=30).status_code == 422
    assert company.rows(INBOX) == []
    trapped = requests.post(
        f"{at}/paper", data=ASKED | {"token": token(f"{at}/paper"), "website": "http://spam"}, timeout=30
    )
    assert (trapped.status_code, trapped.json()) == (200, {"ok": True}), "a machine learns nothing"
    (row,) = company.rows(INBOX)
    said = json.loads(row.payload)
    assert said["is_machine"] and "email" not in said and row.handled_at is not None


@pytest.mark.requirement("R17")
def test_only_the_named_web_sites_may_post(found: Found) -> None:
    company = found()
    at = with_forms(company, paper=SERVER) + "/paper"
    ours, other = {"Origin": "https://www.example.com"}, {"Origin": "https://evil.example"}
    asked = requests.options(at, headers=ours | {"Access-Control-Request-Method": "POST"}, timeout=30)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, ours["Origin"])
    for stranger in (other, {"Origin": "null"}):
        refused = requests.post(at, data=ASKED, headers=stranger, timeout=30)
        assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused.headers
    assert company.rows(INBOX) == []
    answer = requests.post(at, data=ASKED, headers=ours, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://www.example.com/thanks")
    own = {"token": "order-12345678"}
    for _ in range(2):
        script = requests.post(at, json=ASKED | own, headers=ours | {"Accept": "application/json"}, timeout=30)
        assert script.json() == {"ok": True}
    assert len(company.rows(INBOX)) == 2


ANY = st.dictionaries(
    st.sampled_from(["email", "name", "need", "phone", "consent", "website", "x"]), st.text(max_size=40)
)


@pytest.mark.requirement("R17")
@given(ANY)
def test_whatever_is_posted_is_either_wrong_or_can_be_kept(posted: dict[str, str]) -> None:
    form = Form.model_validate(PAPER)
    found = filled(form, posted, translator("zh_CN"))
    text = json.dumps(dict(found.said), ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text and set(found.said) <= {
        *form.fields,
        "consent_email",
        "consent_text",
        "series_id",
        "content_id",
    }
    assert found.wrong or found.said["email"]
    assert set(found.wrong) <= set(form.fields)


@pytest.mark.requirement("R74")
def test_a_form_brings_its_paper(tmp_path: Any) -> None:
    """From the contract to the message that is planned: the same journey that forms of any source enter."""
    from tasks.tick import Tick
    from vesper.clock import now
    from warehouse.ledger.inbox import Arrival, append

    root = made(tmp_path / "company", 0)
    said = filled(Form.model_validate(PAPER), ASKED | {"consent": "true"}, translator("en")).said
    house = House.open(root)
    with house.engine.begin() as connection:
        append(connection, Arrival("form:paper", "1", "form_submitted", now(), said))
    assert Tick(house).plan(now()).figures["messages"] == 1
    house.close()
