"""A post of JSON to another system: a CRM that takes hand-overs, a robot of a WeCom group.

What belongs here: one call each, signed where there is a secret, and what the answers mean. What does not: trying again (the ledger decides),
what is told (`vesper/handover_words.py`). Addresses and secrets come from the environment and are never shown.

The signature: `X-Vesper-Signature: sha256=` and the hex HMAC of `<timestamp>.<body>`, where `X-Vesper-Timestamp` counts seconds since 1970.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from connectors.channels import ChannelUnreachable, Outcome
from connectors.channels._environment import filled
from connectors.channels._fence import LOOPBACK, is_free, is_loopback
from connectors.channels.door import Door, NoAnswer, NotReached
from connectors.channels.http_sink import HttpSink
from vesper.clock import now
from vesper.model.workspace import Workspace

__all__ = ["Door", "filled", "post", "posting", "say", "signature"]

LARGEST = 8 * 2**20
"""Bytes of a post."""
LATER = frozenset({408, 425, 429, 503})
ROBOT_LATER = frozenset({-1, 45009, 45033})
"""WeCom: the system is busy, too many calls, too many at a time."""
LONGEST_MESSAGE = 4096
"""Bytes of a WeCom message."""


@contextmanager
def posting(workspace: Workspace, url: str, folder: str, where: str, within: str = "notices") -> Iterator[Door]:
    """The door to post to; the word loopback starts a server in this process that keeps what it gets in `.vesper/<within>/<folder>`.

    Raises ChannelUnreachable for a variable that is not set, and for a server that could reach people from a rehearsal.
    """
    address = filled(url, where)
    if address == LOOPBACK:
        with HttpSink(workspace.store / within / folder) as sink, _shown(sink.address) as door:
            yield door
        return
    if not is_free(workspace) and not is_loopback(urlsplit(address).hostname or ""):
        raise ChannelUnreachable(
            "{where}: this is no production workspace on a live clock, so nothing is posted to another machine. Write loopback.",
            where=where,
        )
    with _shown(address) as door:
        yield door


@contextmanager
def _shown(address: str) -> Iterator[Door]:
    door = Door(address)
    try:
        yield door
    finally:
        door.close()


def post(
    door: Door,
    body: Mapping[str, Any],
    key: str,
    secret: str,
    deduplicates: bool = False,
    largest: int = LARGEST,
) -> Outcome:
    """Post a body once under an Idempotency-Key. Where the receiver takes a key once only, a missing answer means: try again."""
    data = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str).encode(errors="replace")
    if len(data) > largest:
        return Outcome("rejected", "unsendable", "the post is too large")
    timestamp = str(int(now().replace(tzinfo=dt.UTC).timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": key,
        "X-Vesper-Timestamp": timestamp,
        "X-Vesper-Signature": signature(secret, timestamp, data),
    }
    try:
        status, _body = door.post(data, headers)
    except NotReached as error:
        return Outcome("deferred", str(error))
    except NoAnswer as error:
        return Outcome("deferred" if deduplicates else "unknown", str(error))
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
    try:
        status, answer = door.post(json.dumps(body, ensure_ascii=False).encode(errors="replace"), headers)
    except NotReached as error:
        return Outcome("deferred", str(error))
    except NoAnswer as error:
        return Outcome("unknown", str(error))
    try:
        code = int(json.loads(answer)["errcode"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return Outcome("rejected" if 400 <= status < 500 else "unknown", str(status))
    if code == 0:
        return Outcome("accepted", "0")
    return Outcome("deferred" if code in ROBOT_LATER else "rejected", str(code))
