"""A mail server may do anything: each letter ends with an outcome and a reason, within its time, and the others go out."""

import time

import pytest

from connectors.channels import ChannelUnreachable
from connectors.channels.smtp import Smtp
from tests.connectors.mailing import letter, smtp
from tests.send.smtp_script import PIPELINING, Dribble, Reply, Scripted

ENDLESS = b"250-more\r\n" * 50_000
LONG = b"250 " + b"x" * 5_000_000
WAYS = pytest.mark.parametrize("hello", ["250 ok", PIPELINING], ids=["one by one", "together"])


def sent(channel: Smtp, id: str, **changes: str) -> tuple[str, str | None]:
    channel.ready()
    outcome = channel.send(letter(id, **changes))
    return outcome.kind, outcome.code


@WAYS
@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    ("word", "reply", "ends"),
    [
        ("MAIL", "500 5.5.2 syntax", ("rejected", "500")),
        ("RCPT", "500 5.5.2 syntax", ("rejected", "500")),
        ("DATA", "500 5.5.2 syntax", ("rejected", "500")),
        ("DOT", "500 5.5.2 syntax", ("rejected", "500")),
        ("MAIL", None, ("deferred", "disconnected")),
        ("RCPT", None, ("deferred", "disconnected")),
        ("DATA", None, ("deferred", "disconnected")),
        ("DOT", None, ("unknown", "no_answer")),
        ("MAIL", b"\x00\xff\xfe garbage\n", ("deferred", "no_smtp")),
        ("RCPT", b"HTTP/1.1 200 OK\r\n\r\n", ("deferred", "no_smtp")),
        ("DATA", b"99\r\n", ("deferred", "no_smtp")),
        ("DATA", "250 ok", ("deferred", "250")),
        ("DOT", b"garbage\r\n", ("unknown", "no_smtp")),
        ("DOT", "354 go on", ("unknown", "354")),
        ("MAIL", ENDLESS, ("deferred", "no_smtp")),
        ("DOT", ENDLESS, ("unknown", "no_smtp")),
        ("RCPT", LONG, ("deferred", "no_smtp")),
        ("MAIL", Dribble(b"250 " + b"o" * 1000), ("deferred", "timeout")),
        ("RCPT", Dribble(b"250-a\r\n" * 1000), ("deferred", "timeout")),
        ("DOT", Dribble(b"250 " + b"o" * 1000), ("unknown", "no_answer")),
    ],
)
def test_whatever_a_server_does_a_letter_ends_and_the_next_goes_out(
    hello: str, word: str, reply: Reply, ends: tuple[str, str]
) -> None:
    with Scripted(EHLO=[hello], **{word: [reply]}) as server, smtp(server.port) as channel:
        started = time.monotonic()
        assert sent(channel, "m1") == ends
        assert time.monotonic() - started < 20  # a hundred seconds, if each byte had its own time
        server.replies = {"EHLO": [hello]}
        assert sent(channel, "m2") == ("accepted", "250")
        assert sum(b"<m1@" in mail for mail in server.mails) <= 1
        assert sum(b"<m2@" in mail for mail in server.mails) == 1


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    ("word", "reply"),
    [
        ("BANNER", "554 no"),
        ("BANNER", None),
        ("BANNER", b"SSH-2.0-OpenSSH_9\r\n"),
        ("BANNER", b"\xff" * 1_000_000),
        ("BANNER", Dribble(b"220 " + b"o" * 1000)),
        ("EHLO", None),
        ("EHLO", Dribble(b"250-a\r\n" * 1000)),
    ],
)
def test_a_server_that_never_gets_ready_is_one_sentence(word: str, reply: Reply) -> None:
    with Scripted(**{word: [reply]}) as server, smtp(server.port) as channel:
        started = time.monotonic()
        with pytest.raises(ChannelUnreachable, match=f"127.0.0.1:{server.port} does not answer"):
            channel.ready()
        assert time.monotonic() - started < 20
        server.replies.clear()
        assert sent(channel, "m1") == ("accepted", "250")


@WAYS
@pytest.mark.requirement("R84")
@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("reply", ["452 4.5.3 Too many messages sent", "421 4.7.0 too many messages, closing"])
def test_a_tired_server_gets_the_same_letter_again_at_once_and_is_believed(hello: str, word: str, reply: str) -> None:
    """OpenSMTPD refuses the 101st mail of a session, others the 2500th: it was proven not accepted, so it is the person's first."""
    usual = {"DATA": "354 go on"}.get(word, "250 ok")
    with Scripted(EHLO=[hello], **{word: [usual, usual, usual, reply, usual]}) as server, smtp(server.port) as channel:
        assert [sent(channel, f"m{n}") for n in range(8)] == [("accepted", "250")] * 8
        assert channel.mails == 3
        assert server.connections == 3  # three letters, then three at a time
        kept = [mail for mail in server.mails if b"<m3@" in mail]
        assert len(kept) == (2 if word == "DOT" else 1)


@WAYS
def test_an_idle_connection_that_was_closed_costs_no_letter(hello: str) -> None:
    with Scripted(EHLO=[hello], MAIL=["250 ok", None, "250 ok"]) as server, smtp(server.port) as channel:
        assert [sent(channel, f"m{n}") for n in range(3)] == [("accepted", "250")] * 3
        assert channel.mails == 90


@WAYS
def test_a_server_that_is_tired_of_the_very_first_letter_is_not_asked_twice(hello: str) -> None:
    with Scripted(EHLO=[hello], MAIL=["421 4.3.2 closing"]) as server, smtp(server.port) as channel:
        assert sent(channel, "m1") == ("deferred", "421")
        assert server.connections == 1


@WAYS
def test_a_refused_recipient_leaves_nothing_behind(hello: str) -> None:
    """A server may ask for the mail although nobody is to get it: then the connection ends, and no empty mail."""
    script: dict[str, list[Reply]] = {"RCPT": ["550 5.1.1 no such user", "250 ok"]}
    with Scripted(EHLO=[hello], **script) as server, smtp(server.port) as channel:
        assert sent(channel, "m1") == ("rejected", "550")
        assert sent(channel, "m2") == ("accepted", "250")
        assert [mail for mail in server.mails if mail.strip()] == server.mails[-1:]


@pytest.mark.requirement("R89")
@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "hello\r\nBcc: everyone@example.com"},
        {"subject": "x" * 10_000_000},
        {"address": "ming@example.com> NOTIFY=NEVER"},
        {"address": "ming@example.com\r\nRCPT TO:<x@y.z>"},
        {"address": "ming@example.com,x@y.z"},
        {"address": "a@" + "b" * 10_000_000},
        {"address": "no address"},
        {"unsubscribe_url": "https://shop.example/u>\r\nBcc: x@y.z"},
        {"html": "x" * 30_000_000},
        {"message_id": "m1>\r\nBcc: x@y.z"},
    ],
)
def test_what_cannot_be_a_mail_never_reaches_the_wire(changes: dict[str, str]) -> None:
    with Scripted() as server, smtp(server.port) as channel:
        channel.ready()
        outcome = channel.send(letter(**changes))
        assert (outcome.kind, outcome.code) == ("rejected", "unsendable")
        assert not set(outcome.detail or "") & set("@<>\r\n")
        assert sent(channel, "m2") == ("accepted", "250")
        assert not any(b"Bcc" in line for line in server.commands)


def test_a_field_of_ten_megabytes_goes_out_as_one_mail() -> None:
    with Scripted(EHLO=[PIPELINING]) as server, smtp(server.port) as channel:
        assert sent(channel, "m1", html="王" * 3_000_000) == ("accepted", "250")
        assert max(map(len, server.mails[0].split(b"\r\n"))) <= 998
        assert any(command.startswith(b"MAIL FROM:<vesper@shop.example> SIZE=1") for command in server.commands)
