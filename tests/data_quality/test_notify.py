"""Notices to the owner, through real mail servers on this machine."""

import datetime as dt
import email
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from connectors.notify import NoticeFailed, notify
from vesper.model.workspace import Workspace

SUBJECT = "Vesper：数据检查未通过"
BODY = "core__contact: 12 行主键重复。上一次发布继续有效。"
OWNER = "owner@grocer.example.com"


class Inbox:
    """What a real server took, as messages."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.recipients += envelope.rcpt_tos
        return "250 taken"


class OnAFreePort(Controller):
    """A server on whichever port the system gives; `address` is host:port."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    @property
    def address(self) -> str:
        return f"{self.hostname}:{self.port}"


@pytest.fixture
def server() -> Iterator[OnAFreePort]:
    controller = OnAFreePort(Inbox(), hostname="127.0.0.1", port=0)
    controller.start()
    yield controller
    controller.stop()


def workspace(root: Path, mode: str = "simulated", urls: tuple[str, ...] = (), server: str = "loopback") -> Workspace:
    return Workspace.model_validate(
        {
            "root": root,
            "company": {"name": "示例超市"},
            "clock": {"mode": mode, "simulated_on": dt.date(2018, 1, 1)},
            "mail": {"server": server},
            "notices": {"urls": urls, "owner": "team@grocer.example.com"},
        }
    )


@pytest.mark.requirement("R112")
def test_without_addresses_a_plain_mail_reaches_the_owner(tmp_path: Path, server: OnAFreePort) -> None:
    notify(workspace(tmp_path, server=server.address), f"{SUBJECT}\n", BODY, OWNER)
    (mail,) = server.handler.mails
    assert (mail["Subject"], mail.get_content().strip()) == (SUBJECT, BODY)
    assert server.handler.recipients == [OWNER]


@pytest.mark.requirement("R112")
def test_apprise_takes_the_notice_to_every_address(tmp_path: Path, server: OnAFreePort) -> None:
    url = f"mailto://{server.address}/?from=vesper@grocer.example.com&to={OWNER}&mode=insecure"
    notify(workspace(tmp_path, urls=(url,)), SUBJECT, BODY, "数据组")
    (mail,) = server.handler.mails
    assert mail["Subject"] == SUBJECT
    assert BODY in (mail.get_body(("plain",)) or mail).get_content()
    assert server.handler.recipients == [OWNER]


def test_an_owner_without_an_address_is_told_through_the_workspaces(tmp_path: Path, server: OnAFreePort) -> None:
    notify(workspace(tmp_path), SUBJECT, BODY, "数据组", server=server.address)
    assert server.handler.recipients == ["team@grocer.example.com"]


def test_the_loopback_server_keeps_the_notice_as_a_file(tmp_path: Path) -> None:
    notify(workspace(tmp_path), SUBJECT, BODY, OWNER)
    (file,) = (tmp_path / ".vesper" / "notices").glob("*.eml")
    mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert mail["Subject"] == SUBJECT


@pytest.mark.requirement("R112")
@pytest.mark.parametrize(
    "url",
    [
        "mailto://user:secret@qq.com?to=a@b.cn",
        "mailto://user:secret@localhost?smtp=smtp.qq.com&to=a@b.cn",
        "wecombot://secret",
        "dingtalk://secret/13800000000",
        "feishu://secret",
        "json://secret.example.com/path",
        "not an address: secret",
    ],
)
def test_on_a_simulated_clock_nothing_leaves_the_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(NoticeFailed) as failed:
        notify(workspace(tmp_path, urls=(url,)), SUBJECT, BODY, OWNER)
    assert "模拟时钟" in str(failed.value)
    assert "secret" not in str(failed.value)


def test_on_a_simulated_clock_no_other_mail_server_is_asked(tmp_path: Path) -> None:
    with pytest.raises(NoticeFailed, match="模拟时钟"):
        notify(workspace(tmp_path, server="mail.grocer.example.com:25"), SUBJECT, BODY, OWNER)


def test_a_server_that_is_not_there_gives_one_sentence_without_secrets(tmp_path: Path) -> None:
    gone = OnAFreePort(Inbox(), hostname="127.0.0.1", port=0)
    gone.start()
    address = gone.address
    gone.stop()
    with pytest.raises(NoticeFailed) as plain:
        notify(workspace(tmp_path, "live", server=address), SUBJECT, BODY, OWNER)
    assert address in str(plain.value) and OWNER not in str(plain.value)
    url = f"mailto://user:secret@{address}/?to={OWNER}&mode=insecure"
    with pytest.raises(NoticeFailed) as through:
        notify(workspace(tmp_path, "live", urls=(url, "nonsense://secret")), SUBJECT, BODY, OWNER)
    assert "secret" not in str(through.value) and "mailto://…, nonsense://…" in str(through.value)
