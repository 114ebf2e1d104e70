"""Mail by SMTP: one connection, used again for each letter and renewed before servers tire of it.

What belongs here: the dialogue and what its replies mean. What does not: bytes of a mail (`mime.py`), trying again.
SMTP is exact about the boundary: whatever fails before DATA was answered with 354 was not accepted; after that, only the server's reply
to the final dot tells, and without it the fate is unknown (RFC 1047).
"""

import re
import smtplib
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from connectors.channels import ChannelUnreachable, Letter, Outcome
from connectors.channels.mime import composed

MAILS_PER_CONNECTION = 90
CONNECT_SECONDS = 30
REPLY_SECONDS = 600  # RFC 5321 4.5.3.2.6: a shorter wait for the reply to the final dot would make unknowns by itself
_ADDRESS = re.compile(r"[^\s<>@:]+@[^\s<>@]+")
DETAIL_LENGTH = 300


class Smtp:
    """A channel (see `connectors.channels.Channel`)."""

    def __init__(self, host: str, port: int, sender: str, sender_name: str) -> None:
        self.host, self.port = host, port
        self.sender, self.sender_name = sender, sender_name
        self._server: smtplib.SMTP | None = None
        self._used = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def ready(self) -> None:
        """Connect, or connect anew after enough mails; raises ChannelUnreachable."""
        if self._used >= MAILS_PER_CONNECTION:
            self._leave()
        if self._server is not None:
            return
        try:
            server = smtplib.SMTP(self.host, self.port, timeout=CONNECT_SECONDS)
            server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelUnreachable(
                "The mail server {server} does not answer ({why}). Start it, or correct [mail] server in vesper.toml; every message waits.",
                server=f"{self.host}:{self.port}",
                why=type(error).__name__,
            ) from error
        if server.sock is not None:
            server.sock.settimeout(REPLY_SECONDS)
        self._server = server

    def send(self, letter: Letter) -> Outcome:
        """One wire call. `ready` must have been called before it."""
        try:
            mail = composed(letter, self.sender, self.sender_name)
        except ValueError as error:
            return Outcome("rejected", "unsendable", str(error))
        if self._server is None:
            return Outcome("deferred", "not_connected")
        self._used += 1
        return self._envelope(self._server, letter.address) or self._body(self._server, mail)

    def _envelope(self, server: smtplib.SMTP, address: str) -> Outcome | None:
        """MAIL, RCPT, DATA: None when the server waits for the mail, otherwise the outcome. Nothing was accepted in here."""
        commands: list[Callable[[], tuple[int, bytes]]] = [
            partial(server.mail, self.sender),
            partial(server.rcpt, address),
            partial(server.docmd, "DATA"),
        ]
        try:
            for command in commands:
                code, reply = command()
                if code == 354:
                    return None
                if code >= 400:
                    self._clear(server, code)
                    return _refusal(code, reply)
                if code < 200:
                    break
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Outcome("deferred", "disconnected", type(error).__name__)
        self._drop()
        return Outcome("deferred", str(code), "the server did not ask for the mail")

    def _body(self, server: smtplib.SMTP, mail: bytes) -> Outcome:
        """The mail and the final dot. Without a reply it may have been accepted."""
        try:
            server.send(_stuffed(mail) + b".\r\n")
            code, reply = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Outcome("unknown", "no_answer", type(error).__name__)
        if 200 <= code < 300:
            return Outcome("accepted", str(code))
        if code < 400:
            self._drop()
            return Outcome("unknown", str(code), _masked(reply))
        self._clear(server, code)
        return _refusal(code, reply)

    def _clear(self, server: smtplib.SMTP, code: int) -> None:
        """Leave the dialogue ready for the next letter; 421 says that the server closes."""
        if code == 421:
            self._drop()
            return
        try:
            server.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _leave(self) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except (OSError, smtplib.SMTPException):
                self._server.close()
        self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server, self._used = None, 0


def _refusal(code: int, reply: bytes) -> Outcome:
    return Outcome("rejected" if code >= 500 else "deferred", str(code), _masked(reply))


def _masked(reply: bytes) -> str:
    """A server's words without the addresses that servers like to repeat."""
    return _ADDRESS.sub("**@**", reply.decode("utf-8", "replace"))[:DETAIL_LENGTH]


def _stuffed(mail: bytes) -> bytes:
    """Lines that begin with a dot get another one (RFC 5321 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", mail)
