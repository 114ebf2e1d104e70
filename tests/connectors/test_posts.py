"""The channel webhook: signed posts under the message's id, whatever the receiver does; and the fence around both channels."""

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.channels import ChannelUnreachable, opened
from connectors.channels._fence import may_reach
from connectors.channels._posts import Posts
from connectors.channels.door import Door
from connectors.channels.http_sink import HttpSink
from connectors.channels.webhook import signature
from tests.connectors.mailing import Authority, letter, smtp
from tests.send.smtp_script import Scripted
from vesper.model.workspace import Clock, Company, Mail, Webhook, Workspace

COUPON = {"coupon": "A1", "amount": "10.00", "until": dt.date(2018, 1, 31)}


def workspace(root: Path, **changes: Any) -> Workspace:
    return Workspace(root=root, company=Company(name="好邻居超市"), **changes)


@contextmanager
def server(answer: bytes, pause: float = 0.0, times: int = 1) -> Iterator[str]:
    """Reads each request once and says some bytes, one at a time where there is a pause; then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(times):
                peer, _address = listener.accept()
                with peer:
                    peer.recv(65536)
                    try:
                        for at in range(0, len(answer), 1 if pause else 65536):
                            time.sleep(pause)
                            peer.sendall(answer[at : at + (1 if pause else 65536)])
                    except OSError:
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/in"


@pytest.mark.requirement("R84")
def test_a_message_is_one_signed_post_under_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "a secret")
    with HttpSink(tmp_path / "kept") as sink:
        hook = Webhook(url=f"{sink.address}in?team=a", secret="${HOOK_SECRET}")
        with opened(workspace(tmp_path, webhook=hook), "webhook") as channel:
            assert channel.provider == "webhook 127.0.0.1"
            for id in ("m1", "m2"):
                channel.ready()
                outcome = channel.send(letter(id, payload=COUPON, campaign_id="winback"))
                assert (outcome.kind, outcome.code) == ("accepted", "200")
    head, _, body = (tmp_path / "kept" / "m1.post").read_bytes().partition(b"\n\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    assert headers["X-Vesper-Signature"] == signature("a secret", headers["X-Vesper-Timestamp"], body)
    told = json.loads(body)
    assert told["payload"] == {"coupon": "A1", "amount": "10.00", "until": "2018-01-31"}
    assert (told["message_id"], told["to"], told["campaign_id"]) == ("m1", "ming@example.com", "winback")


@pytest.mark.requirement("R84")
def test_a_rehearsal_keeps_its_posts_beside_its_mails(tmp_path: Path) -> None:
    with opened(workspace(tmp_path), "webhook") as channel:
        channel.ready()
        assert channel.send(letter()).kind == "accepted"
    assert [file.name for file in (tmp_path / ".vesper" / "sink").iterdir()] == ["m1.post"]


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    ("answer", "pause", "kind"),
    [
        (b"", 0, "unknown"),
        (b"garbage\r\n\r\n", 0, "unknown"),
        (b"HTTP/1.1 abc\r\n\r\n", 0, "unknown"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000, 0, "unknown"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1_000_000, 0, "unknown"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0, "unknown"),
        (b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n", 0, "unknown"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0.05, "unknown"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 0, "accepted"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000, 0, "accepted"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 0, "rejected"),
        (b"HTTP/1.1 429 slow\r\nContent-Length: 0\r\n\r\n", 0, "deferred"),
    ],
)
def test_whatever_a_receiver_does_a_post_ends(answer: bytes, pause: float, kind: str) -> None:
    with server(answer, pause) as address:
        started = time.monotonic()
        outcome = Posts(Door(address, connect=1, answer=1), "secret", False).send(letter())
        assert outcome.kind == kind and outcome.code
        assert time.monotonic() - started < 10


def test_a_connection_that_was_closed_meanwhile_costs_no_post() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", times=3) as address:
        channel = Posts(Door(address), "secret", False)
        for number in range(3):
            channel.ready()
            assert channel.send(letter(f"m{number}")).kind == "accepted"
            time.sleep(0.05)


def test_a_payload_too_large_is_not_posted() -> None:
    outcome = Posts(Door("http://127.0.0.1:1/"), "secret", False).send(letter(payload={"x": "y" * 10_000_000}))
    assert (outcome.kind, outcome.code) == ("rejected", "unsendable")


def test_nobody_there_is_one_sentence_and_nothing_was_posted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        channel = Posts(Door(f"http://127.0.0.1:{free.getsockname()[1]}/?key=secret"), "secret", False)
    with pytest.raises(ChannelUnreachable, match="cannot be reached") as failed:
        channel.ready()
    assert "secret" not in str(failed.value)
    assert channel.send(letter()).kind == "deferred"


def test_a_certificate_that_is_not_right_gets_no_post(tmp_path: Path) -> None:
    with Scripted(Authority(tmp_path).server()) as tls:
        outcome = Posts(Door(f"https://127.0.0.1:{tls.port}/"), "secret", False).send(letter())
        assert (outcome.kind, outcome.code) == ("deferred", "SSLCertVerificationError")
        assert tls.commands == []


@pytest.mark.parametrize(
    "settings",
    [{"url": "http://crm.example.com/in", "secret": "${X}"}, {"url": "https://crm.example.com/in", "secret": "clear"}],
)
def test_a_hook_is_encrypted_and_its_secret_elsewhere(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"encrypted|no secret stands in a file"):
        Webhook.model_validate(settings)


def test_a_channel_without_an_adapter_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ChannelUnreachable, match="no channel pigeon"), opened(workspace(tmp_path), "pigeon"):
        pass


SIMULATED, LIVE = Clock(mode="simulated"), Clock()
ELSEWHERE = Mail(server="mail.example.com:587", test_addresses=("Test@Shop.example",))


@pytest.mark.requirement("R99")
@pytest.mark.parametrize(
    ("changes", "address", "may"),
    [
        ({}, "anybody@example.com", True),
        ({"mail": Mail(server="127.0.0.1:2525")}, "anybody@example.com", True),
        ({"mail": ELSEWHERE}, "anybody@example.com", False),
        ({"mail": ELSEWHERE}, " test@shop.EXAMPLE ", True),
        ({"mail": ELSEWHERE}, "atest@shop.example", False),
        ({"mail": ELSEWHERE, "production": True}, "anybody@example.com", True),
        ({"mail": Mail(server="mail.example.com")}, "anybody@example.com", False),
    ],
)
def test_a_workspace_that_is_not_production_writes_to_test_addresses_only(
    changes: dict[str, Any], address: str, may: bool, tmp_path: Path
) -> None:
    assert may_reach(workspace(tmp_path, **changes), address) is may


@pytest.mark.requirement("R99")
def test_a_test_address_opens_the_real_server_but_not_on_a_simulated_clock(tmp_path: Path) -> None:
    with opened(workspace(tmp_path, mail=ELSEWHERE)) as channel:
        outcome = channel.send(letter(address="anybody@example.com"))
        assert (outcome.kind, outcome.code) == ("rejected", "fence")
    with (
        pytest.raises(ChannelUnreachable, match="simulated"),
        opened(workspace(tmp_path, mail=ELSEWHERE, clock=SIMULATED)),
    ):
        pass


@pytest.mark.requirement("R99")
def test_the_channel_itself_keeps_the_fence() -> None:
    with Scripted() as server, smtp(server.port, reaches=lambda address: address == "test@shop.example") as channel:
        channel.ready()
        assert channel.send(letter()).code == "fence"
        assert channel.send(letter(address="test@shop.example")).kind == "accepted"
        assert len(server.mails) == 1


@pytest.mark.requirement("R99")
@pytest.mark.parametrize(
    ("url", "may"),
    [("loopback", True), ("http://127.0.0.1:80/", True), ("https://x.example/", False), ("${UNSET}", False)],
)
def test_a_hook_elsewhere_is_for_production(url: str, may: bool, tmp_path: Path) -> None:
    space = workspace(tmp_path, webhook=Webhook(url=url, secret="" if url == "loopback" else "${X}"))
    assert may_reach(space, "c1", "webhook") is may
