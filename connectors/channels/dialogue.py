"""smtplib's client, bounded: every reply within its time and of a size that a reply may have; TLS verified or no dialogue at all.

What belongs here: connecting, TLS, signing in, reading replies. What does not: sending mail (`smtp.py`), what a reply means (`reply.py`).
"""

import smtplib
import ssl
from dataclasses import dataclass
from typing import Any, Literal

from connectors.channels import ChannelUnreachable
from connectors.channels._patience import PatientSocket, PatientTls, inside_tls, verified
from vesper.said import Said

LONGEST_LINE = 2048
MOST_LINES = 100
NO_REPLY = -1


@dataclass(frozen=True)
class Patience:
    """Seconds that the parts of a dialogue may take in all. RFC 5321 4.5.3.2.6: less for the reply to the final dot would make unknowns by itself."""

    opening: float = 60
    envelope: float = 120
    mail: float = 600


@dataclass(frozen=True)
class Route:
    """Which server, and how it is spoken to."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "none"
    user: str = ""
    password: str = ""

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Route({self.name}, {self.security})"


class Dialogue(smtplib.SMTP):
    """One connection to a mail server."""

    def __init__(self, route: Route, hello: str, patience: Patience) -> None:
        self.route, self.patience = route, patience
        self.context = verified() if route.security != "none" else None
        super().__init__(local_hostname=hello)

    def wait_at_most(self, seconds: float) -> None:
        """From now on, everything together takes at most so long."""
        if isinstance(self.sock, PatientSocket | PatientTls):
            self.sock.wait_at_most(seconds)

    def opened(self) -> "Dialogue":
        """Connect, agree on TLS, sign in. Raises ChannelUnreachable with one sentence; nothing was sent."""
        try:
            self._open()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise _unreachable(error, self.route) from error
        except Said:
            self.close()
            raise
        return self

    def _open(self) -> None:
        code, _reply = self.connect(self.route.host, self.route.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")
        self.ehlo_or_helo_if_needed()
        if self.route.security == "starttls":
            self.starttls(context=self.context)
            self.ehlo_or_helo_if_needed()
        if self.route.user:
            self.login(self.route.user, self.route.password)

    def _get_socket(self, host: str, port: int, _timeout: float) -> Any:
        """smtplib's way to another kind of socket, as its own SMTP_SSL goes it."""
        self._host = host
        sock = PatientSocket.connected(host, port, self.patience.opening)
        if self.route.security == "tls" and self.context:
            return inside_tls(sock, self.context, host)
        return sock

    def starttls(self, *, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:  # type: ignore[override]
        """Go on inside TLS, or raise: there is no way on in clear text."""
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError
        code, reply = self.docmd("STARTTLS")
        if code != 220 or context is None or not isinstance(self.sock, PatientSocket):
            raise smtplib.SMTPNotSupportedError
        # What was said in clear text, and what a stranger may have put behind it, counts no more (RFC 3207).
        self.file, self.helo_resp, self.ehlo_resp, self.esmtp_features, self.does_esmtp = None, None, None, {}, False
        self.sock = inside_tls(self.sock, context, self.route.host)
        return code, reply

    def getreply(self) -> tuple[int, bytes]:
        """One reply: its code, NO_REPLY for what is none, and its words. Raises SMTPServerDisconnected, OSError or SMTPResponseException."""
        if self.file is None:
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("not connected")
            self.file = self.sock.makefile("rb")
        lines: list[bytes] = []
        while len(lines) < MOST_LINES:
            line = self.file.readline(LONGEST_LINE)
            if not line:
                raise smtplib.SMTPServerDisconnected("the server closed the connection")
            if not line.endswith(b"\n") or not line[:3].isdigit():
                return NO_REPLY, line[:LONGEST_LINE]
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        return NO_REPLY, b"too many lines"


def _unreachable(error: Exception, route: Route) -> ChannelUnreachable:
    """One sentence: which server, why, what to do. It never holds the server's words, which may repeat a name."""
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        return ChannelUnreachable(
            "The mail server {server} cannot be trusted: {why}. Give it a valid certificate, or name its authority in SSL_CERT_FILE; "
            "every message waits.",
            server=route.name,
            why=why,
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ChannelUnreachable(
            "The mail server {server} offers no encryption or no sign-in, and mail goes there in no other way. Correct [mail] server, "
            "security or user in vesper.toml; every message waits.",
            server=route.name,
        )
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return ChannelUnreachable(
            "The mail server {server} does not accept user and password (it answers {code}). Correct the variables of the environment that "
            "[mail] names; every message waits.",
            server=route.name,
            code=error.smtp_code,
        )
    return ChannelUnreachable(
        "The mail server {server} does not answer ({why}). Start it, or correct [mail] server in vesper.toml; every message waits.",
        server=route.name,
        why=type(error).__name__,
    )
