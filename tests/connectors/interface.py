"""A real interface over HTTP on this machine, which answers as a test says and remembers what it was asked.

What belongs here: the server. What does not: what is asked of it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What is answered. A body that is no text is written as JSON."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Interface:
    """Where the server listens, and its calls."""

    url: str
    calls: list[Call] = field(default_factory=list)


@contextmanager
def interface(answers: Callable[[Call, int], Answer]) -> Iterator[Interface]:
    """A server for the length of a block. `answers` takes a request and its number, from 0."""
    made: Interface

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            call = Call(parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()))
            made.calls.append(call)
            answer = answers(call, len(made.calls) - 1)
            body = answer.body if isinstance(answer.body, str | bytes) else json.dumps(answer.body, ensure_ascii=False)
            data = body.encode() if isinstance(body, str) else body
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(data)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Interface(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
