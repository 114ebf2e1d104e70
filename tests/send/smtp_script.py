"""A mail server that answers what a test tells it to: real SMTP on loopback, one scripted reply at a time."""

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

PIPELINING = "250-scripted\r\n250-PIPELINING\r\n250-SIZE 30000000\r\n250 DSN"


@dataclass(frozen=True)
class Dribble:
    """Bytes said one at a time, with a pause before each."""

    said: bytes
    pause: float = 0.05


Reply = str | bytes | Dribble | None


class Scripted:
    """`replies` maps a command word to the replies it gets in turn, the last one for ever; a reply of None closes the connection at once.

    The words for the greeting and for the end of a mail are BANNER and DOT; commands without a script get what a willing server says. Bytes are
    said as they are. `context` makes it a server of TLS: from the start, or after STARTTLS where `starttls` is set.
    """

    def __init__(self, context: ssl.SSLContext | None = None, starttls: bool = False, **replies: list[Reply]) -> None:
        self.replies = {word: list(said) for word, said in replies.items()}
        self.mails: list[bytes] = []
        self.commands: list[bytes] = []
        self.connections = 0
        self.context, self.starttls = context, starttls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._served, args=(peer,), daemon=True).start()

    def _served(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            if self.context and not self.starttls:
                peer = self.context.wrap_socket(peer, server_side=True)
            self._talk(peer, is_greeted=False)

    def _talk(self, peer: socket.socket, is_greeted: bool) -> None:
        with peer, peer.makefile("rb") as read:
            line = _Line(read, peer)
            if not is_greeted and not self._say(line, "BANNER", "220 scripted"):
                return
            while command := line.readline():
                self.commands.append(command)
                word = command.split()[0].upper().decode("latin-1").split(":")[0] if command.strip() else ""
                if not self._say(line, word, self._usual(word)):
                    return
                if word == "STARTTLS" and self.context:
                    self._talk(self.context.wrap_socket(peer, server_side=True), is_greeted=True)
                    return
                if word == "DATA" and self._last == "354 go on":
                    self.mails.append(self._mail(line))
                    if not self._say(line, "DOT", "250 kept"):
                        return
                if word == "QUIT":
                    return

    def _usual(self, word: str) -> str:
        if word == "EHLO" and self.starttls:
            return "250-scripted\r\n250-AUTH PLAIN\r\n250 STARTTLS"
        return {"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "220 go on", "AUTH": "235 come in"}.get(
            word, "250 ok"
        )

    def _say(self, line: "_Line", word: str, usual: str) -> bool:
        script = self.replies.get(word, [])
        reply = script[0] if len(script) == 1 else script.pop(0) if script else usual
        self._last = reply
        if reply is None:
            return False
        if isinstance(reply, Dribble):
            for byte in reply.said:
                time.sleep(reply.pause)
                line.write(bytes([byte]))
        else:
            line.write(reply if isinstance(reply, bytes) else reply.encode() + b"\r\n")
        return True

    @staticmethod
    def _mail(line: "_Line") -> bytes:
        lines = []
        while (read := line.readline()) not in (b".\r\n", b""):
            lines.append(read)
        return b"".join(lines)


@dataclass(frozen=True)
class _Line:
    """Reading is buffered, writing is not."""

    read: Any
    peer: socket.socket

    def readline(self) -> bytes:
        return bytes(self.read.readline())

    def write(self, said: bytes) -> None:
        self.peer.sendall(said)
