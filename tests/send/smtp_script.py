"""A mail server that answers what a test tells it to: real SMTP on loopback, one scripted reply at a time."""

import socket
import threading
from types import TracebackType
from typing import Self


class Scripted:
    """`replies` maps a command word to the replies it gets in turn, the last one for ever; a reply of None closes the connection at once.

    The word for the end of a mail is DOT; commands without a script get what a willing server says.
    """

    def __init__(self, **replies: list[str | None]) -> None:
        self.replies = {word: list(said) for word, said in replies.items()}
        self.mails: list[bytes] = []
        self.connections = 0
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
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rwb", buffering=0) as line:
            line.write(b"220 scripted\r\n")
            while command := line.readline():
                word = command.split()[0].upper().decode().split(":")[0] if command.strip() else ""
                if not self._say(
                    line, word, "354 go on" if word == "DATA" else "221 bye" if word == "QUIT" else "250 ok"
                ):
                    return
                if word == "DATA" and self._last == "354 go on":
                    self.mails.append(self._mail(line))
                    if not self._say(line, "DOT", "250 kept"):
                        return
                if word == "QUIT":
                    return

    def _say(self, line: object, word: str, usual: str) -> bool:
        script = self.replies.get(word, [])
        reply = script[0] if len(script) == 1 else script.pop(0) if script else usual
        self._last = reply
        if reply is None:
            return False
        line.write(reply.encode() + b"\r\n")  # type: ignore[attr-defined]
        return True

    @staticmethod
    def _mail(line: object) -> bytes:
        lines = []
        while (read := line.readline()) not in (b".\r\n", b""):  # type: ignore[attr-defined]
            lines.append(read)
        return b"".join(lines)
