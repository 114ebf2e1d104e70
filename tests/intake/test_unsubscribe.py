"""The unsubscribe endpoint as mail programs, people, scanners and attackers meet it: over real HTTP, on both kinds of ledger."""

import concurrent.futures
import datetime as dt
import os
import signal
import socket

import pytest
import requests

from tests.intake.conftest import Company, Found
from vesper.token import TokenKeys, sign
from warehouse.ledger.consent import is_granted, is_suppressed
from warehouse.ledger.schema import CONSENT, SUPPRESSION
from warehouse.ledger.send_schema import INBOX
from warehouse.ledger.unsubscribe import apply_waiting

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MESSAGE = "0123456789abcdef0123456789"
MAIL = "wang@example.com"


def nothing_happened(company: Company) -> bool:
    return not (company.rows(SUPPRESSION) or company.rows(CONSENT) or company.rows(INBOX))


@pytest.mark.requirement("R90")
def test_one_post_of_a_mail_program_unsubscribes_and_is_committed_before_the_answer(company: Company) -> None:
    url = company.message(MESSAGE, MAIL)
    process = company.serve()
    answer = requests.post(url, data=ONE_CLICK, allow_redirects=False, timeout=30)
    os.kill(process.pid, signal.SIGKILL)
    assert (answer.status_code, "set-cookie" in answer.headers, answer.history) == (200, False, [])
    with company.engine.connect() as connection:
        assert is_suppressed(connection, "email", company.hashed(MAIL))
        assert not is_granted(connection, "email", "marketing", company.hashed(MAIL))
    (row,) = company.rows(INBOX)
    assert (row.kind, row.message_id, row.contact_id) == ("unsubscribed", MESSAGE, f"c-{MESSAGE}")
    assert row.handled_at is not None and MAIL not in row.payload


@pytest.mark.requirement("R90")
def test_every_answered_post_is_kept_whenever_the_process_is_killed(company: Company) -> None:
    urls = {f"{n:026x}": company.message(f"{n:026x}", f"p{n}@example.com") for n in range(60)}
    process = company.serve()

    def leave(item: tuple[str, str]) -> str | None:
        message_id, url = item
        try:
            return message_id if requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200 else None
        except requests.RequestException:
            return None

    answered = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in concurrent.futures.as_completed([pool.submit(leave, item) for item in urls.items()]):
            answered.append(done.result())
            if len([one for one in answered if one]) == 15:
                os.kill(process.pid, signal.SIGKILL)
    kept = {row.message_id for row in company.rows(INBOX)}
    assert len(kept) < len(urls), "the kill came too late to prove anything"
    assert {one for one in answered if one} <= kept
    assert len(company.rows(SUPPRESSION)) == len(company.rows(CONSENT)) == len(kept)


@pytest.mark.requirement("R90")
def test_fetching_a_link_changes_nothing_and_shows_a_button(company: Company) -> None:
    url = company.message(MESSAGE, MAIL)
    company.serve()
    scanner = {"User-Agent": "Mozilla/5.0 (compatible; MailScanner)", "Purpose": "prefetch"}
    for method in ("GET", "HEAD"):
        answer = requests.request(method, url, headers=scanner, allow_redirects=False, timeout=30)
        assert answer.status_code == 200 and nothing_happened(company)
    page = requests.get(url, headers={"Accept-Language": "en-GB,en;q=0.9"}, timeout=30)
    assert '<form method="post">' in page.text and "Unsubscribe?" in page.text
    assert MAIL not in page.text and MESSAGE not in page.text and "http" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.requirement("R111", "R90")
def test_the_page_speaks_the_readers_language(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    company.serve()
    asked = {
        "en": "Unsubscribe?",
        "zh-TW,en;q=0.5": "要退订吗",
        "fr, de;q=0.5": "要退订吗",
        "fr;q=1, en;q=0.2, zh;q=0.1": "Unsubscribe?",
    }
    for accepted, said in asked.items():
        assert said in requests.get(url, headers={"Accept-Language": accepted}, timeout=30).text


@pytest.mark.requirement("R90")
def test_the_button_of_the_page_unsubscribes(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    company.serve()
    answer = requests.post(url, data=ONE_CLICK | {"by": "page"}, headers={"Accept-Language": "zh"}, timeout=30)
    assert answer.status_code == 200 and "您已退订" in answer.text
    assert '"page"' in company.rows(INBOX)[0].payload


@pytest.mark.requirement("R90")
def test_multipart_is_the_other_encoding_of_one_click(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    company.serve()
    assert requests.post(url, files={"List-Unsubscribe": (None, "One-Click")}, timeout=30).status_code == 200
    assert len(company.rows(SUPPRESSION)) == 1


@pytest.mark.requirement("R90")
def test_posting_again_says_the_same_and_adds_nothing(company: Company) -> None:
    url = company.message(MESSAGE, MAIL)
    company.serve()
    for _ in range(3):
        assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200
    assert [len(company.rows(table)) for table in (SUPPRESSION, CONSENT, INBOX)] == [1, 1, 1]


@pytest.mark.requirement("R90")
def test_two_messages_to_one_mailbox_are_one_suppression(found: Found) -> None:
    company = found()
    urls = [company.message(id, MAIL, campaign_id=id) for id in ("a" * 26, "b" * 26)]
    company.serve()
    for url in urls:
        assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200
    assert [len(company.rows(table)) for table in (SUPPRESSION, INBOX)] == [1, 2]


@pytest.mark.requirement("R90")
def test_what_is_no_unsubscribe_changes_nothing(company: Company) -> None:
    url = company.message(MESSAGE, MAIL)
    company.serve()
    stranger = sign(TokenKeys.of(b"x" * 40), "unsubscribe", MESSAGE)
    clicked = sign(company.keys, "click", MESSAGE)
    cases = [
        (requests.post, f"{company.address}/u/{stranger}", ONE_CLICK, 404),
        (requests.post, f"{company.address}/u/{clicked}", ONE_CLICK, 404),
        (requests.post, url[:-1], ONE_CLICK, 404),
        (requests.post, f"{company.address}/u/{'A' * 5000}", ONE_CLICK, 404),
        (requests.post, f"{company.address}/u/..%2f..%2fhealth", ONE_CLICK, 404),
        (requests.post, url, {}, 400),
        (requests.post, url, {"List-Unsubscribe": "Two-Click"}, 400),
        (requests.post, f"{url}?List-Unsubscribe=One-Click", {}, 400),
        (requests.put, url, ONE_CLICK, 405),
        (requests.delete, url, ONE_CLICK, 405),
        (requests.get, f"{company.address}/", None, 404),
    ]
    for send, address, data, status in cases:
        answer = send(address, data=data, allow_redirects=False, timeout=30)  # type: ignore[operator]
        assert (answer.status_code, address[:60]) == (status, address[:60])
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    json = requests.post(url, json=ONE_CLICK, timeout=30)
    assert json.status_code == 400
    assert nothing_happened(company)


@pytest.mark.requirement("R90")
def test_large_and_slow_bodies_end_and_others_are_served_meanwhile(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    company.serve()
    large = requests.post(url, data={"List-Unsubscribe": "One-Click", "more": "x" * 20_000}, timeout=30)
    endless = requests.post(url, data=(b"x" * 1000 for _ in range(100)), timeout=30)
    assert (large.status_code, endless.status_code) == (413, 413)
    path = url.removeprefix(company.address)
    with (
        socket.create_connection(("127.0.0.1", company.port)) as slow_body,
        socket.create_connection(("127.0.0.1", company.port)) as slow_head,
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
        slow_body.sendall(head.encode() + b"List-")
        slow_head.sendall(b"POST /u/x HTTP/1.1\r\n")
        assert requests.get(f"{company.address}/health", timeout=5).ok
        assert nothing_happened(company)
        for one in (slow_body, slow_head):
            one.settimeout(60)
        assert b" 408 " in slow_body.recv(200)
        assert until_closed(slow_head) == b""
    assert nothing_happened(company)


def until_closed(connection: socket.socket) -> bytes:
    """Everything that comes until the other side closes, a byte trickling in now and then."""
    got = b""
    connection.settimeout(1)
    for _ in range(60):
        try:
            connection.sendall(b"a")
            block = connection.recv(1000)
        except TimeoutError:
            continue
        except OSError:
            return got
        if not block:
            return got
        got += block
    raise AssertionError("the connection was never closed")


@pytest.mark.requirement("R90")
def test_a_message_that_the_ledger_forgot_is_unsubscribed_as_soon_as_it_is_known(company: Company) -> None:
    company.serve()
    assert requests.post(company.url(MESSAGE), data=ONE_CLICK, timeout=30).status_code == 200
    assert company.rows(INBOX)[0].handled_at is None and not company.rows(SUPPRESSION)
    company.message(MESSAGE, MAIL)
    with company.engine.begin() as connection:
        assert len(apply_waiting(connection, dt.datetime(2026, 1, 1), dt.date(2026, 1, 1))) == 1
    assert len(company.rows(SUPPRESSION)) == len(company.rows(CONSENT)) == 1


@pytest.mark.requirement("R90")
def test_a_ledger_that_is_taken_is_answered_with_try_again_not_with_yes(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    company.serve()
    with company.engine.begin():  # holds the one writer's place for longer than the app waits
        answer = requests.post(url, data=ONE_CLICK, timeout=90)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert nothing_happened(company)
    assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200


@pytest.mark.requirement("R122")
def test_no_token_and_no_address_is_logged(found: Found) -> None:
    company = found()
    url = company.message(MESSAGE, MAIL)
    process = company.serve()
    requests.post(url, data=ONE_CLICK, timeout=30)
    requests.get(url[:-1], timeout=30)
    process.terminate()
    process.wait(30)
    log = (company.root / "intake.log").read_text()
    assert url.rpartition("/")[2][:20] not in log and MAIL not in log
