"""The posts of a hand-over: signed, under a key, and what each answer means (R66, R67)."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from connectors.channels import ChannelUnreachable
from connectors.channels.http_sink import HttpSink
from connectors.channels.webhook import LONGEST_MESSAGE, Door, post, posting, say, signature
from tests.handover.world import Company, policy
from vesper.model.workspace import Clock, Workspace
from vesper.model.workspace import Company as CompanySettings

SECRET = "a secret of the CRM"


@contextmanager
def answering(status: int, body: bytes = b"{}") -> Iterator[str]:
    """A server that gives one answer; status 0 hangs up without one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.mark.requirement("R67")
@pytest.mark.parametrize(
    ("status", "held", "taken_once"),
    [
        (200, "accepted", "accepted"),
        (202, "accepted", "accepted"),
        (302, "rejected", "rejected"),
        (400, "rejected", "rejected"),
        (401, "rejected", "rejected"),
        (429, "deferred", "deferred"),
        (500, "unknown", "deferred"),
        (503, "deferred", "deferred"),
        (0, "unknown", "deferred"),
    ],
)
def test_what_an_answer_means(status: int, held: str, taken_once: str) -> None:
    with answering(status) as address:
        assert post(Door(address), {"a": 1}, "key", SECRET).kind == held
        assert post(Door(address), {"a": 1}, "key", SECRET, deduplicates=True).kind == taken_once


def test_nobody_at_the_door_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert post(Door(address), {}, "key", SECRET).kind == "deferred"
    assert say(Door(address), "hello", "key").kind == "deferred"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"errcode": 0, "errmsg": "ok"}', "accepted"),
        (200, b'{"errcode": 45009}', "deferred"),
        (200, b'{"errcode": 93000}', "rejected"),
        (200, b"<html>", "unknown"),
        (404, b"", "rejected"),
        (502, b"", "unknown"),
    ],
)
def test_what_a_robot_means(status: int, body: bytes, kind: str) -> None:
    with answering(status, body) as address:
        assert say(Door(address), "**hello**", "key").kind == kind


def test_a_long_message_keeps_whole_characters(tmp_path: Path) -> None:
    with HttpSink(tmp_path) as sink:
        say(Door(sink.address), "王" * 3000, "key")
    body = json.loads((tmp_path / "key.post").read_bytes().partition(b"\n")[2])
    assert set(body["markdown"]["content"]) == {"王"}
    assert len(body["markdown"]["content"].encode()) <= LONGEST_MESSAGE


@pytest.mark.requirement("R66")
def test_the_crm_gets_the_hand_over_signed(tmp_path: Path) -> None:
    hook = {"url": "loopback", "secret": "${CRM_SECRET}", "fields": ["name", "phone"]}
    company = Company(tmp_path / "company", policy(notices={"email": False, "webhook": hook}))
    (row,) = company.night({"a": 95})
    (file,) = (company.root / ".vesper" / "notices" / "webhook").glob("*.post")
    head, _, body = file.read_bytes().partition(b"\n\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    assert headers["X-Vesper-Signature"] == signature("loopback", headers["X-Vesper-Timestamp"], body)
    told = json.loads(body)
    assert (told["event"], told["handover_id"], told["score"]) == ("handover.new", row.handover_id, 95)
    assert told["contact"] == {"name": "王小明", "phone": "+8613800138000"}
    assert [reason["rule"] for reason in told["reasons"]] == ["base", "form_clicks"]
    assert told["owner"]["id"] == "an" and {"campaigns", "behaviours", "due_at", "cause"} <= told.keys()
    company.house.close()


def workspace(root: Path, mode: str, production: bool) -> Workspace:
    clock = Clock.model_validate({"mode": mode, "simulated_on": "2026-03-02" if mode == "simulated" else None})
    return Workspace(root=root, production=production, company=CompanySettings(name="精测仪器"), clock=clock)


@pytest.mark.parametrize(("mode", "production"), [("simulated", False), ("live", False)])
def test_a_rehearsal_posts_to_nobody_else(tmp_path: Path, mode: str, production: bool) -> None:
    with (
        pytest.raises(ChannelUnreachable, match="loopback"),
        posting(workspace(tmp_path, mode, production), "https://crm.example.com/in", "webhook", "policy/sales.yml"),
    ):
        pass


def test_a_secret_that_is_not_set_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_ROBOT", raising=False)
    with (
        pytest.raises(ChannelUnreachable, match="WECOM_ROBOT is not set"),
        posting(workspace(tmp_path, "live", True), "${WECOM_ROBOT}", "wecom", "policy/sales.yml"),
    ):
        pass


def test_a_channel_that_cannot_be_used_keeps_its_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_ROBOT", raising=False)
    company = Company(tmp_path / "company", policy(notices={"wecom": {"url": "${WECOM_ROBOT}"}}))
    company.night({"a": 85})
    assert {n.channel: n.state for n in company.notices()} == {"email": "accepted", "wecom": "planned"}
    assert any("WECOM_ROBOT" in warning for warning in company.report.warnings)
    company.house.close()
