"""A post of JSON to another system: a CRM that takes hand-overs, a robot of a WeCom group.

What belongs here: one call each, signed where there is a secret, and what the answers mean. What does not: trying again (the ledger decides),
what is told (`vesper/handover_words.py`). Addresses and secrets come from the environment and are never shown.

The signature: `X-Vesper-Signature: sha256=` and the hex HMAC of `<timestamp>.<body>`, where `X-Vesper-Timestamp` counts seconds since 1970.
"""

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from connectors.channels import ChannelUnreachable, Outcome
from connectors.channels._fence import is_loopback
from connectors.channels.http_sink import HttpSink
from vesper.clock import now
from vesper.model.pull import VARIABLE
from vesper.model.workspace import Workspace

LOOPBACK = "loopback"
CONNECT_SECONDS, ANSWER_SECONDS = 10, 60
LATER = frozenset({408, 425, 429, 503})
ROBOT_LATER = frozenset({-1, 45009, 45033})
"""WeCom: the system is busy, too many calls, too many at a time."""
LONGEST_MESSAGE = 4096
"""Bytes of a WeCom message."""


class Door:
    """An address to post to, over one connection that is kept open while it lasts."""

    def __init__(self, address: str) -> None:
        import requests

        self.address = address
        self.session = requests.Session()
        # Neither proxies nor credentials of this machine: an address is told what it is told, and nobody else.
        self.session.trust_env = False


@contextmanager
def posting(workspace: Workspace, url: str, folder: str, where: str) -> Iterator[Door]:
    """The door to post to; the word loopback starts a server in this process that keeps what it gets in `.vesper/notices/<folder>`.

    Raises ChannelUnreachable for a variable that is not set, and for a server that could reach people from a rehearsal.
    """
    address = filled(url, where)
    if address == LOOPBACK:
        with HttpSink(workspace.store / "notices" / folder) as sink:
            yield Door(sink.address)
        return
    is_free = workspace.production and workspace.clock.mode == "live"
    if not is_free and not is_loopback(urlsplit(address).hostname or ""):
        raise ChannelUnreachable(
            "{where}: this is no production workspace on a live clock, so nothing is posted to another machine. Write loopback.",
            where=where,
        )
    yield Door(address)


def filled(text: str, where: str) -> str:
    """A text with its variables of the environment put in. Raises ChannelUnreachable, naming the variable."""
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            raise ChannelUnreachable(
                "{where}: the variable {name} is not set. Set it in the environment of the run; the notices wait.",
                where=where,
                name=name,
            )
    return VARIABLE.sub(lambda found: os.environ[found[1]], text)


def post(door: Door, body: Mapping[str, Any], key: str, secret: str, deduplicates: bool = False) -> Outcome:
    """Post a body once under an Idempotency-Key. Where the receiver takes a key once only, a missing answer means: try again."""
    data = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str).encode()
    timestamp = str(int(now().replace(tzinfo=dt.UTC).timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": key,
        "X-Vesper-Timestamp": timestamp,
        "X-Vesper-Signature": signature(secret, timestamp, data),
    }
    answer = _posted(door, data, headers, "deferred" if deduplicates else "unknown")
    if isinstance(answer, Outcome):
        return answer
    status = answer.status_code
    if 200 <= status < 300:
        return Outcome("accepted", str(status))
    if status in LATER or (deduplicates and status >= 500):
        return Outcome("deferred", str(status))
    return Outcome("unknown" if status >= 500 else "rejected", str(status))


def signature(secret: str, timestamp: str, data: bytes) -> str:
    """What the receiver computes again and compares."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + data, hashlib.sha256).hexdigest()


def say(door: Door, markdown: str, key: str) -> Outcome:
    """One message of a WeCom robot. It knows no keys, so what is left without an answer is unknown."""
    text = markdown.encode()[:LONGEST_MESSAGE].decode(errors="ignore")
    body = {"msgtype": "markdown", "markdown": {"content": text}}
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key}
    answer = _posted(door, json.dumps(body, ensure_ascii=False).encode(), headers, "unknown")
    if isinstance(answer, Outcome):
        return answer
    try:
        code = int(answer.json()["errcode"])
    except (ValueError, KeyError, TypeError):
        is_refused = 400 <= answer.status_code < 500
        return Outcome("rejected" if is_refused else "unknown", str(answer.status_code))
    if code == 0:
        return Outcome("accepted", "0")
    return Outcome("deferred" if code in ROBOT_LATER else "rejected", str(code))


def _posted(door: Door, data: bytes, headers: Mapping[str, str], silent: Any) -> Any:
    """The answer; or the outcome where there is none: not taken when no connection came about, else `silent`."""
    import requests

    try:
        return door.session.post(
            door.address,
            data=data,
            headers=dict(headers),
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
        )
    except (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError) as error:
        return Outcome("deferred", type(error).__name__)
    except requests.exceptions.ConnectionError as error:
        refused = "NewConnectionError" in repr(error)
        return Outcome("deferred" if refused else silent, type(error).__name__)
    except requests.exceptions.RequestException as error:
        return Outcome(silent, type(error).__name__)
