"""One address that is posted to, over one connection that stays open while it lasts.

What belongs here: one POST, bounded in time and in the size of its answer, and whether it went out at all. What does not: what is posted, what
an answer means (`webhook.py`). No redirects, no proxies, no credentials of this machine: an address is told what it is told, and nobody else.
"""

import base64
import http.client
import select
import socket
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from connectors.channels import ChannelUnreachable
from connectors.channels._patience import PatientSocket, PatientTls, inside_tls, verified

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
LARGEST_ANSWER = 64 * 1024


class NotReached(Exception):
    """No connection came about: nothing was posted. Its text is the kind of the error."""


class NoAnswer(Exception):
    """The post went out, at least in part, and no answer came. Its text is the kind of the error."""


class Door:
    """An address to post to."""

    def __init__(self, address: str, connect: float = CONNECT_SECONDS, answer: float = ANSWER_SECONDS) -> None:
        self.address, self.connect_seconds, self.answer_seconds = address, connect, answer
        parts = urlsplit(address)
        self.host, self.is_encrypted = parts.hostname or "", parts.scheme == "https"
        self.port = parts.port or (443 if self.is_encrypted else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {}
        if parts.username:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        self._connection: http.client.HTTPConnection | None = None

    def ready(self, where: str) -> None:
        """Connect; raises ChannelUnreachable with a sentence that names the setting."""
        try:
            self._open()
        except NotReached as error:
            raise ChannelUnreachable(
                "{where}: {host} cannot be reached ({why}). Start it, or correct the address; its messages wait.",
                where=where,
                host=f"{self.host}:{self.port}",
                why=str(error),
            ) from None

    @property
    def host_header(self) -> str:
        """The host as HTTP says it: with the port where it is not the usual one. Signatures hold it."""
        usual = 443 if self.is_encrypted else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    def post(
        self, data: bytes, headers: Mapping[str, str], target: str = "", method: str = "POST"
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a body that is missing or too long is cut. Raises NotReached or NoAnswer.

        `target` is a path with its query, where one call differs from the next in it.
        """
        connection = self._open()
        assert isinstance(connection.sock, PatientSocket | PatientTls)
        connection.sock.wait_at_most(self.answer_seconds)
        try:
            connection.request(method, target or self._target, data, {**self._headers, **headers})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from None
        try:
            body = answer.read(LARGEST_ANSWER)
        except (OSError, http.client.HTTPException):
            body = b""
        if not answer.isclosed() or answer.will_close:
            self.close()
        return answer.status, body

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self) -> http.client.HTTPConnection:
        """The connection, made anew where the other side has closed it: then nothing of the next post went out."""
        if (
            self._connection is not None
            and self._connection.sock is not None
            and not _has_something(self._connection.sock)
        ):
            return self._connection
        self.close()
        try:
            plain = PatientSocket.connected(self.host, self.port, self.connect_seconds)
            sock = inside_tls(plain, verified(), self.host) if self.is_encrypted else plain
        except OSError as error:
            raise NotReached(type(error).__name__) from None
        kind = http.client.HTTPSConnection if self.is_encrypted else http.client.HTTPConnection
        self._connection = kind(self.host, self.port)
        self._connection.sock = sock
        return self._connection


def _has_something(sock: socket.socket) -> bool:
    """Whether there is something to read where nothing was asked: an end, or a server that talks out of turn."""
    return bool(select.select([sock], [], [], 0)[0])
