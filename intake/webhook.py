"""What systems post, signed: mail providers, tills, the chat, the call centre. Verified over the raw bytes, committed, then answered (R17, R74).

What belongs here: POST /wh/{provider}, and what all signed posts share. What does not: signatures (`signature.py`), what a post says
(`vesper/provider_event.py`), what follows from it.
"""

import json
import os
from typing import Any

import anyio.to_thread
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.body import BodyRefused, body_of
from intake.desk import LOG, Desk, closing
from intake.page import HEADERS
from intake.signature import is_signed
from vesper.address import address_hash
from vesper.clock import now
from vesper.model.section import VARIABLE
from vesper.provider_event import PROVIDERS, Unreadable, facts_of
from warehouse.ledger.provider import keep_facts

MOST_BYTES = 2 * 2**20
"""SendGrid posts up to 768 KB at a time."""
SECONDS = 20.0
NOT_SIGNED = {"mailgun": 406}
"""Mailgun asks again for eight hours, unless it is told 406."""


class SignedPosts:
    """What every signed post goes through. `poster` names the key of `[intake] keys`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def answered(self, request: Request, poster: str) -> Response:
        """The answer to one post: 404 where the company has no key for its poster, 401 (Mailgun: 406) for a signature that is none."""
        key = self._key(poster)
        if key is None:
            return closing(_said(404, "not_found"))
        try:
            body = await body_of(request, MOST_BYTES, SECONDS)
        except BodyRefused as refused:
            return closing(_said(refused.status, "refused"))
        if not is_signed(poster, key, dict(request.headers), body):
            return closing(_said(NOT_SIGNED.get(poster, 401), "not_signed"))
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return _said(400, "no_json")
        return await self._taken(request, poster, told)

    async def _taken(self, request: Request, poster: str, told: Any) -> Response:
        try:
            return await anyio.to_thread.run_sync(self.take, request, poster, told, limiter=self.desk.writers)
        except Unreadable:
            return _said(422, "unreadable")
        except sa.exc.DBAPIError as error:
            LOG.error("a post of %s could not be kept: %s", poster, type(error).__name__)
            return JSONResponse({"ok": False, "error": "later"}, 503, HEADERS | {"Retry-After": "60"})

    def take(self, request: Request, poster: str, told: Any) -> Response:
        """Keep what was told; called in a thread of its own, one at a time. Raises Unreadable."""
        raise NotImplementedError

    def _key(self, poster: str) -> str | None:
        named = dict(self.desk.house.workspace.intake.keys).get(poster)  # type: ignore[call-overload]
        found = VARIABLE.fullmatch(named) if named else None
        return os.environ.get(named[2:-1]) or None if found else None


class Providers(SignedPosts):
    """POST /wh/{provider}."""

    async def __call__(self, request: Request) -> Response:
        provider = request.path_params["provider"]
        return await self.answered(request, provider if provider in PROVIDERS else "")

    def take(self, request: Request, poster: str, told: Any) -> Response:
        """See SignedPosts."""
        house, key = self.desk.house, self.desk.house.address_key
        facts = facts_of(poster, told, now())

        def hashed(address: str) -> str:
            return address_hash(key, "email", address)

        new = keep_facts(house.engine, poster, facts, hashed, self.desk.known.series_of, self.desk.recorded_on)
        return JSONResponse({"ok": True, "new": new}, headers=HEADERS)


def _said(status: int, word: str) -> Response:
    return JSONResponse({"ok": False, "error": word}, status, HEADERS)
