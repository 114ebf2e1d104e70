"""The mail channel and its sink: bytes, the boundary between "not accepted" and "unknown", and the fence."""

import datetime as dt
import email
import email.charset
import email.policy
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from connectors.channels import ChannelUnreachable, Letter, opened
from connectors.channels.dialogue import Route
from connectors.channels.mime import Letterhead, composed
from connectors.channels.sink import Sink
from connectors.channels.smtp import MAILS_PER_CONNECTION, Smtp
from tests.send.company import workspace
from tests.send.smtp_script import Scripted
from vesper.model.workspace import Clock, Mail

AT = dt.datetime(2018, 1, 2, 2)
LEAVE = "mailto:vesper@shop.example?subject=unsubscribe%20m1"


def letter(id: str = "m1", **changes: object) -> Letter:
    fields = {
        "message_id": id,
        "address": "ming@example.com",
        "subject": "广告：好久不见，10 美元优惠等您回来，欢迎再次光临我们的门店",
        "text": "您好：\n\n.退订：x\n",
        "html": "<p>您好</p>",
        "unsubscribe_url": LEAVE,
        "sent_at": AT,
    }
    return Letter(**(fields | changes))  # type: ignore[arg-type]


def parsed(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


def smtp(port: int) -> Smtp:
    return Smtp(Route("127.0.0.1", port), Letterhead("vesper@shop.example", "好邻居超市"))


@pytest.mark.requirement("R89")
def test_a_mail_reads_back_as_it_was_written() -> None:
    mail = composed(letter(), "vesper@shop.example", "好邻居超市")
    read = parsed(mail)
    assert read["Subject"] == letter().subject
    assert read["From"] == "好邻居超市 <vesper@shop.example>"
    assert (read["To"], read["Message-ID"]) == ("ming@example.com", "<m1@shop.example>")
    assert read["List-Unsubscribe"] == f"<{LEAVE}>"
    assert read["List-Unsubscribe-Post"] is None
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert read.get_body(("plain",)).get_content() == letter().text  # type: ignore[union-attr]
    assert read.get_body(("html",)).get_content() == letter().html  # type: ignore[union-attr]
    assert mail.replace(b"\r\n", b"").find(b"\n") == -1
    assert max(map(len, mail.split(b"\r\n"))) <= 78
    assert mail == composed(letter(), "vesper@shop.example", "好邻居超市")


def test_a_library_that_changes_how_python_writes_utf8_does_not_change_the_mail() -> None:
    """apprise does so when a notice goes by mail; a mail must not depend on whether one went before."""
    before = composed(letter(subject="再次光临"), "vesper@shop.example", "超市一")
    email.charset.add_charset("utf-8", email.charset.QP, email.charset.QP, "utf-8")
    try:
        assert composed(letter(subject="再次光临 "), "vesper@shop.example", "超市二").count(b"=?utf-8?q?") == 0
        assert before.count(b"=?utf-8?b?") == 2
    finally:
        email.charset.add_charset("utf-8", email.charset.SHORTEST, email.charset.BASE64, "utf-8")


@pytest.mark.requirement("R89")
def test_one_click_only_where_an_address_answers_it() -> None:
    read = parsed(composed(letter(unsubscribe_url="https://shop.example/u/x"), "vesper@shop.example", "Shop"))
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed(composed(letter(unsubscribe_url=""), "vesper@shop.example", "Shop"))["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "changes", [{"subject": "a\r\nBcc: x@y.z"}, {"address": "a@b.c\nBcc: x@y.z"}, {"address": "明@例.中国"}]
)
def test_a_letter_that_cannot_be_a_mail_is_rejected_before_the_wire(changes: dict[str, str]) -> None:
    with Scripted() as server, smtp(server.port) as channel:
        channel.ready()
        outcome = channel.send(letter(**changes))
        assert (outcome.kind, outcome.code) == ("rejected", "unsendable")
        assert server.mails == []
        assert changes.get("address", "Bcc") not in (outcome.detail or "")


@pytest.mark.parametrize(
    ("replies", "kind", "code"),
    [
        ({}, "accepted", "250"),
        ({"MAIL": ["451 later"]}, "deferred", "451"),
        ({"MAIL": [None]}, "deferred", "disconnected"),
        ({"RCPT": ["550 5.1.1 <ming@example.com>: no such user"]}, "rejected", "550"),
        ({"RCPT": ["450 4.2.1 ming@example.com busy"]}, "deferred", "450"),
        ({"DATA": [None]}, "deferred", "disconnected"),
        ({"DATA": ["250 ok"]}, "deferred", "250"),
        ({"DATA": ["554 no"]}, "rejected", "554"),
        ({"DOT": ["554 spam"]}, "rejected", "554"),
        ({"DOT": ["452 full"]}, "deferred", "452"),
        ({"DOT": ["421 closing"]}, "deferred", "421"),
        ({"DOT": [None]}, "unknown", "no_answer"),
    ],
)
def test_what_a_reply_means(replies: dict[str, list[str | None]], kind: str, code: str) -> None:
    """Before 354, and after a reply, the fate is certain; without a reply to the final dot it is not."""
    with Scripted(**replies) as server, smtp(server.port) as channel:
        channel.ready()
        outcome = channel.send(letter())
        assert (outcome.kind, outcome.code) == (kind, code)
        assert "ming" not in (outcome.detail or "")
        server.replies.clear()
        channel.ready()
        assert channel.send(letter("m2")).kind == "accepted"


def test_a_connection_is_used_again_and_renewed() -> None:
    with Scripted() as server, smtp(server.port) as channel:
        for number in range(MAILS_PER_CONNECTION + 1):
            channel.ready()
            assert channel.send(letter(f"m{number}")).kind == "accepted"
        assert server.connections == 2


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with Scripted() as server:
        port = server.port
    with smtp(port) as channel, pytest.raises(ChannelUnreachable, match=f"127.0.0.1:{port} does not answer"):
        channel.ready()


def test_the_sink_keeps_a_mail_before_it_says_so_and_hides_no_second_one(tmp_path: Path) -> None:
    with Sink(tmp_path / "sink") as sink, smtp(sink.port) as channel:
        for _ in range(3):
            channel.ready()
            assert channel.send(letter()).kind == "accepted"
    assert sorted(file.name for file in (tmp_path / "sink").iterdir()) == ["m1.2.eml", "m1.3.eml", "m1.eml"]
    assert (tmp_path / "sink" / "m1.eml").read_bytes() == composed(letter(), "vesper@shop.example", "好邻居超市")


def test_the_sink_takes_mail_of_others_too(tmp_path: Path) -> None:
    with Sink(tmp_path) as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        client.sendmail("a@b.c", ["owner@b.c"], b"Subject: notice\r\nMessage-ID: <../../x@y>\r\n\r\nbody\r\n")
    (file,) = tmp_path.iterdir()
    assert len(file.stem) == 26


def test_the_sink_runs_alone(tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-m", "connectors.channels.sink", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with smtp(port) as channel:
            channel.ready()
            assert channel.send(letter()).kind == "accepted"
        process.kill()
    assert [file.name for file in tmp_path.iterdir()] == ["m1.eml"]


SIMULATED, LIVE = Clock(mode="simulated"), Clock()


@pytest.mark.parametrize(
    ("server", "clock", "production", "allowed"),
    [
        ("mail.example.com:25", SIMULATED, False, False),
        ("mail.example.com", LIVE, False, False),
        ("127.0.0.1.example.com:25", LIVE, False, False),
        ("10.0.0.8:25", LIVE, False, False),
        ("", LIVE, True, False),
        ("localhost:x", LIVE, True, False),
        ("127.0.0.1:2525", SIMULATED, False, True),
        ("localhost:2525", LIVE, False, True),
        ("[::1]:2525", SIMULATED, False, True),
        ("mail.example.com:587", LIVE, True, True),
    ],
)
def test_a_rehearsal_reaches_only_this_machine(
    server: str, clock: Clock, production: bool, allowed: bool, tmp_path: Path
) -> None:
    space = workspace(tmp_path, clock=clock, production=production, mail=Mail(server=server))
    if allowed:
        with opened(space):
            return
    with pytest.raises(ChannelUnreachable, match=r"vesper\.toml"), opened(space):
        pass
