"""Mail by SMTP: one connection, used again for each letter and renewed before servers tire of it.

What belongs here: the dialogue of one mail. What does not: bytes of a mail (`mime.py`), connecting (`dialogue.py`), what replies mean
(`reply.py`), trying again later.
SMTP is exact about the boundary: whatever fails before DATA was answered with 354 was not accepted; after that, only the server's reply
to the final dot tells, and without it the fate is unknown (RFC 1047). A letter that a tired server proved not to have taken goes out once more
at once, over a new connection: for the person it is the first time.
"""

import smtplib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from connectors.channels import ChannelUnreachable, Letter, Outcome
from connectors.channels.dialogue import NO_REPLY, Dialogue, Patience, Route
from connectors.channels.header import Unsendable, mailbox
from connectors.channels.mime import Letterhead
from connectors.channels.reply import RECIPIENT, is_tired, masked, refused

MAILS_PER_CONNECTION = 90
STEPS = ("MAIL", RECIPIENT, "DATA")
ERRORS = (OSError, smtplib.SMTPException)


class Smtp:
    """A channel (see `connectors.channels.Channel`). `reaches` says whom this workspace may write to at all."""

    def __init__(
        self,
        route: Route,
        letterhead: Letterhead,
        mails: int = MAILS_PER_CONNECTION,
        patience: Patience = Patience(),
        reaches: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.route, self.letterhead, self.patience, self.reaches = route, letterhead, patience, reaches
        self.mails = mails
        """Letters for each connection; learned downwards from what the server says."""
        self._server: Dialogue | None = None
        self._used = 0

    @property
    def provider(self) -> str:
        """Whose limits bind: the server."""
        return f"email {self.route.name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def ready(self) -> None:
        """Connect, or connect anew after enough mails; raises ChannelUnreachable."""
        if self._used >= self.mails:
            self._leave()
        if self._server is None:
            self._server = Dialogue(self.route, self.letterhead.domain, self.patience).opened()

    def send(self, letter: Letter) -> Outcome:
        """One letter over the wire. `ready` must have been called before it."""
        if not self.reaches(letter.address):
            return Outcome("rejected", "fence", "this workspace may not write to the address")
        try:
            mail = self.letterhead.composed(letter)
            commands = (self.letterhead.envelope_sender(letter.message_id), mailbox(letter.address), letter.message_id)
        except Unsendable as error:
            return Outcome("rejected", "unsendable", str(error))
        outcome, is_worn = self._call(commands, mail)
        if is_worn and self._renewed():
            outcome, _ = self._call(commands, mail)
        return outcome

    def _call(self, envelope: tuple[str, str, str], mail: bytes) -> tuple[Outcome, bool]:
        """The outcome, and whether only the age of the connection is to blame: it was used before, and the letter was not taken."""
        if self._server is None:
            return Outcome("deferred", "not_connected"), False
        server, used = self._server, self._used
        self._used += 1
        outcome = self._envelope(server, envelope, len(mail)) or self._body(server, mail)
        is_worn = used > 0 and not self._is_connected() and outcome.kind == "deferred"
        return outcome, is_worn and outcome.code not in ("no_smtp", "timeout")

    def _is_connected(self) -> bool:
        return self._server is not None

    def _renewed(self) -> bool:
        try:
            self.ready()
        except ChannelUnreachable:
            return False
        return True

    def _envelope(self, server: Dialogue, envelope: tuple[str, str, str], size: int) -> Outcome | None:
        """MAIL, RCPT, DATA: None when the server waits for the mail, otherwise the outcome. Nothing was accepted in here."""
        refusal = None
        try:
            server.wait_at_most(self.patience.envelope)
            said = _commands(server, *envelope, size)
            together = server.has_extn("pipelining")
            if together:
                server.send(b"".join(said))
            for step, command in zip(STEPS, said, strict=True):
                if not together:
                    server.send(command)
                code, reply = server.getreply()
                refusal = refusal or self._refusal(step, code, reply)
                if refusal and not (together and self._is_connected()):
                    break
            if refusal:
                self._clear(is_waiting=code == 354)
            return refusal
        except ERRORS as error:
            self._drop()
            why = "timeout" if isinstance(error, TimeoutError) else "disconnected"
            return refusal or Outcome("deferred", why, type(error).__name__)

    def _refusal(self, step: str, code: int, reply: bytes) -> Outcome | None:
        """None where the server goes along with a step."""
        if code == 354 if step == "DATA" else 200 <= code < 300:
            return None
        if code >= 400:
            self._noted(code, reply)
            return refused(code, reply, step)
        self._drop()
        return Outcome("deferred", "no_smtp" if code == NO_REPLY else str(code), "the server did not ask for the mail")

    def _body(self, server: Dialogue, mail: bytes) -> Outcome:
        """The mail and the final dot. Without a reply it may have been accepted."""
        try:
            server.wait_at_most(self.patience.mail)
            server.send(mail + b".\r\n")  # no line of a letter begins with a dot
            code, reply = server.getreply()
        except ERRORS as error:
            self._drop()
            return Outcome("unknown", "no_answer", type(error).__name__)
        if 200 <= code < 300:
            return Outcome("accepted", str(code))
        if code < 400:
            self._drop()
            return Outcome("unknown", "no_smtp" if code == NO_REPLY else str(code), masked(reply))
        self._noted(code, reply)
        self._clear()
        return refused(code, reply)

    def _noted(self, code: int, reply: bytes) -> None:
        """421 says that the server closes, 452 that this connection carried enough: either way it is over, and what it carried is the limit."""
        tired = is_tired(code, reply)
        if tired and self._used > 1:
            self.mails = min(self.mails, self._used - 1)
        if tired or code == 421:
            self._drop()

    def _clear(self, is_waiting: bool = False) -> None:
        """Leave the dialogue ready for the next letter; a server that waits for a mail nobody may get is left at once."""
        if self._server is None:
            return
        if is_waiting:
            self._drop()
            return
        try:
            self._server.wait_at_most(self.patience.opening)
            code, _reply = self._server.rset()
        except ERRORS:
            code = NO_REPLY
        if code != 250:
            self._drop()

    def _leave(self) -> None:
        if self._server is not None:
            try:
                self._server.wait_at_most(self.patience.opening)
                self._server.quit()
            except ERRORS:
                self._server.close()
        self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server, self._used = None, 0


def _commands(server: Dialogue, sender: str, address: str, id: str, size: int) -> tuple[bytes, bytes, bytes]:
    """The three commands, with what the server offers to know: the size, and the id that comes back in a bounce (RFC 3461)."""
    asked = f" SIZE={size}" if server.has_extn("size") else ""
    notify = ""
    if server.has_extn("dsn"):
        asked += f" RET=HDRS ENVID={id}"
        notify = " NOTIFY=FAILURE,DELAY"
    return f"MAIL FROM:<{sender}>{asked}\r\n".encode(), f"RCPT TO:<{address}>{notify}\r\n".encode(), b"DATA\r\n"
