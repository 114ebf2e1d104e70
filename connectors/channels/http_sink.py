"""A web server on this machine that keeps each post as a file and answers that all is well: where rehearsals post to.

What belongs here: the server and its folder. What does not: any rule of sending. A file is on the disk before the answer, and a second post under
the same Idempotency-Key gets a number of its own and stays visible.

`python -m connectors.channels.http_sink FOLDER [PORT] [SECONDS]` runs it alone and prints its port; SECONDS is the pause before each answer.
"""

import os
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
POLL_SECONDS = 0.05
ANSWER = b'{"errcode": 0, "errmsg": "ok"}'
_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")


class HttpSink:
    """The server in a thread of this process: `with HttpSink(folder) as sink: ... sink.address`."""

    def __init__(self, folder: Path, port: int = 0, pause: float = 0.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)

        class Keeper(_Keeper):
            kept, wait = folder, pause

        self._server = ThreadingHTTPServer((HOST, port), Keeper)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, name="http-sink", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Keeper(BaseHTTPRequestHandler):
    """Keeps a post with its headers, then answers."""

    protocol_version = "HTTP/1.1"  # one connection for many posts
    wbufsize = -1  # head and body in one packet: two would wait for each other
    kept: Path
    wait: float

    def do_POST(self) -> None:
        """One post."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        head = "".join(f"{name}: {value}\n" for name, value in sorted(self.headers.items()) if name.startswith("X-"))
        keep(self.kept, self.headers.get("Idempotency-Key", ""), head.encode() + b"\n" + body)
        time.sleep(self.wait)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address of a post may hold a key."""


def keep(folder: Path, key: str, post: bytes) -> Path:
    """Write a post as `<key>.post`, a later one under the same key as `<key>.2.post` and so on; on the disk when this returns."""
    name = key if _KEY.fullmatch(key) else "without_a_key"
    handle, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(post)
        file.flush()
        os.fsync(file.fileno())
    number = 1
    while True:
        target = folder / (f"{name}.post" if number == 1 else f"{name}.{number}.post")
        try:
            target.hardlink_to(draft)
        except FileExistsError:
            number += 1
        else:
            Path(draft).unlink()
            return target


def main(folder: str, port: str = "0", pause: str = "0") -> None:
    """Run until killed."""
    with HttpSink(Path(folder), int(port), float(pause)) as sink:
        print(sink.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
