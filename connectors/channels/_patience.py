"""Sockets that wait no longer than asked for in all, however slowly the other side dribbles.

What belongs here: the bound. What does not: what is said over them. A socket's own timeout starts anew with every byte, so a server that says
one byte a minute would hold a sender for ever.
"""

import socket
import ssl
import time
from math import inf
from typing import Any


class _Bounded:
    """Sets the rest of the time as the timeout before each step."""

    ends = inf

    def wait_at_most(self, seconds: float) -> None:
        """From now on, everything together takes at most so long; then a TimeoutError."""
        self.ends = time.monotonic() + seconds

    def _left(self) -> None:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the other side took too long in all")
        self.settimeout(left)  # type: ignore[attr-defined]


class PatientSocket(_Bounded, socket.socket):
    """A TCP connection."""

    @classmethod
    def connected(cls, host: str, port: int, seconds: float) -> "PatientSocket":
        """Connect within some seconds, and count what is left of them for what follows."""
        ends = time.monotonic() + seconds
        made = cls(fileno=socket.create_connection((host, port), seconds).detach())
        made.ends = ends
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self._left()
        return super().recv_into(*arguments, **named)

    def sendall(self, *arguments: Any) -> None:
        self._left()
        super().sendall(*arguments)


class PatientTls(_Bounded, ssl.SSLSocket):
    """The same inside TLS."""

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self._left()
        return super().recv_into(*arguments, **named)

    def send(self, *arguments: Any, **named: Any) -> int:
        self._left()
        return super().send(*arguments, **named)


def verified() -> ssl.SSLContext:
    """A context that believes the certificates of this machine (SSL_CERT_FILE names others) and nothing older than TLS 1.2."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = PatientTls
    return context


def inside_tls(plain: PatientSocket, context: ssl.SSLContext, host: str) -> PatientTls:
    """The connection inside TLS, its time running on. Raises ssl.SSLError when the certificate is not right."""
    plain._left()
    made = context.wrap_socket(plain, server_hostname=host)
    assert isinstance(made, PatientTls)
    made.ends = plain.ends
    return made
