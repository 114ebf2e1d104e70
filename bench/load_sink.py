"""A mail server that takes everything fast: postfix's `smtp-sink` where it is installed, a small one of our own where not.

What belongs here: starting one, and how many mails it says it took. What does not: what is sent. `connectors/channels/sink.py` keeps every mail as a
file and costs more than the sender; a load needs a server that costs less.

`python -m bench.load_sink` runs our own alone; it prints its port, and at each end of a connection how many mails it took.
"""

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PLACES = ("/usr/sbin/smtp-sink", "/usr/lib/postfix/sbin/smtp-sink")
VARIABLE = "VESPER_SMTP_SINK"
HOW = (
    f"smtp-sink is not installed (apt-get install --no-install-recommends postfix, or {VARIABLE}=/path/to/smtp-sink); "
    "a small server in Python takes its place, which costs a core of its own"
)
_TAKEN = re.compile(rb"mesg=(\d+)")


@dataclass
class LoadSink:
    """A running sink. `name` says which one it is."""

    name: str
    port: int
    said: Path

    @property
    def taken(self) -> int:
        """Mails that it took so far, by its own count."""
        found = _TAKEN.findall(self.said.read_bytes())
        return int(found[-1]) if found else 0

    def taken_by_now(self, expected: int) -> int:
        """The same, once the server has said so of what it was sent; five seconds at most."""
        for _ in range(100):
            if self.taken >= expected:
                break
            time.sleep(0.05)
        return self.taken


def installed() -> str | None:
    """Where smtp-sink is."""
    named = os.environ.get(VARIABLE)
    return named or shutil.which("smtp-sink") or next((place for place in PLACES if Path(place).is_file()), None)


@contextmanager
def load_sink() -> Iterator[LoadSink]:
    """The fastest sink that this machine has, on a free port."""
    port, program = _free_port(), installed()
    own = [sys.executable, "-m", "bench.load_sink", str(port)]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program, "-c", *user, f"{HOST}:{port}", "1000"] if program else own
    with tempfile.NamedTemporaryFile(prefix="vesper-sink-") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL, env=_with_libraries(program))
        try:
            _wait_for(port, process)
            yield LoadSink("smtp-sink" if program else "python", port, Path(said.name))
        finally:
            process.terminate()
            process.wait()


def _with_libraries(program: str | None) -> dict[str, str]:
    """An unpacked postfix (`dpkg -x`) has its libraries beside it."""
    libraries = Path(program).parents[1] / "lib" / "postfix" if program else Path()
    return {**os.environ, "LD_LIBRARY_PATH": str(libraries)} if libraries.is_dir() else dict(os.environ)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the mail sink did not start")


_ANSWERS = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"QUIT": b"221 bye\r\n"}


class _Taken:
    count = 0


def _serve(peer: socket.socket) -> None:
    """One connection: answers by lines, and reads a mail up to its final dot without looking at it."""
    rest, in_mail = b"", False
    with peer:
        peer.sendall(b"220 sink\r\n")
        while data := peer.recv(1 << 16):
            rest += data
            while True:
                end = b"\r\n.\r\n" if in_mail else b"\r\n"
                at = rest.find(end)
                if at < 0:
                    rest = rest[-(1 << 12) :] if in_mail and len(rest) > 1 << 20 else rest
                    break
                word, rest = rest[:4].upper(), rest[at + len(end) :]
                if in_mail:
                    in_mail, _Taken.count = False, _Taken.count + 1
                    peer.sendall(b"250 taken\r\n")
                elif word == b"DATA":
                    in_mail = True
                    peer.sendall(b"354 go on\r\n")
                else:
                    peer.sendall(_ANSWERS.get(word, b"250 ok\r\n"))
    print(f"mesg={_Taken.count}", flush=True)


def main(port: str) -> None:
    """Serve until killed."""
    with socket.create_server((HOST, int(port)), backlog=100) as listener:
        while True:
            select.select([listener], [], [])
            peer, _ = listener.accept()
            threading.Thread(target=_serve, args=(peer,), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
