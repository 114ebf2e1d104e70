"""Calls of WeChat and WeCom: JSON with an access token that everybody shares, fetched anew once when the provider takes it no more.

What belongs here: one call with its token. What does not: what is called (`wechat.py`, `wechat_mass.py`, `wecom.py`), where the token is kept
(`warehouse/ledger/provider_token.py`). A token never stands in an error, a log or a report.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from connectors.channels import ChannelUnreachable, Fetch, Outcome, Tokens
from connectors.channels._environment import filled
from connectors.channels._fence import is_free, is_loopback
from connectors.channels.door import Door, NoAnswer, NotReached
from vesper.model.channel import App
from vesper.model.workspace import Workspace

WECHAT, WECOM = "https://api.weixin.qq.com", "https://qyapi.weixin.qq.com"
STALE = frozenset({40001, 40014, 42001})
"""The token is not one, or not one any more."""
BUSY = frozenset({-1, 45009, 45011, 45033, 45066, 50002})
"""Not taken, later it may be."""
MENDABLE = frozenset({40013, 40037, 40125, 40164, 41001, 48001, 48002, 50001, 60011, 60020, 301002})
"""Not taken, and the company can mend it: app, secret, template, allowed address, permission."""
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class AppCall:
    """One app behind one door."""

    def __init__(self, door: Door, where: str, tokens: Callable[[str], str]) -> None:
        self.door, self.where, self.tokens = door, where, tokens

    def ready(self) -> None:
        """Connect and have a token; raises ChannelUnreachable."""
        self.door.ready(self.where)
        try:
            self.tokens("")
        except (NotReached, NoAnswer) as error:
            raise ChannelUnreachable(
                "{where}: no access token can be had ({why}); the messages wait.", where=self.where, why=str(error)
            ) from None

    def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of one call; a token that is stale is fetched anew once. Raises NotReached, NoAnswer, ChannelUnreachable."""
        token = self.tokens("")
        answer = self._post(path, token, body)
        if answer.get("errcode") in STALE:
            answer = self._post(path, self.tokens(token), body)
        return answer

    def _post(self, path: str, token: str, body: Mapping[str, Any]) -> dict[str, Any]:
        data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        return _object(*self.door.post(data, JSON_HEADERS, f"{path}?access_token={quote(token, safe='')}"))


def outcome_of(answer: Mapping[str, Any], gone: frozenset[int] = frozenset()) -> Outcome:
    """What a code means. `gone`: codes by which the person cannot be reached there at all."""
    code = _code(answer)
    if code == 0:
        return Outcome("accepted", "0", str(answer.get("msgid") or answer.get("msg_id") or "") or None)
    if code in gone:
        return Outcome("rejected", str(code), bounce="hard")
    return Outcome("deferred" if code in BUSY | MENDABLE | STALE else "rejected", str(code))


@contextmanager
def calling(workspace: Workspace, app: App, kind: str, tokens: Tokens | None) -> Iterator[AppCall]:
    """Calls of a workspace's app. `kind` is wechat or wecom. Raises ChannelUnreachable."""
    where = f"vesper.toml [{kind}]"
    secret, address = filled(app.secret, where), app.endpoint or (WECOM if kind == "wecom" else WECHAT)
    door = Door(address)
    if not (is_free(workspace) or is_loopback(door.host)) and (workspace.clock.mode == "simulated" or not app.test_ids):
        raise ChannelUnreachable(
            "{where}: this is no production workspace on a live clock, so nothing leaves it. Take app_id out, or on a live clock name in "
            "test_ids who alone may be written to.",
            where=where,
        )
    fetched = _of_wecom(door, app.app_id, secret) if kind == "wecom" else _stable(door, app.app_id, secret)
    keep = tokens or kept_here()
    try:
        yield AppCall(door, where, lambda refused: keep(f"{kind} {app.app_id}", _said(fetched, where), refused))
    finally:
        door.close()


def kept_here() -> Tokens:
    """Keeps tokens for one connection alone."""
    known: dict[str, str] = {}

    def token(provider: str, fetch: Fetch, refused: str) -> str:
        if known.get(provider, refused) == refused:
            known[provider] = fetch()[0]
        return known[provider]

    return token


def _stable(door: Door, app_id: str, secret: str) -> Callable[[], dict[str, Any]]:
    """getStableAccessToken: the same token for everybody who asks, never forced, for forcing takes it from others."""
    body = {"grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": False}
    return lambda: _object(*door.post(json.dumps(body).encode(), JSON_HEADERS, "/cgi-bin/stable_token"))


def _of_wecom(door: Door, corp_id: str, secret: str) -> Callable[[], dict[str, Any]]:
    target = f"/cgi-bin/gettoken?corpid={quote(corp_id, safe='')}&corpsecret={quote(secret, safe='')}"
    return lambda: _object(*door.post(b"", {}, target, "GET"))


def _said(ask: Callable[[], dict[str, Any]], where: str) -> Fetch:
    def fetch() -> tuple[str, dt.timedelta]:
        answer = ask()
        if not answer.get("access_token"):
            raise ChannelUnreachable(
                "{where}: the provider gives no access token (code {code}). Look at the id, the secret and the addresses it allows.",
                where=where,
                code=_code(answer),
            )
        return str(answer["access_token"]), dt.timedelta(seconds=int(answer.get("expires_in") or 7200))

    return fetch


def _object(status: int, body: bytes) -> dict[str, Any]:
    """The answer; what is no JSON object tells nothing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NoAnswer(f"status {status}")
    return answer


def _code(answer: Mapping[str, Any]) -> int:
    try:
        return int(answer.get("errcode") or 0)
    except (TypeError, ValueError):
        return -1
