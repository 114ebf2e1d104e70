"""A mail as bytes, for any words in it (invariant I9): CRLF only, short lines, no header that nobody wrote, both ways to leave."""

import datetime as dt
import email.charset
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channels import Letter
from connectors.channels.header import Unsendable
from connectors.channels.mime import Letterhead
from tests.connectors.mailing import MAILTO, ONE_CLICK, SENDER, SENDER_NAME, letter, parsed, smtp
from tests.send.smtp_script import PIPELINING, Scripted

HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
}
ANYTHING = st.text(max_size=300)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=300)
BREAKS = st.sampled_from(["\r", "\n", "\r\n", "\x00", "\x0b", "\x85", "\u2028", "\x7f"])
HEAD = Letterhead(SENDER, SENDER_NAME, "答复@shop.example".replace("答复", "reply"), "verp")


def is_well_formed(mail: bytes) -> bool:
    rest = mail.replace(b"\r\n", b"")
    lines = mail.split(b"\r\n")
    return (
        b"\r" not in rest
        and b"\n" not in rest
        and max(map(len, lines)) <= 998
        and not any(line.startswith(b".") for line in lines)
    )


@pytest.mark.requirement("R89")
@given(subject=ANYTHING, text=ANYTHING, html=ANYTHING, series=ANYTHING, campaign=ANYTHING)
def test_any_words_make_a_whole_mail_or_none(subject: str, text: str, html: str, series: str, campaign: str) -> None:
    one = letter(subject=subject, text=text, html=html, series=series, campaign_id=campaign)
    try:
        mail = HEAD.composed(one)
    except Unsendable as error:
        assert subject not in str(error) or len(subject) < 3
        return
    read = parsed(mail)
    assert is_well_formed(mail)
    assert set(read.keys()) <= HEADERS and len(read.keys()) == len(set(read.keys()))
    assert read["List-Unsubscribe"] == f"<{ONE_CLICK}>, <{MAILTO}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read["To"] == "ming@example.com"
    plain, page = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None and page is not None
    assert plain.get_payload(decode=True) == text.encode(errors="replace")
    assert page.get_payload(decode=True) == html.encode(errors="replace")
    assert HEAD.composed(one) == mail


@pytest.mark.requirement("R89")
@given(subject=LINE)
def test_a_subject_of_one_line_reads_back_as_it_was(subject: str) -> None:
    read = parsed(HEAD.composed(letter(subject=subject)))
    assert str(read["Subject"]) == subject.strip(" ") or str(read["Subject"]) == subject


@pytest.mark.requirement("R89")
@given(
    before=ANYTHING, line_break=BREAKS, after=ANYTHING, where=st.sampled_from(["subject", "address", "unsubscribe_url"])
)
def test_a_line_break_in_a_header_is_refused(before: str, line_break: str, after: str, where: str) -> None:
    with pytest.raises(Unsendable):
        HEAD.composed(letter(**{where: f"{before}{line_break}{after}"}))


@given(st.text(string.printable, max_size=40), st.text(string.printable, max_size=40))
def test_an_address_on_the_wire_is_one_argument(local: str, domain: str) -> None:
    try:
        mail = HEAD.composed(letter(address=f"{local}@{domain}"))
    except Unsendable:
        return
    (to,) = [line for line in mail.split(b"\r\n") if line.startswith(b"To: ")]
    assert not set(to[4:]) & set(b' <>()[],;:\\"\t')


def test_a_domain_in_other_letters_goes_in_its_idna_form() -> None:
    assert parsed(HEAD.composed(letter(address="ming@例子.中国")))["To"] == "ming@xn--fsqu00a.xn--fiqs8s"


@pytest.mark.requirement("R89")
@pytest.mark.parametrize(
    ("url", "mailto", "header", "one_click"),
    [
        (ONE_CLICK, MAILTO, f"<{ONE_CLICK}>, <{MAILTO}>", True),
        (ONE_CLICK, "", f"<{ONE_CLICK}>", True),
        ("http://127.0.0.1:8080/u/t", MAILTO, f"<http://127.0.0.1:8080/u/t>, <{MAILTO}>", True),
        ("http://shop.example/u/t", MAILTO, f"<http://shop.example/u/t>, <{MAILTO}>", False),
        ("http://127.0.0.1.shop.example/u", "", "<http://127.0.0.1.shop.example/u>", False),
        (MAILTO, "", f"<{MAILTO}>", False),
        ("", "", None, False),
    ],
)
def test_one_click_only_where_an_encrypted_address_answers_it(
    url: str, mailto: str, header: str | None, one_click: bool
) -> None:
    read = parsed(HEAD.composed(letter(unsubscribe_url=url, unsubscribe_mailto=mailto)))
    assert read["List-Unsubscribe"] == header
    assert (read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click") is one_click


@pytest.mark.requirement("R71")
def test_a_series_is_a_list_and_complaints_name_the_campaign() -> None:
    read = parsed(HEAD.composed(letter(series="Winback 2018", campaign_id="winback_loyal")))
    assert read["List-Id"] == "Winback 2018 <winback-2018.shop.example>"
    assert read["Feedback-ID"] == "winback-loyal:winback-2018:mail:shop-example"
    assert parsed(HEAD.composed(letter(series="挽回")))["List-Id"].startswith("挽回 <s")
    assert read["Reply-To"] == "reply@shop.example"


def test_a_bounce_names_the_message() -> None:
    """By the envelope's sender (VERP), and by its id where the server tells of what it could not deliver (RFC 3461)."""
    with Scripted(EHLO=[PIPELINING]) as server, smtp(server.port, HEAD) as channel:
        channel.ready()
        assert channel.send(letter("a1b2")).kind == "accepted"
    mail, rcpt = server.commands[1:3]
    assert mail.startswith(b"MAIL FROM:<b+a1b2@shop.example> SIZE=")
    assert mail.endswith(b" RET=HDRS ENVID=a1b2\r\n")
    assert rcpt == b"RCPT TO:<ming@example.com> NOTIFY=FAILURE,DELAY\r\n"


@pytest.mark.parametrize(("bounce", "sender"), [("", SENDER), ("bounce@shop.example", "bounce@shop.example")])
def test_a_bounce_goes_to_whom_the_settings_name(bounce: str, sender: str) -> None:
    with Scripted() as server, smtp(server.port, Letterhead(SENDER, "Shop", bounce=bounce)) as channel:
        channel.ready()
        assert channel.send(letter()).kind == "accepted"
    assert b"MAIL FROM:<%s>\r\n" % sender.encode() in server.commands
    assert b"RCPT TO:<ming@example.com>\r\n" in server.commands


def test_a_library_that_changes_how_python_writes_utf8_does_not_change_the_mail() -> None:
    """apprise does so when a notice goes by mail; a mail must not depend on whether one went before."""
    before = HEAD.composed(letter(subject="再次光临"))
    email.charset.add_charset("utf-8", email.charset.QP, email.charset.QP, "utf-8")
    try:
        assert Letterhead(SENDER, SENDER_NAME, "reply@shop.example").composed(letter(subject="再次光临")) == before
    finally:
        email.charset.add_charset("utf-8", email.charset.SHORTEST, email.charset.BASE64, "utf-8")


def test_the_date_is_the_instant_of_sending() -> None:
    one: Letter = letter(sent_at=dt.datetime(2018, 1, 2, 2, 3, 4))
    assert parsed(HEAD.composed(one))["Date"] == "Tue, 02 Jan 2018 02:03:04 +0000"
