"""Mail over TLS: the certificate is verified, nothing falls back to clear text, secrets come from the environment alone."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.channels import ChannelUnreachable, opened
from connectors.notify import NoticeFailed, notify
from tests.connectors.mailing import Authority, letter, smtp
from tests.send.smtp_script import Reply, Scripted
from vesper.model.workspace import Company, Mail, Workspace


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine believes."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def workspace(root: Path, **mail: object) -> Workspace:
    return Workspace(root=root, company=Company(name="好邻居超市"), mail=Mail.model_validate(mail))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_through_tls(authority: Authority, security: str) -> None:
    with (
        Scripted(authority.server(), starttls=security == "starttls") as server,
        smtp(server.port, security=security) as channel,
    ):
        for number in range(3):
            channel.ready()
            assert channel.send(letter(f"m{number}")).kind == "accepted"
        assert (len(server.mails), server.connections) == (3, 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("days", "address", "trusted", "says"),
    [
        (-1, "127.0.0.1", True, "certificate has expired"),
        (30, "10.0.0.1", True, "IP address mismatch"),
        (30, "127.0.0.1", False, "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_is_not_right_is_one_sentence_and_no_mail(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    days: int,
    address: str,
    trusted: bool,
    says: str,
) -> None:
    if not trusted:
        monkeypatch.delenv("SSL_CERT_FILE")
    with (
        Scripted(authority.server(days, address), starttls=security == "starttls") as server,
        smtp(server.port, security=security) as channel,
    ):
        with pytest.raises(ChannelUnreachable, match=f"cannot be trusted: .*{says}"):
            channel.ready()
        assert channel.send(letter()).kind == "deferred"
        assert server.mails == [] and not any(b"MAIL" in line for line in server.commands)


@pytest.mark.parametrize(
    "replies",
    [
        {"EHLO": ["250-scripted\r\n250 SIZE 1000"]},
        {"EHLO": ["500 what"]},
        {"STARTTLS": ["454 4.7.0 not now"]},
        {"STARTTLS": ["220 go on\r\n250 and an answer smuggled in before TLS"]},
        {"STARTTLS": ["220 go on", None]},
        {"STARTTLS": [b"\x15\x03\x01\x00\x02\x02\x28"]},
    ],
)
def test_a_server_without_tls_gets_nothing_in_clear_text(authority: Authority, replies: dict[str, list[Reply]]) -> None:
    with (
        Scripted(starttls=True, **replies) as server,
        smtp(server.port, security="starttls", user="vesper", password="a secret") as channel,
    ):
        with pytest.raises(ChannelUnreachable) as failed:
            channel.ready()
        assert server.mails == [] and not any(b"AUTH" in line or b"MAIL" in line for line in server.commands)
        assert "a secret" not in str(failed.value)


def test_plain_text_answered_on_a_port_of_tls_is_no_server(authority: Authority) -> None:
    with Scripted() as server, smtp(server.port, security="tls") as channel, pytest.raises(ChannelUnreachable):
        channel.ready()


def test_signing_in_comes_after_tls_with_secrets_of_the_environment(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_USER", "vesper")
    monkeypatch.setenv("SMTP_PASSWORD", "a secret")
    with Scripted(authority.server(), starttls=True) as server:
        settings = {"user": "${SMTP_USER}", "password": "${SMTP_PASSWORD}", "security": "starttls"}
        with opened(workspace(tmp_path, server=f"127.0.0.1:{server.port}", **settings)) as channel:
            channel.ready()
            assert channel.send(letter()).kind == "accepted"
            assert "a secret" not in repr(vars(channel))
    (given,) = [line for line in server.commands if line.startswith(b"AUTH")]
    assert base64.b64decode(given.split()[2]) == b"\0vesper\0a secret"
    assert server.commands.index(given) > server.commands.index(b"STARTTLS\r\n")


def test_a_notice_to_the_owner_goes_the_same_way(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_USER", "vesper")
    monkeypatch.setenv("SMTP_PASSWORD", "a secret")
    settings = {"user": "${SMTP_USER}", "password": "${SMTP_PASSWORD}", "security": "starttls"}
    with Scripted(authority.server(), starttls=True) as server:
        space = workspace(tmp_path, server=f"127.0.0.1:{server.port}", **settings)
        notify(space, "a gate failed", "look", "owner@shop.example")
        assert len(server.mails) == 1 and any(line.startswith(b"AUTH") for line in server.commands)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(NoticeFailed, match=r"没有发出.*不可信"):
            notify(space, "a gate failed", "look", "owner@shop.example")
        assert len(server.mails) == 1


def test_a_refused_password_is_one_sentence_without_it(authority: Authority) -> None:
    with (
        Scripted(authority.server(), starttls=True, AUTH=["535 5.7.8 vesper: wrong secret"]) as server,
        smtp(server.port, security="starttls", user="vesper", password="a secret") as channel,
        pytest.raises(ChannelUnreachable, match=r"does not accept user and password.*535") as failed,
    ):
        channel.ready()
    assert "secret" not in str(failed.value)


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="never stands in a file") as failed:
        Mail(password="hunter2")
    assert "hunter2" not in failed.value.errors(include_url=False, include_input=False).__repr__()


def test_a_variable_that_is_not_set_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTP_USER", raising=False)
    space = workspace(tmp_path, server="127.0.0.1:2525", user="${SMTP_USER}")
    with pytest.raises(ChannelUnreachable, match=r"\[mail\]: the variable SMTP_USER is not set"), opened(space):
        pass


def test_elsewhere_tls_is_the_rule_and_a_password_never_goes_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.channels._mail import route_of

    monkeypatch.setenv("SMTP_USER", "vesper")
    base = workspace(tmp_path, server="mail.example.com:587").model_copy(update={"production": True})
    assert route_of(base).security == "starttls"
    assert route_of(workspace(tmp_path, server="localhost:2525")).security == "none"
    said = {"server": "mail.example.com:25", "security": "none"}
    assert route_of(base.model_copy(update={"mail": Mail.model_validate(said)})).security == "none"
    clear = base.model_copy(update={"mail": Mail.model_validate(said | {"user": "${SMTP_USER}"})})
    with pytest.raises(ChannelUnreachable, match="clear text"):
        route_of(clear)
