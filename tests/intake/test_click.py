"""Links of letters: followed by a word each, kept before the letter leaves, answered from the ledger alone; opens beside them."""

import datetime as dt
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from functools import partial
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from tasks.delivery import Letters, deliver, simulated
from tests.intake.conftest import Company, Found
from tests.send.company import (
    KEY,
    NIGHT,
    campaign,
    definitions,
    looking_up,
    night,
    people,
    planned,
    rows_of,
    workspace,
)
from vesper.content import written
from vesper.content_link import OPEN, TRAP, link_id
from vesper.model.content import Content
from vesper.model.workspace import Clock, Intake
from vesper.send import planned_at
from vesper.token import TokenKeys, link_of, link_url, open_url, sign, verify
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.intake_schema import LINK
from warehouse.ledger.link import LinkTaken, keep_links, url_of
from warehouse.ledger.send_schema import INBOX
from warehouse.secret import VARIABLE

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"}
URL = "https://shop.example/week?from=mail&x=1"
MESSAGE = "m" * 26
HTML = (
    '<p>{{ name }}</p><a class="b" href="https://shop.example/week?from=mail&amp;x=1">本周</a> <a href="https://shop.example/p?n={{ city }}">x</a>'
    '<a href="mailto:a@b.example">mail</a> <a href="https://shown.example/a">https://shown.example/a</a>'
    "<a href='https://shop.example/week?from=mail&amp;x=1'>again</a> <a href=\"{{ unsubscribe_url }}\">退订</a>"
    '<a href="{{ preference_url }}">选择</a>'
)
TEXT = "{{ name }}\n看看 https://shop.example/week?from=mail&x=1。\n退订：{{ unsubscribe_url }}"
WORDS = {
    "name": "<王>",
    "city": "沪",
    "unsubscribe_url": "https://mail.example/u/x",
    "preference_url": "https://mail.example/p/x",
}


def said(**parts: str) -> Content:
    message = {"subject": "好"} | parts
    return Content.model_validate({"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": message}})


def followed(content: Content) -> tuple[str, str, list[str]]:
    """Text, HTML and the links that were asked for, each link as `to:ID`."""
    asked: list[str] = []

    def follow(id: str) -> str:
        asked.append(id)
        return f"https://mail.example/to/{id}"

    filled = written(content, "zh_CN", is_followed=True).fill(WORDS, follow=follow)
    return filled.text, filled.html, asked


@pytest.mark.requirement("R84", "R51")
def test_links_of_html_are_followed_and_nothing_else() -> None:
    text, html, asked = followed(said(html=HTML))
    mine = link_id("coupon", URL)
    assert html.count(f"https://mail.example/to/{mine}") == 2 and "shop.example/week" not in html
    assert sorted(asked) == sorted([mine, TRAP, OPEN])
    for kept in ("https://shop.example/p?n=沪", "mailto:a@b.example", 'href="https://shown.example/a"', "/u/x", "/p/x"):
        assert kept in html, kept
    assert "https://shop.example/week?from=mail" in text, "people read where the text leads"
    assert "&lt;王&gt;" in html and html.index(f"/to/{TRAP}") < html.index("</body>")
    assert re.search(r'<a href="[^"]*trap"[^>]*display:none', html)


@pytest.mark.requirement("R84")
def test_addresses_in_a_text_are_followed_where_nobody_wrote_html() -> None:
    text, html, _ = followed(said(text=TEXT))
    mine = link_id("coupon", URL)
    assert f"看看 https://mail.example/to/{mine}。" in text and f"/to/{mine}" in html
    assert written(said(text=TEXT), "zh_CN").fill(WORDS).text.count(URL) == 1, "without being followed they stay"


@pytest.mark.requirement("R84")
def test_every_letter_carries_links_of_its_own_that_the_ledger_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    engine, keys = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), TokenKeys.of(KEY.encode())
    known, persons = definitions(campaign(), said=said(html=HTML)), people(2)
    intake = Intake(address="http://127.0.0.1:8025")
    space = workspace(tmp_path, intake=intake, clock=Clock(mode="simulated", simulated_on=NIGHT))
    planned(engine, known, tmp_path, persons)
    start = planned_at(night(known, tmp_path))
    letters = Letters(space, known, looking_up(persons), keep_links=partial(keep_links, engine))
    deliver(engine, space, known, letters, start + dt.timedelta(days=1), simulated(start))
    (link,) = rows_of(engine, sa.select(LINK))
    assert (link.url, link.content_id) == (URL, "coupon")
    seen = set()
    for file in (tmp_path / ".vesper" / "sink").glob("*.eml"):
        bodies = [part.get_payload(decode=True) for part in message_from_bytes(file.read_bytes()).walk()]
        body = b"".join(one for one in bodies if isinstance(one, bytes)).decode()
        told = [link_of(str(verify(keys, "click", token))) for token in re.findall(r"/c/([\w-]+)", body)]
        assert {id for _, id in told} == {link.link_id, TRAP} and len({id for id, _ in told}) == 1
        assert verify(keys, "open", re.findall(r"/o/([\w-]+)\.gif", body)[0]) == told[0][0]
        seen.add(told[0][0])
    assert len(seen) == 2
    engine.dispose()


@pytest.mark.requirement("R84")
def test_the_id_of_a_link_never_stands_for_two_addresses(company: Company) -> None:
    id = link_id("coupon", URL)
    assert keep_links(company.engine, "coupon", {id: URL}) == 1
    assert keep_links(company.engine, "coupon", {id: URL}) == 0
    with pytest.raises(LinkTaken):
        keep_links(company.engine, "coupon", {id: "https://evil.example"})
    assert url_of(company.engine, id) == URL and url_of(company.engine, "none") is None


@pytest.fixture
def served(company: Company) -> Iterator[Company]:
    company.message(MESSAGE, "a@example.com")
    keep_links(company.engine, "coupon", {link_id("coupon", URL): URL})
    company.serve()
    yield company


def click_url(company: Company, message_id: str = MESSAGE, link: str = "") -> str:
    return link_url(company.address, company.keys, message_id, link or link_id("coupon", URL))


def get(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> requests.Response:
    return requests.request(method, url, headers=headers or BROWSER, allow_redirects=False, timeout=30)


@pytest.mark.requirement("R84", "R17")
def test_a_click_is_a_row_before_it_leads_on(served: Company) -> None:
    answer = get(click_url(served))
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    (row,) = served.rows(INBOX)
    assert (row.kind, row.message_id, row.contact_id, row.handled_at) == ("mail_clicked", MESSAGE, f"c-{MESSAGE}", None)
    assert URL in row.payload and "is_machine" not in row.payload
    for _ in range(5):
        assert get(click_url(served)).status_code == 302
    assert len(served.rows(INBOX)) <= 2, "brought again within seconds it is the same click"


@pytest.mark.requirement("R84", "R90")
def test_no_token_leads_anywhere_that_the_ledger_does_not_name(served: Company) -> None:
    own, stranger = served.keys, TokenKeys.of(b"x" * 40)
    id = link_id("coupon", URL)
    for token in (
        sign(own, "click", f"{MESSAGE}~{'0' * 12}"),
        sign(own, "click", f"{MESSAGE}~https://evil.example"),
        sign(own, "click", MESSAGE),
        sign(own, "unsubscribe", f"{MESSAGE}~{id}"),
        sign(own, "open", MESSAGE),
        sign(stranger, "click", f"{MESSAGE}~{id}"),
        "https:%2F%2Fevil.example",
        "x" * 3000,
    ):
        answer = get(f"{served.address}/c/{token}?url=https://evil.example&next=//evil.example")
        assert answer.status_code == 404 and "Location" not in answer.headers, token
    answer = get(click_url(served) + "?url=https://evil.example")
    assert answer.headers["Location"] == URL
    for method in ("POST", "PUT", "DELETE"):
        assert get(click_url(served), method).status_code == 405
    assert len(served.rows(INBOX)) == 1


@pytest.mark.requirement("R84")
def test_what_a_request_tells_of_a_machine_is_kept_with_it(served: Company) -> None:
    get(click_url(served), "HEAD")
    get(click_url(served), headers={"User-Agent": "Barracuda Sentinel (EE)"})
    get(click_url(served), headers={"User-Agent": "Mozilla/5.0"})
    assert get(click_url(served, link=TRAP)).status_code == 404
    get(click_url(served))
    told = [re.findall(r'"machine": "(\w+)"', row.payload) for row in served.rows(INBOX)]
    assert told == [["head"], ["scanner"], ["proxy"], ["trap"], []]
    assert [row.handled_at is None for row in served.rows(INBOX)] == [False] * 4 + [True]


@pytest.mark.requirement("R84")
def test_opens_are_kept_after_their_answer_and_test_messages_never(served: Company) -> None:
    answer = get(open_url(served.address, served.keys, MESSAGE))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    assert get(open_url(served.address, served.keys, "test-1")).ok
    assert get(f"{served.address}/o/{'A' * 64}.gif").status_code == 404
    over_at = time.monotonic() + 30
    while not (rows := served.rows(INBOX)) and time.monotonic() < over_at:
        time.sleep(0.05)
    assert [(row.kind, row.message_id) for row in rows] == [("mail_opened", MESSAGE)]


@pytest.mark.requirement("R84")
def test_many_at_once_are_all_kept(served: Company) -> None:
    ids = [f"{n:026}" for n in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda id: get(click_url(served, id)).status_code, ids))
    assert answers == [302] * 200
    assert {row.message_id for row in served.rows(INBOX)} == set(ids)


@pytest.mark.requirement("R84")
def test_a_person_is_led_on_while_the_ledger_is_busy(found: Found) -> None:
    company = found()
    keep_links(company.engine, "coupon", {link_id("coupon", URL): URL})
    company.serve()
    assert get(click_url(company)).status_code == 302
    with company.engine.begin() as connection:
        connection.execute(sa.text("drop table inbox"))
    assert get(click_url(company, "n" * 26)).headers["Location"] == URL
